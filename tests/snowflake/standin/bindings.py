"""The values that a client binds, as Python's own."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from standin.failures import unknown

Binding = dict[str, Any]
EPOCH = datetime(1970, 1, 1)


def values(bindings: dict[str, Binding]) -> list[Any]:
    """One value for each placeholder, in order."""
    return [_value(binding["type"], binding["value"]) for binding in _ordered(bindings)]


def columns(bindings: dict[str, Binding]) -> list[list[Any]] | None:
    """The values of an array binding, a list for each placeholder; None where the binding is of single values."""
    ordered = _ordered(bindings)
    if not any(isinstance(binding["value"], list) for binding in ordered):
        return None
    return [[_value(binding["type"], value) for value in binding["value"]] for binding in ordered]


def reread(given: list[Any], column: str) -> list[Any]:
    """Values that came as text, for a column of times or bytes: as a binding of their own type would have them."""
    reader = {"TIMESTAMP": _moment, "DATE": _date, "TIME": _time, "BLOB": bytes.fromhex}.get(column)
    if reader is None:
        return given
    texts = (value for value in given if isinstance(value, str))
    if column != "BLOB" and not all(text.lstrip("-").isdigit() for text in texts):
        return given
    return [reader(value) if isinstance(value, str) else value for value in given]


def _ordered(bindings: dict[str, Binding]) -> list[Binding]:
    return [bindings[key] for key in sorted(bindings, key=int)]


def _value(kind: str, value: str | None) -> Any:
    if value is None:
        return None
    if kind not in READERS:
        raise unknown(f"bindings of type {kind}")
    return READERS[kind](value)


def _fixed(value: str) -> int | Decimal:
    return Decimal(value) if "." in value or "e" in value.lower() else int(value)


def _moment(nanoseconds: str) -> datetime:
    return EPOCH + timedelta(microseconds=int(nanoseconds) // 1000)


def _moment_with_zone(value: str) -> datetime:
    nanoseconds, _, minutes = value.partition(" ")
    zone = timezone(timedelta(minutes=int(minutes) - 1440)) if minutes else UTC
    return _moment(nanoseconds).replace(tzinfo=UTC).astimezone(zone)


def _time(nanoseconds: str) -> time:
    return (EPOCH + timedelta(microseconds=int(nanoseconds) // 1000)).time()


def _date(milliseconds: str) -> date:
    return (EPOCH + timedelta(milliseconds=int(milliseconds))).date()


READERS = {
    "FIXED": _fixed,
    "REAL": float,
    "TEXT": str,
    "BOOLEAN": lambda value: value.lower() == "true",
    "BINARY": bytes.fromhex,
    "DATE": _date,
    "TIME": _time,
    "TIMESTAMP_NTZ": _moment,
    "TIMESTAMP_LTZ": lambda value: _moment(value).replace(tzinfo=UTC),
    "TIMESTAMP_TZ": _moment_with_zone,
}
