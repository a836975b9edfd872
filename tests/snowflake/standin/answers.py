"""What goes back to a client: rows as JSON, or as Arrow in Snowflake's own way of writing it."""

import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from standin.failures import unknown

SELECT, SHOW, CALL, DDL = 0x1000, 0x4400, 0x7000, 0x6000
Column = dict[str, Any]


@dataclass
class Answer:
    """The `data` of a response; `kind` is for the record."""

    data: dict[str, Any]
    kind: str = "executed"
    rows: int = 0
    bytes: int = 0
    # What RESULT_SCAN reads.
    result: pa.Table | None = None


@dataclass
class Listing:
    """Rows as the commands give them (SHOW, LIST, CALL): `columns` maps names to Snowflake's types."""

    columns: dict[str, str]
    rows: list[list[Any]] = field(default_factory=list)


def status(message: str = "Statement executed successfully.", kind: str = "executed") -> Answer:
    answer = listing(Listing({"status": "text"}, [[message]]), DDL)
    return Answer(answer.data, kind)


def listing(content: Listing, statement_type: int = SHOW) -> Answer:
    rowset = [[_text(value) for value in row] for row in content.rows]
    data = {
        "rowtype": [column(name, kind) for name, kind in content.columns.items()],
        "rowset": rowset,
        "queryResultFormat": "json",
        "total": len(rowset),
        "returned": len(rowset),
        "statementTypeId": statement_type,
    }
    names = list(content.columns)
    result = pa.table(
        {name: pa.array([row[i] for row in rowset], pa.string()) for i, name in enumerate(names)}
    )
    return Answer(data, rows=len(rowset), bytes=len(json.dumps(rowset)), result=result)


def counts(found: dict[str, int], statement_type: int) -> Answer:
    """What an INSERT, UPDATE, DELETE or MERGE changed."""
    answer = listing(Listing(dict.fromkeys(found, "fixed"), [list(found.values())]), statement_type)
    return Answer(answer.data)


def table(rows: pa.Table, variants: set[str], statement_type: int = SELECT) -> Answer:
    """The answer to a query; `variants` are the columns that hold JSON."""
    columns = [_arrow_column(field, field.name in variants) for field in rows.schema]
    arrays = [_arrow_array(rows.column(i)) for i in range(rows.num_columns)]
    fields = [
        pa.field(c["name"], a.type, metadata=_metadata(c)) for c, a in zip(columns, arrays, strict=True)
    ]
    sink = pa.BufferOutputStream()
    schema = pa.schema(fields)
    with pa.ipc.new_stream(sink, schema) as stream:
        stream.write_table(pa.Table.from_arrays(arrays, schema=schema))
    content = sink.getvalue()
    data = {
        "rowtype": columns,
        # The connector takes an empty text, and nothing else, for an answer without rows.
        "rowsetBase64": b64encode(content).decode() if rows.num_rows else "",
        "queryResultFormat": "arrow",
        "total": rows.num_rows,
        "returned": rows.num_rows,
        "statementTypeId": statement_type,
    }
    return Answer(data, rows=rows.num_rows, bytes=content.size if rows.num_rows else 0, result=rows)


def column(name: str, kind: str, precision: int | None = None, scale: int | None = None) -> Column:
    length = 16777216 if kind == "text" else 8388608 if kind == "binary" else None
    if kind == "fixed":
        precision, scale = precision or 38, scale or 0
    elif kind.startswith("time"):
        precision, scale = 0, 9
    return {
        "name": name,
        "type": kind,
        "precision": precision,
        "scale": scale,
        "nullable": True,
        "collation": None,
        "length": length,
        "byteLength": length,
        "database": "",
        "schema": "",
        "table": "",
    }


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else value if isinstance(value, str) else str(value)


def _arrow_column(field: pa.Field, variant: bool) -> Column:
    kind, t = field.type, pa.types
    if variant:
        return column(field.name, "variant")
    if t.is_decimal(kind):
        return column(field.name, "fixed", kind.precision, kind.scale)
    if t.is_timestamp(kind):
        return column(field.name, "timestamp_tz" if kind.tz else "timestamp_ntz")
    kinds = {
        t.is_boolean: "boolean",
        t.is_integer: "fixed",
        t.is_floating: "real",
        t.is_date: "date",
        t.is_time: "time",
        t.is_string: "text",
        t.is_large_string: "text",
        t.is_null: "text",
        t.is_binary: "binary",
    }
    for holds, name in kinds.items():
        if holds(kind):
            return column(field.name, name)
    raise unknown(f"how to send the column {field.name} of type {kind}")


def _metadata(of: Column) -> dict[str, str]:
    return {
        "logicalType": of["type"].upper(),
        "precision": str(of["precision"] or 38),
        "scale": str(of["scale"] or 0),
        "charLength": str(of["length"] or 0),
    }


def _arrow_array(values: pa.ChunkedArray) -> pa.Array:
    array = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    if pa.types.is_timestamp(array.type):
        return _moments(array)
    if pa.types.is_time(array.type):
        return array.cast(pa.time64("ns")).cast(pa.int64())
    if pa.types.is_null(array.type) or pa.types.is_large_string(array.type):
        return array.cast(pa.string())
    if pa.types.is_integer(array.type):
        return array.cast(pa.int64())
    if pa.types.is_floating(array.type):
        return array.cast(pa.float64())
    return array


def _moments(array: pa.Array) -> pa.StructArray:
    """Seconds and nanoseconds. A NULL is a NULL of the whole: fakesnow 0.12.1 sends 1970 instead."""
    microseconds = array.cast(pa.timestamp("us")).cast(pa.int64())
    # Whole seconds, rounded down; Arrow divides whole numbers towards zero.
    microsecond = pc.subtract(microseconds, pc.multiply(pc.divide(microseconds, 1_000_000), 1_000_000))
    negative = pc.cast(pc.less(microsecond, 0), pa.int64())
    seconds = pc.subtract(pc.divide(microseconds, 1_000_000), negative)
    fraction = pc.multiply(pc.add(microsecond, pc.multiply(negative, 1_000_000)), 1000)
    parts = {"epoch": seconds.fill_null(0), "fraction": fraction.fill_null(0).cast(pa.int32())}
    if array.type.tz:
        # Minutes east of UTC, counted from 1440: every zone is UTC here.
        parts["timezone"] = pa.array([1440] * len(array), pa.int32())
    fields = [pa.field(name, part.type, nullable=False) for name, part in parts.items()]
    return pa.StructArray.from_arrays(list(parts.values()), fields=fields, mask=array.is_null())
