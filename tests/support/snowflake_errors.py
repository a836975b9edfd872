"""The error of the real connector; any error where the connector is not installed, and its tests are skipped."""

try:
    from snowflake.connector.errors import ProgrammingError
except ImportError:
    ProgrammingError = Exception  # type: ignore[assignment, misc]

__all__ = ["ProgrammingError"]
