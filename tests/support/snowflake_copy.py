"""Tables of a DuckDB file on the stand-in, row by row through the client."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

TYPES = {
    "TINYINT": "int",
    "INTEGER": "int",
    "BIGINT": "int",
    "HUGEINT": "int",
    "DOUBLE": "float",
    "BOOLEAN": "boolean",
    "VARCHAR": "varchar",
    "DATE": "date",
    "TIMESTAMP": "timestamp_ntz",
    "TIMESTAMP WITH TIME ZONE": "timestamp_tz",
}


def copy(file: Path, to: "SnowflakeConnection", schema: str, tables: Iterable[str]) -> None:
    """The tables of a schema, in a new schema of the same name in the database that `to` is connected to."""
    cursor = to.cursor()
    cursor.execute(f"create schema {schema}")
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        for table in tables:
            relation = connection.sql(f"select * from {schema}.{table}")
            columns = [f"{n} {_type(str(t))}" for n, t in zip(relation.columns, relation.types, strict=True)]
            cursor.execute(f"create table {schema}.{table} ({', '.join(columns)})")
            marks = ", ".join("?" * len(columns))
            cursor.executemany(f"insert into {schema}.{table} values ({marks})", relation.fetchall())


def _type(name: str) -> str:
    return name.lower() if re.match(r"DECIMAL\(", name) else TYPES[name]
