"""Queries for what of a relation was known at a moment."""

from collections.abc import Sequence
from datetime import datetime

from snowml.auditing.lineage import History
from snowml.names import Dialect, literal, quoted


def known(history: History, dialect: Dialect) -> str:
    """When a fact could be used: once it was known and its row had arrived; NULL where it is not said."""
    known_at = quoted(history.known_at, dialect)
    if history.arrived_at is None:
        return known_at
    arrived_at = quoted(history.arrived_at, dialect)
    return f"case when {arrived_at} > {known_at} then {arrived_at} else {known_at} end"


def moment(at: datetime, dialect: Dialect) -> str:
    """A moment as SQL."""
    return f"cast({literal(at.isoformat(sep=' ', timespec='microseconds'), dialect)} as timestamp)"


def removed(source: str, history: History, cut: datetime, dialect: Dialect) -> str:
    """The facts of `source` that were known before the cut."""
    return f"select * from {source} where {known(history, dialect)} < {moment(cut, dialect)}"


def hidden(
    source: str,
    columns: Sequence[tuple[str, str]],
    keep: set[str],
    history: History,
    cut: datetime,
    dialect: Dialect,
) -> str:
    """The same with the later facts still there, but for what they say: only the columns in `keep` can be read.

    A training row is there only because its label is, and the label comes after the cut. So that what else of the
    future the row was told can be taken from it, the row must stay. When it became known is moved to the cut.
    """
    shown = []
    for name, type_ in columns:
        column, at = quoted(name, dialect), moment(cut, dialect)
        if name.lower() in (history.known_at, history.arrived_at):
            later = (
                f"case when {known(history, dialect)} >= {at} then cast({at} as {type_}) else {column} end"
            )
            shown.append(f"{later} as {column}")
        elif name.lower() in keep:
            shown.append(column)
        else:
            shown.append(f"case when {known(history, dialect)} < {at} then {column} end as {column}")
    return f"select {', '.join(shown)} from {source}"
