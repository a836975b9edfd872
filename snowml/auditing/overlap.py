"""Splits that share rows: what is tested was learned."""

from collections.abc import Sequence
from datetime import datetime

from snowml.auditing.findings import Check, check, counted
from snowml.auditing.visibility import moment
from snowml.engines.base import Engine
from snowml.names import Dialect, Relation, quoted
from snowml.spec.split import Windows

NAME = "split_overlap"

# Rows of few and coarse features are equal by chance too: as often between the splits as within the training split.
# A copy is no coincidence where it is ten times as frequent as that.
_COPIES = 0.01
_TIMES_CHANCE = 10
_REMEDY = (
    "let each entity and as_of have one row (deduplicate in staging); where a model is to serve entities that it has "
    "never seen, test it on such."
)


def overlap(
    engine: Engine,
    training_set: Relation,
    keys: tuple[str, ...],
    features: Sequence[str],
    windows: Windows,
    *,
    unseen_entities: bool,
) -> Check:
    """Whether a row occurs twice, is copied from the training split to the test split, or shares its entity with it.

    Args:
        engine: The warehouse.
        training_set: The training set.
        keys: The columns that identify a row, the moment of prediction last.
        features: What is learned from.
        windows: The splits.
        unseen_entities: Whether an entity of the test split may not be in the training split.
    """
    shared, tested = _entities(engine, training_set, keys, windows)
    copies = _copies(engine, training_set, keys, features, windows)
    problems = _doubled(engine, training_set, keys)
    if copies > _COPIES * tested and copies > _TIMES_CHANCE * tested * _repeated(
        engine, training_set, keys, features, windows
    ):
        problems.append(
            f"{counted(copies, 'row')} of the test split are copies of rows of the training split, in every feature, "
            "though rows hardly ever are equal within it"
        )
    if unseen_entities and shared:
        problems.append(
            f"{counted(shared, 'row')} of {tested:,} of the test split are of an entity that the training split has "
            f"too ({', '.join(keys[:-1])}), which audit.unseen_entities forbids"
        )
    passed = (
        f"no row occurs twice; {shared:,} of {tested:,} rows of the test split are of an entity trained on"
    )
    return check(NAME, problems, passed, _REMEDY)


def _doubled(engine: Engine, training_set: Relation, keys: tuple[str, ...]) -> list[str]:
    columns = ", ".join(quoted(key, engine.name) for key in keys)
    rows = engine.query(
        f"select {columns}, count(*) as snowml_n, count(*) over () as snowml_total "
        f"from {training_set.sql(engine.name)} group by {columns} having count(*) > 1 order by {columns} limit 1"
    ).to_pylist()
    if not rows:
        return []
    row = ", ".join(f"{key}={rows[0][key]}" for key in keys)
    total, times = int(rows[0]["snowml_total"]), int(rows[0]["snowml_n"])
    return [f"{counted(total, 'key')} occur more than once, such as {row}, {times} times"]


def _entities(
    engine: Engine, training_set: Relation, keys: tuple[str, ...], windows: Windows
) -> tuple[int, int]:
    """Rows of the test split whose entity is in the training split, and rows of the test split."""
    dialect = engine.name
    entity = ", ".join(quoted(key, dialect) for key in keys[:-1])
    name = training_set.sql(dialect)
    on = " and ".join(f"tested.{quoted(key, dialect)} = trained.{quoted(key, dialect)}" for key in keys[:-1])
    row = engine.query(
        f"select count(*) as n, sum(case when trained.snowml_there = 1 then 1 else 0 end) as shared "
        f"from (select {entity} from {name} where {_tested(keys, windows, dialect)}) as tested left join "
        f"(select distinct {entity}, 1 as snowml_there from {name} where {_trained(keys, windows, dialect)}) "
        f"as trained on {on}"
    ).to_pylist()[0]
    return int(row["shared"] or 0), int(row["n"])


def _copies(
    engine: Engine, training_set: Relation, keys: tuple[str, ...], features: Sequence[str], windows: Windows
) -> int:
    dialect, name = engine.name, training_set.sql(engine.name)
    hashed = f"hash({', '.join(quoted(feature, dialect) for feature in features)})"
    row = engine.query(
        f"select count(*) as n from {name} where {_tested(keys, windows, dialect)} and {hashed} in "
        f"(select {hashed} from {name} where {_trained(keys, windows, dialect)})"
    ).to_pylist()[0]
    return int(row["n"])


def _repeated(
    engine: Engine, training_set: Relation, keys: tuple[str, ...], features: Sequence[str], windows: Windows
) -> float:
    """The share of the training split's rows that are equal to another one of it in their features."""
    dialect = engine.name
    hashed = f"hash({', '.join(quoted(feature, dialect) for feature in features)})"
    row = engine.query(
        f"select count(*) as n, count(distinct {hashed}) as different from {training_set.sql(dialect)} "
        f"where {_trained(keys, windows, dialect)}"
    ).to_pylist()[0]
    return 1 - float(row["different"] / row["n"]) if row["n"] else 0.0


def _tested(keys: tuple[str, ...], windows: Windows, dialect: Dialect) -> str:
    return _between(keys[-1], windows.test_start, windows.end, dialect)


def _trained(keys: tuple[str, ...], windows: Windows, dialect: Dialect) -> str:
    return f"{quoted(keys[-1], dialect)} < {moment(windows.validation_start, dialect)}"


def _between(column: str, start: datetime, end: datetime, dialect: Dialect) -> str:
    name = quoted(column, dialect)
    return f"{name} >= {moment(start, dialect)} and {name} < {moment(end, dialect)}"
