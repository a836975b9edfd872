"""Snowflake's types, and what DuckDB has for each."""

import pyarrow as pa
from sqlglot import exp
from sqlglot.errors import SqlglotError

from standin.failures import unknown

T = exp.DataType.Type
DOUBLES = {T.FLOAT, T.DOUBLE}
INTEGERS = {T.INT, T.BIGINT, T.SMALLINT, T.TINYINT}
TEXTS = {T.VARCHAR, T.TEXT, T.CHAR, T.NVARCHAR, T.NCHAR}
SEMI_STRUCTURED = {T.VARIANT, T.OBJECT, T.ARRAY, T.STRUCT}
OTHERS = {
    T.BOOLEAN: "BOOLEAN",
    T.DATE: "DATE",
    T.TIME: "TIME",
    T.BINARY: "BLOB",
    T.VARBINARY: "BLOB",
    T.TIMESTAMP: "TIMESTAMP",
    T.TIMESTAMPNTZ: "TIMESTAMP",
    T.DATETIME: "TIMESTAMP",
    T.TIMESTAMPTZ: "TIMESTAMP WITH TIME ZONE",
    T.TIMESTAMPLTZ: "TIMESTAMP WITH TIME ZONE",
}
SHOWN = {
    "DOUBLE": "FLOAT",
    "BIGINT": "NUMBER",
    "BLOB": "BINARY",
    "JSON": "VARIANT",
    "TIMESTAMP": "TIMESTAMP_NTZ",
}
ARROW = {
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "VARCHAR": pa.string(),
    "BOOLEAN": pa.bool_(),
    "BLOB": pa.binary(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "TIME": pa.time64("us"),
    "JSON": pa.string(),
}


def duckdb_type(text: str) -> str:
    """What DuckDB keeps a value of this type as."""
    try:
        kind = exp.DataType.build(text, dialect="snowflake")
    except SqlglotError:
        raise unknown(f"the type {text}") from None
    return kept_as(kind)


def kept_as(kind: exp.DataType) -> str:
    """The same, of a type that is parsed."""
    if kind.this == T.DECIMAL:
        sizes = [int(part.name) for part in kind.expressions] or [38]
        precision, scale = (*sizes, 0)[:2]
        # As fakesnow has it, for Arrow to bring whole numbers.
        return "BIGINT" if (precision, scale) == (38, 0) else f"DECIMAL({precision},{scale})"
    for kinds, name in (
        (DOUBLES, "DOUBLE"),
        (INTEGERS, "BIGINT"),
        (TEXTS, "VARCHAR"),
        (SEMI_STRUCTURED, "JSON"),
    ):
        if kind.this in kinds:
            return name
    if kind.this not in OTHERS:
        raise unknown(f"the type {kind.sql()}")
    return OTHERS[kind.this]


def shown(duckdb: str) -> str:
    """As SHOW and DESCRIBE write it."""
    base = duckdb.partition("(")[0]
    return SHOWN.get(base, "NUMBER" if base == "DECIMAL" else base)
