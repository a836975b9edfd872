"""How a statement fails: Snowflake's number, SQL state and wording, as far as its clients act on them."""


class Failure(Exception):
    """What a client sees as a ProgrammingError."""

    def __init__(self, message: str, errno: int = 1003, state: str = "42000") -> None:
        super().__init__(message)
        self.errno, self.state = errno, state


def unknown(what: str) -> Failure:
    """The stand-in does not know it; whether Snowflake does is left open."""
    return Failure(
        f"The stand-in for Snowflake does not know {what}. Teach it (tests/snowflake/standin), or avoid it."
    )


def missing(kind: str, name: object) -> Failure:
    return Failure(
        f"SQL compilation error:\n{kind} '{name}' does not exist or not authorized.",
        errno=2003,
        state="02000",
    )


def exists(name: object) -> Failure:
    return Failure(f"SQL compilation error:\nObject '{name}' already exists.", errno=2002, state="42710")
