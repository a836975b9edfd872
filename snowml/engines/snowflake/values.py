"""Values on their way to Snowflake and back."""

from datetime import UTC, date, datetime

import pyarrow as pa

# Reads back the same whatever the column's timestamp type is; the driver sends a list of mixed types as text.
_MICROSECONDS = "%Y-%m-%d %H:%M:%S.%f"


def bound(value: object) -> object:
    """A value to be bound to one `?`: Python's own types, and moments in UTC without a zone."""
    # The driver goes by the name of the class, and knows no subclass such as NumPy's double or pandas' Timestamp.
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return datetime.combine(moment.date(), moment.time())
    return value


def listed(value: object) -> object:
    """A value to be bound among others of its column, all of which the driver may send as text."""
    value = bound(value)
    if isinstance(value, datetime):
        return value.strftime(_MICROSECONDS).zfill(26)
    return value.isoformat() if isinstance(value, date) else value


def answer(table: pa.Table) -> pa.Table:
    """A result in the types that DuckDB would give: 64-bit integers, microseconds, names in lower case."""
    columns = [_plain(column) for column in table.columns]
    return pa.table(columns, names=[name.lower() for name in table.column_names])


def answer_of_rows(names: list[str], rows: list[tuple[object, ...]]) -> pa.Table:
    """The result of a statement that has no Arrow, such as SHOW."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return answer(pa.table([pa.array(list(column)) for column in columns], names=names))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_integer(kind):
        return column.cast(pa.int64())
    if pa.types.is_decimal(kind) and kind.scale == 0:
        return _whole(column)
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us", kind.tz), safe=False)
    return column.cast(pa.float64()) if pa.types.is_floating(kind) else column


def _whole(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """NUMBER(38, 0) as 64-bit integers, unless one of them is larger."""
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column
