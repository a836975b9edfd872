"""What the SQL types of both warehouses are to a model."""

import re
from typing import Literal

from snowml.names import Dialect
from snowml.records import FeatureKind

Kind = FeatureKind | Literal["moment"]

_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "INT", "BIGINT", "HUGEINT", "BYTEINT"}
_UNSIGNED = {"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"}
_DECIMALS = {"DECIMAL", "NUMERIC", "NUMBER", "DECFLOAT"}
_FLOATS = {"FLOAT", "FLOAT4", "FLOAT8", "REAL", "DOUBLE", "DOUBLE PRECISION"}
_NUMBERS = _INTEGERS | _UNSIGNED | _DECIMALS | _FLOATS | {"BOOLEAN"}
_TEXTS = {
    "VARCHAR",
    "TEXT",
    "STRING",
    "CHAR",
    "CHARACTER",
    "BPCHAR",
    "NCHAR",
    "NVARCHAR",
    "NVARCHAR2",
    "ENUM",
}
_MOMENTS = ("DATE", "TIMESTAMP")
_TYPE = re.compile(r"([A-Z0-9_]+(?: [A-Z]+)*?)\s*(\(.*\)[A-Z ]*)?(\s+COLLATE .*)?", re.DOTALL)


def feature_kind_of(sql_type: str, dialect: Dialect) -> Kind | None:
    """What a feature of the type is to a warehouse: Snowflake casts a BOOLEAN to no FLOAT, so no function takes it."""
    if dialect == "snowflake" and sql_type.strip().upper() == "BOOLEAN":
        return None
    return kind_of(sql_type)


def kind_of(sql_type: str) -> Kind | None:
    """What a column of the type can be; None for lists, structs, times of day, binary and all others."""
    match = _TYPE.fullmatch(sql_type.strip().upper())
    base = match[1] if match else ""
    if base in _NUMBERS:
        return "number"
    if base in _TEXTS:
        return "category"
    return "moment" if base.startswith(_MOMENTS) else None
