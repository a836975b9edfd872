"""Known-at: nothing that a row is told is newer than the moment it asks at."""

from collections.abc import Mapping

from snowml.auditing.findings import Check, check, counted
from snowml.auditing.lineage import History, Lineage
from snowml.auditing.visibility import known
from snowml.engines.base import Engine
from snowml.names import Dialect, Relation, quoted

NAME = "known_at"
_REMEDY = (
    "join and count by the moment at which a fact was known and had arrived (the later of known_at and arrived_at), "
    "and ask for the label only after as_of."
)


def late_labels(engine: Engine, training_set: Relation, keys: tuple[str, ...], label_at: str) -> list[str]:
    """What is wrong with the moments at which labels became known: each must be said, and come after as_of."""
    column = quoted(label_at, engine.name)
    as_of = quoted(keys[-1], engine.name)
    unsaid = _broken(engine, training_set, keys, f"{column} is null", label_at)
    early = _broken(engine, training_set, keys, f"{column} <= {as_of}", label_at)
    return [
        *(f"{label_at}: {one}: it is not said when the label became known" for one in unsaid),
        *(f"{label_at}: {one}: the label was known when it was to be predicted" for one in early),
    ]


def newest_facts(
    engine: Engine, table: str, relation: Relation, keys: tuple[str, ...], newest: str
) -> list[str]:
    """The rows of a feature table whose newest fact, in the column `newest`, is later than their as_of."""
    condition = f"{quoted(newest, engine.name)} > {quoted(keys[-1], engine.name)}"
    return [
        f"{table}.{newest}: {one}: a fact was used that became known after as_of"
        for one in _broken(engine, relation, keys, condition, newest)
    ]


def undated_facts(engine: Engine, table: str, relation: Relation, history: History) -> list[str]:
    """The facts of a history without a moment: whoever reads them reads what nobody knew, or what a cut cannot see."""
    when = known(history, engine.name)
    rows = engine.query(
        f"select count(*) as n from {relation.sql(engine.name)} where {when} is null"
    ).to_pylist()[0]["n"]
    said = f"{history.known_at} is empty"
    return (
        [f"{table}: {counted(int(rows), 'row')}: {said}, so nobody can say when they were known"]
        if rows
        else []
    )


def judge(problems: list[str], lineage: Lineage, rows: int) -> Check:
    """The check, with what it rests on."""
    dated = ", ".join(f"{lineage.name(uid)} by {_told(lineage.history(uid))}" for uid in lineage.roots)
    passed = (
        f"the label of {counted(rows, 'row')} became known after as_of; facts are dated: {dated or 'none'}"
    )
    return check(NAME, problems, passed, _REMEDY)


def _told(history: History | None) -> str:
    if history is None:
        return "nothing"
    return f"{history.known_at} and {history.arrived_at}" if history.arrived_at else history.known_at


def _broken(
    engine: Engine, relation: Relation, keys: tuple[str, ...], condition: str, shown: str
) -> list[str]:
    """How many rows meet a condition, and the first of them; nothing where none does."""
    dialect: Dialect = engine.name
    name = relation.sql(dialect)
    count = int(engine.query(f"select count(*) as n from {name} where {condition}").to_pylist()[0]["n"])
    if not count:
        return []
    columns = ", ".join(quoted(key, dialect) for key in dict.fromkeys((*keys, shown)))
    rows = engine.query(
        f"select {columns} from {name} where {condition} order by {columns} limit 1"
    ).to_pylist()
    return [f"{counted(count, 'row')}, such as {_row(rows[0])}"]


def _row(row: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in row.items())
