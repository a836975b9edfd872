"""Future-invariance: what a feature said before a cut is the same when nothing after the cut is known."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from snowml.auditing.findings import Check, check, counted
from snowml.auditing.visibility import moment
from snowml.engines.base import Engine
from snowml.names import Dialect, Relation, quoted
from snowml.spec.kinds import kind_of

NAME = "future_invariance"
ROW = "(the row itself)"

# Sums of doubles depend on their order in the last digits; nothing that leaks is as small.
_TOLERANCE = "1e-9"
_REMEDY = (
    "let the feature read only facts with known_at <= as_of (and arrived by then): snowml.rolling or "
    "snowml.point_in_time_join, or leave the column out (features: {exclude: […]})."
)


@dataclass(frozen=True, slots=True)
class Pair:
    """One table, built with all data and with what was known before a cut.

    Attributes:
        table: What people call it.
        whole: The one with all data.
        cut: The other.
        keys: The columns that identify a row, the moment of prediction last.
        columns: What is compared, with the warehouse's types.
        known_by: The column with the moment from which a row can be there at all; None where all rows always can.
        rows_too: Whether a row that only one of the two has is a finding.
    """

    table: str
    whole: Relation
    cut: Relation
    keys: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    known_by: str | None = None
    rows_too: bool = True


@dataclass(frozen=True, slots=True)
class Difference:
    """A column of a table whose past was changed by what came after a cut."""

    table: str
    column: str
    cut: datetime
    rows: int
    of: int
    largest: float | None
    example: Mapping[str, Any]

    def told(self) -> str:
        """In words, after the name of the column."""
        size = f", largest difference {self.largest:.6g}" if self.largest is not None else ""
        row = ", ".join(f"{key}={value}" for key, value in self.example.items() if key not in _VALUES)
        if self.column == ROW:
            change = "there or not, as the future has it"
        else:
            before, after = (_shown(self.example.get(one)) for one in _VALUES)
            change = f"{before} with all data, {after} with what was known at {self.cut:%Y-%m-%d %H:%M:%S}"
        return (
            f"{counted(self.rows, 'row')} of {self.of:,} before {self.cut:%Y-%m-%d %H:%M:%S}{size}; "
            f"such as {row}: {change}"
        )


_VALUES = ("snowml_whole", "snowml_cut")


def differences(engine: Engine, pair: Pair, cut: datetime) -> list[Difference]:
    """The columns that differ in rows with an as_of before the cut."""
    dialect = engine.name
    counts = engine.query(_counting(pair, cut, dialect)).to_pylist()[0]
    found = []
    for position, (name, _) in enumerate(pair.columns):
        rows = int(counts[f"n_{position}"] or 0)
        if rows:
            example = engine.query(_example(pair, position, cut, dialect)).to_pylist()[0]
            largest = counts.get(f"d_{position}")
            found.append(
                Difference(pair.table, name, cut, rows, int(counts["total"]), _finite(largest), example)
            )
    alone = int(counts["alone"] or 0)
    if alone and pair.rows_too:
        example = engine.query(_lonely(pair, cut, dialect)).to_pylist()[0]
        found.append(Difference(pair.table, ROW, cut, alone, int(counts["total"]), None, example))
    return found


def judge(found: Iterable[Difference], cuts: Sequence[datetime], features: int) -> Check:
    """The check: each feature once, where it is seen first and worst."""
    worst: dict[str, Difference] = {}
    tables: dict[str, list[str]] = {}
    for one in found:
        key = one.column if one.column != ROW else f"{one.table} {ROW}"
        if one.table not in tables.setdefault(key, []):
            tables[key].append(one.table)
        # Tables come parents first: the first that differs is where to look.
        if key not in worst or (worst[key].table == one.table and one.rows > worst[key].rows):
            worst[key] = one
    problems = [f"{key}: in {', '.join(tables[key])}: {one.told()}" for key, one in worst.items()]
    moments = ", ".join(f"{cut:%Y-%m-%d %H:%M}" for cut in cuts)
    passed = f"{counted(features, 'feature')} unchanged when nothing after {moments} is known"
    return check(NAME, problems, passed, _REMEDY)


def _counting(pair: Pair, cut: datetime, dialect: Dialect) -> str:
    sums = ["count(*) as total", f"sum(case when {_alone(pair, dialect)} then 1 else 0 end) as alone"]
    for position, (name, type_) in enumerate(pair.columns):
        differs = f"{_both(pair, dialect)} and {_differs(name, type_, dialect)}"
        sums.append(f"sum(case when {differs} then 1 else 0 end) as n_{position}")
        if _is_number(type_):
            sums.append(f"max(case when {differs} then {_distance(name, dialect)} end) as d_{position}")
    return f"select {', '.join(sums)} from {_joined(pair, cut, dialect)}"


def _example(pair: Pair, position: int, cut: datetime, dialect: Dialect) -> str:
    name, type_ = pair.columns[position]
    column = quoted(name, dialect)
    order = f"{_distance(name, dialect)} desc nulls last, " if _is_number(type_) else ""
    return (
        f"select {_keys(pair, dialect, 'w')}, w.{column} as snowml_whole, c.{column} as snowml_cut "
        f"from {_joined(pair, cut, dialect)} where {_both(pair, dialect)} and {_differs(name, type_, dialect)} "
        f"order by {order}{', '.join(f'w.{quoted(key, dialect)}' for key in pair.keys)} limit 1"
    )


def _lonely(pair: Pair, cut: datetime, dialect: Dialect) -> str:
    keys = ", ".join(
        f"coalesce(w.{quoted(key, dialect)}, c.{quoted(key, dialect)}) as {quoted(key, dialect)}"
        for key in pair.keys
    )
    return (
        f"select {keys} from {_joined(pair, cut, dialect)} where {_alone(pair, dialect)} "
        f"order by {', '.join(str(1 + place) for place in range(len(pair.keys)))} limit 1"
    )


def _joined(pair: Pair, cut: datetime, dialect: Dialect) -> str:
    """Rows of both, as `w` and `c`, each with a mark that it is there."""
    on = " and ".join(f"w.{quoted(key, dialect)} = c.{quoted(key, dialect)}" for key in pair.keys)
    whole = _side(pair.whole, pair, cut, "w", dialect)
    return f"{whole} full outer join {_side(pair.cut, pair, cut, 'c', dialect)} on {on}"


def _side(relation: Relation, pair: Pair, cut: datetime, name: str, dialect: Dialect) -> str:
    columns = dict.fromkeys((*pair.keys, *(column for column, _ in pair.columns)))
    at = moment(cut, dialect)
    where = f"{quoted(pair.keys[-1], dialect)} < {at}"
    if pair.known_by:
        where += f" and {quoted(pair.known_by, dialect)} < {at}"
    shown = ", ".join(quoted(column, dialect) for column in columns)
    return f"(select {shown}, 1 as snowml_there from {relation.sql(dialect)} where {where}) as {name}"


def _keys(pair: Pair, dialect: Dialect, side: str) -> str:
    return ", ".join(f"{side}.{quoted(key, dialect)}" for key in pair.keys)


def _both(pair: Pair, dialect: Dialect) -> str:
    return "w.snowml_there = 1 and c.snowml_there = 1"


def _alone(pair: Pair, dialect: Dialect) -> str:
    return "w.snowml_there is null or c.snowml_there is null"


def _differs(name: str, type_: str, dialect: Dialect) -> str:
    one, other = f"w.{quoted(name, dialect)}", f"c.{quoted(name, dialect)}"
    if not _is_number(type_):
        return f"{one} is distinct from {other}"
    scale = f"greatest(1e0, abs(cast({one} as double)), abs(cast({other} as double)))"
    far = f"{_distance(name, dialect)} > {_TOLERANCE} * {scale}"
    return f"{one} is distinct from {other} and coalesce({far}, true)"


def _distance(name: str, dialect: Dialect) -> str:
    one, other = f"w.{quoted(name, dialect)}", f"c.{quoted(name, dialect)}"
    return f"abs(cast({one} as double) - cast({other} as double))"


def _is_number(type_: str) -> bool:
    """Whether it has a size; a boolean is a number to a model and has none."""
    return kind_of(type_) == "number" and type_.upper() != "BOOLEAN"


def _finite(value: object) -> float | None:
    number = float(value) if isinstance(value, int | float) else None
    return number if number is not None and abs(number) < float("inf") else None


def _shown(value: object) -> str:
    return "NULL" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
