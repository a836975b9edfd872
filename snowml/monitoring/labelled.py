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
    """A table or query of predictions: a row for each entity, moment (the window's column) and version.

    Attributes:
        relation: The table or query.
        entity: The entity's columns.
        prediction: The column of the label or value.
        score: The column of the score.
        version: The column of the version.
        shares: Of more than two classes: an expression for the probability of each, in their order.
    """

    relation: Relation | str
    entity: tuple[str, ...]
    prediction: str = "prediction"
    score: str = "score"
    version: str = "model_version"
    shares: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Labels:
    """A table of labels, one row for each entity and moment, under the same column names as the predictions.

    Attributes:
        relation: The table.
        label: The column of the label.
        label_at: The column of the moment the label became known; None where it always was.
        positive: For classification: the label whose probability the score is.
        classes: For classification of more than two classes: all labels, in their order.
    """

    relation: Relation
    label: str
    label_at: str | None = None
    positive: Label | None = None
    classes: tuple[Label, ...] = ()


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
    regression, `y` and `p`. Of more than two classes, `y` and `a`, the places of the label and of the predicted one
    among them (-1 for none of them), and `p0`, `p1`, … their probabilities. NULL and NaN are missing.
    """
    keys = [quoted(name, dialect) for name in (*predictions.entity, window.column)]
    answer = quoted(predictions.prediction, dialect)
    score = _number(quoted(predictions.score, dialect) if task == "classification" else answer)
    label = "l." + quoted(labels.label, dialect)
    known, seen = f"{label} is not null", list[object]()
    if labels.label_at is not None:
        known, seen = f"{known} and l.{quoted(labels.label_at, dialect)} <= ?", [in_utc(as_of)]
    many = labels.classes
    shares = [f"p{i}" for i in range(len(many))]
    if many:
        columns = f"{_place(label, many)} as y, s.a, {', '.join(f's.{share}' for share in shares)}"
        bound: list[object] = [*many]
        if isinstance(many[0], float):
            known = f"{known} and {_number(label)} is not null"
    elif task == "classification":
        columns = f"{_flag(f'{label} = ?')} as y, {_flag(f's.answer = {label}')} as hit, s.score"
        bound = [labels.positive]
        if isinstance(labels.positive, float):
            known = f"{known} and {_number(label)} is not null"
    else:
        columns, bound = f"cast({label} as double) as y, s.score as p", []
        known = f"{known} and {_number(label)} is not null"
    more = "".join(f", {share} as {name}" for share, name in zip(predictions.shares, shares, strict=True))
    more = f", {_place(answer, many)} as a{more}" if many else ""
    same = " and ".join(f"s.k{i} = l.{key}" for i, key in enumerate(keys))
    sql = f"""with scored as (
  select {", ".join(f"{key} as k{i}" for i, key in enumerate(keys))}, {answer} as answer, {score} as score{more}
  from {source(predictions.relation, dialect)}
  where {window.where(dialect)} and {quoted(predictions.version, dialect)} = ? and {score} is not null
),
labelled as (
  select {columns}
  from scored s join {labels.relation.sql(dialect)} l on {same}
  where {known}
)"""
    return sql, [*many, *window.params, version, *bound, *seen]


def _place(column: str, labels: Sequence[Label]) -> str:
    """A label's place among some, by a `?` for each; -1 for none of them."""
    cases = " ".join(f"when {column} = ? then {i}" for i in range(len(labels)))
    return f"case {cases} else -1 end"


def _flag(condition: str) -> str:
    return f"case when {condition} then 1 else 0 end"


def _number(column: str) -> str:
    """A column as a double whose NaN is NULL."""
    return f"nullif(cast({column} as double), cast('NaN' as double))"
