"""The moments at which the future is cut off."""

from datetime import date, datetime, timedelta

from snowml.engines.base import Engine
from snowml.errors import DataError
from snowml.names import Relation, quoted

# A fact that becomes known exactly at as_of counts as known, and a cut removes what is known at it or later.
_AFTER = timedelta(microseconds=1)


def choose(engine: Engine, training_set: Relation, as_of: str, count: int) -> list[datetime]:
    """Cuts at quantiles of the training set's rows, each a moment after the as_of of one of them.

    So none lies on a grid, where a leak within a day or an hour would not show, and at each at least one row is asked
    when nothing later is known, however few rows there are.

    Raises:
        DataError: The training set is empty.
    """
    column, name = quoted(as_of, engine.name), training_set.sql(engine.name)
    total = int(engine.query(f"select count({column}) as n from {name}").to_pylist()[0]["n"])
    if total == 0:
        raise DataError(
            f"{training_set.name} has no row with an as_of: there is nothing to audit. Load data, or move --as-of."
        )
    wanted = ", ".join(str(1 + (2 * one + 1) * total // (2 * count)) for one in range(count))
    rows = engine.query(
        f"select distinct asked_at from (select {column} as asked_at, row_number() over (order by {column}) as place "
        f"from {name} where {column} is not null) as placed where place in ({wanted}) order by asked_at"
    ).to_pylist()
    return [_moment(row["asked_at"]) + _AFTER for row in rows]


def _moment(value: date | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
