"""Predictions joined to the labels that are known by now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from snowml.monitoring.counts import source
from snowml.monitoring.window import Window, in_utc
from snowml.names import Dialect, Relation, quoted
from snowml.records import Label, Task


@dataclass(frozen=True, slots=True)
class Predictions:
    """A table or query of predictions: a row for each entity, moment (the window's column) and version."""

    relation: Relation | str
    entity: tuple[str, ...]
    prediction: str = "prediction"
    score: str = "score"
    version: str = "model_version"


@dataclass(frozen=True, slots=True)
class Labels:
    """A table of labels, one row for each entity and moment, under the same column names as the predictions.

    Attributes:
        relation: The table.
        label: The column of the label.
        label_at: The column of the moment the label became known; None where it always was.
        positive: For classification: the label whose probability the score is.
    """

    relation: Relation
    label: str
    label_at: str | None = None
    positive: Label | None = None


def labelled(
    predictions: Predictions,
    labels: Labels,
    *,
    task: Task,
    version: int,
    window: Window,
    as_of: datetime,
    dialect: Dialect,
) -> tuple[str, Sequence[object]]:
    """The head of a query: `scored`, the rows with an answer, and `labelled`, those whose label is known.

    `labelled` has, for classification, `y` (1 for the positive class, else 0), `hit` and `score`; for
    regression, `y` and `p`. NULL and NaN are missing.
    """
    keys = [quoted(name, dialect) for name in (*predictions.entity, window.column)]
    answer = quoted(predictions.prediction, dialect)
    score = _number(quoted(predictions.score, dialect) if task == "classification" else answer)
    label = "l." + quoted(labels.label, dialect)
    known, seen = f"{label} is not null", list[object]()
    if labels.label_at is not None:
        known, seen = f"{known} and l.{quoted(labels.label_at, dialect)} <= ?", [in_utc(as_of)]
    if task == "classification":
        columns = f"{_flag(f'{label} = ?')} as y, {_flag(f's.answer = {label}')} as hit, s.score"
        bound: list[object] = [labels.positive]
        if isinstance(labels.positive, float):
            known = f"{known} and {_number(label)} is not null"
    else:
        columns, bound = f"cast({label} as double) as y, s.score as p", []
        known = f"{known} and {_number(label)} is not null"
    same = " and ".join(f"s.k{i} = l.{key}" for i, key in enumerate(keys))
    sql = f"""with scored as (
  select {", ".join(f"{key} as k{i}" for i, key in enumerate(keys))}, {answer} as answer, {score} as score
  from {source(predictions.relation, dialect)}
  where {window.where(dialect)} and {quoted(predictions.version, dialect)} = ? and {score} is not null
),
labelled as (
  select {columns}
  from scored s join {labels.relation.sql(dialect)} l on {same}
  where {known}
)"""
    return sql, [*window.params, version, *bound, *seen]


def _flag(condition: str) -> str:
    return f"case when {condition} then 1 else 0 end"


def _number(column: str) -> str:
    """A column as a double whose NaN is NULL."""
    return f"nullif(cast({column} as double), cast('NaN' as double))"
