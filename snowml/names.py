"""Names of warehouse objects that quote themselves, so that no SQL is assembled from bare text."""

import re
from dataclasses import dataclass, replace
from typing import Literal

Dialect = Literal["duckdb", "snowflake"]

_PLAIN_LOWER = re.compile(r"[a-z_][a-z0-9_$]*")
_PLAIN_UPPER = re.compile(r"[A-Z_][A-Z0-9_$]*")


def quoted(name: str, dialect: Dialect) -> str:
    """`name` as a quoted identifier.

    Snowflake folds unquoted names to upper case, and dbt emits unquoted names; so a plain lower-case name means the
    folded one there. Any other name is taken to the letter.
    """
    if dialect == "snowflake" and _PLAIN_LOWER.fullmatch(name):
        name = name.upper()
    return '"' + name.replace('"', '""') + '"'


def written(name: str, dialect: Dialect) -> str:
    """A name as the warehouse reports it, as snowml writes it: what `quoted` makes the same identifier of."""
    return name.lower() if dialect == "snowflake" and _PLAIN_UPPER.fullmatch(name) else name


def literal(value: str | float, dialect: Dialect) -> str:
    """A value as SQL, for the few places where nothing can be bound, such as the body of a function.

    Text is escaped; Snowflake, unlike DuckDB, takes a backslash in it for an escape. A finite float reads back exactly,
    and always has an exponent, without which it would be a DECIMAL.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        digits = repr(float(value))
        return digits if "e" in digits else f"{digits}e0"
    text = value.replace("\\", "\\\\") if dialect == "snowflake" else value
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, view, function or stage: `database.schema.name`.

    A `database` of None means the environment's own database, so that a DuckDB file may be renamed.
    """

    schema: str
    name: str
    database: str | None = None

    def within(self, database: str) -> "Relation":
        """The same relation in `database`, unless it already names one."""
        return self if self.database else replace(self, database=database)

    def sql(self, dialect: Dialect) -> str:
        """The name in full, quoted. A schema that shares its name with the database stays unambiguous only so."""
        parts = [self.database, self.schema, self.name]
        return ".".join(quoted(part, dialect) for part in parts if part is not None)

    def __str__(self) -> str:
        return ".".join(part for part in (self.database, self.schema, self.name) if part)
