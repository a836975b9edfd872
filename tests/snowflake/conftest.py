"""Sessions of the real clients on the stand-in."""

from standin_sessions import ask, connection, session  # noqa: F401
