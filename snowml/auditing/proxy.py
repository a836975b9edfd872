"""Label proxies: a feature that alone tells the label."""

from collections.abc import Sequence
from dataclasses import dataclass

from snowml.auditing.findings import Check, check
from snowml.engines.base import Engine
from snowml.names import Dialect, Relation, literal, quoted
from snowml.records import Feature, Label, Task

NAME = "label_proxy"

# How many rows are looked at: enough for a figure to the second digit.
SAMPLE = 50_000
_BINS = 64
# Rows are chosen and halved as if at random: a label that comes and goes by turns must not fall in with it.
_PRIME = 65537
_REMEDY = (
    "find where the column comes from. If it is made of the label or of what follows from it, leave it out "
    "(features: {{exclude: […]}}); if it is honest, say so by a higher audit.{key} in the exposure."
)
_KEYS: dict[Task, str] = {"classification": "max_auc", "regression": "max_r2"}
_WORDS: dict[Task, str] = {"classification": "AUC", "regression": "R2"}


@dataclass(frozen=True, slots=True)
class Target:
    """What is predicted.

    Attributes:
        column: The label.
        task: What kind of label it is.
        positive: For a classification, the class that counts as 1; the greatest where None.
    """

    column: str
    task: Task
    positive: Label | None


@dataclass(frozen=True, slots=True)
class Strength:
    """How well one feature alone predicts the label, on rows that it was not learned from."""

    feature: str
    value: float | None
    is_function: bool


def sample(training_set: Relation, target: Target, keys: Sequence[str], rows: int, dialect: Dialect) -> str:
    """A query for at most about `SAMPLE` rows with `snowml_y`, the label as a double, and `snowml_half`, 0 or 1."""
    ordered = ", ".join(quoted(key, dialect) for key in keys)
    source = training_set.sql(dialect)
    chosen = -(-_PRIME * SAMPLE // max(rows, 1))
    # Squares scatter: multiples of one number would fall in with some period of the label, or not alternate for long.
    place = f"mod(snowml_place, {_PRIME})"
    half = f"mod(mod({place} * {place} * 48271, {_PRIME}), 2)"
    return (
        f"select placed.*, {half} as snowml_half from (select labelled.*, "
        f"{_y(target, source, dialect)} as snowml_y, row_number() over (order by {ordered}) as snowml_place "
        f"from {source} as labelled where {quoted(target.column, dialect)} is not null) as placed "
        f"where mod(snowml_place * 48271, {_PRIME}) < {chosen}"
    )


def strength(engine: Engine, rows: Relation, feature: Feature, task: Task) -> Strength:
    """How well a feature alone predicts the label of a `sample`: the mean label by bins, learned on one half."""
    dialect = engine.name
    column = quoted(feature.name, dialect)
    found = engine.query(_figure(rows.sql(dialect), column, feature, task)).to_pylist()[0]["figure"]
    function = engine.query(_function_of_label(rows.sql(dialect), column)).to_pylist()[0]
    return Strength(
        feature.name,
        float(found) if found is not None else None,
        task == "regression"
        and function["ys"] >= 10
        and function["ys"] == function["single"]
        and function["xs"] > 1,
    )


def judge(found: Sequence[Strength], task: Task, limit: float) -> Check:
    """The check: no feature is better alone than `limit`, and none is a function of the label."""
    word = _WORDS[task]
    problems = [
        f"{one.feature}: alone it predicts the label with {word} {one.value:.4f}, above {limit:g}"
        for one in found
        if one.value is not None and one.value > limit
    ]
    problems += [
        f"{one.feature}: it is a function of the label: rows with the same label have the same value"
        for one in found
        if one.is_function
    ]
    best = max(found, key=lambda one: one.value or 0.0)
    passed = (
        f"the strongest feature alone, {best.feature}, has {word} {best.value or 0.0:.4f} (at most {limit:g})"
    )
    return check(NAME, problems, passed, _REMEDY.format(key=_KEYS[task]))


def _y(target: Target, source: str, dialect: Dialect) -> str:
    column = quoted(target.column, dialect)
    if target.task == "regression":
        return f"cast({column} as double)"
    positive = (
        f"(select max({column}) from {source})"
        if target.positive is None
        else literal(target.positive, dialect)
    )
    return f"cast(case when {column} = {positive} then 1 else 0 end as double)"


def _bin(column: str, feature: Feature) -> str:
    """The bin of a value: equal values share one, and what is missing has its own."""
    if feature.kind == "category":
        return f"coalesce(cast({column} as varchar), '')"
    place = f"floor(percent_rank() over (order by {column}) * {_BINS})"
    return f"case when {column} is null then -1 else {place} end"


def _figure(rows: str, column: str, feature: Feature, task: Task) -> str:
    scored = (
        f"with binned as (select snowml_y as y, snowml_half as half, {_bin(column, feature)} as bin from {rows}), "
        "learned as (select bin, avg(y) as mean_y from binned where half = 0 group by bin), "
        "overall as (select avg(y) as mean_y from binned where half = 0), "
        "scored as (select binned.y, coalesce(learned.mean_y, overall.mean_y) as score from binned "
        "left join learned on learned.bin = binned.bin cross join overall where binned.half = 1)"
    )
    return scored + (_AUC if task == "classification" else _R2)


# Ties count for a half.
_AUC = """, levels as (
select score, sum(y) as ones, sum(1 - y) as zeros from scored group by score
), ranked as (
select ones, zeros, sum(zeros) over (order by score rows between unbounded preceding and current row) - zeros as below
from levels
)
select sum(ones * (below + zeros / 2)) / nullif(sum(ones) * sum(zeros), 0) as figure from ranked"""

_R2 = """, centred as (
select y, score, avg(y) over () as mean_y from scored
)
select 1 - sum((y - score) * (y - score)) / nullif(sum((y - mean_y) * (y - mean_y)), 0) as figure from centred"""


def _function_of_label(rows: str, column: str) -> str:
    """How many labels occur more than once, for how many of them the feature is the same, and how many it has."""
    return (
        "select count(*) as ys, sum(case when one_x = 1 then 1 else 0 end) as single, "
        "count(distinct any_x) as xs from (select snowml_y, "
        f"count(distinct {column}) + max(case when {column} is null then 1 else 0 end) as one_x, "
        f"max({column}) as any_x from {rows} group by snowml_y having count(*) > 1) as grouped"
    )
