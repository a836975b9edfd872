"""How right the predictions of a window were, once labels are known. Only the metrics leave the warehouse."""

from collections.abc import Sequence
from datetime import datetime

from snowml.engines.base import Engine
from snowml.monitoring.labelled import Labels, Predictions, labelled
from snowml.monitoring.metrics_sql import FINAL, METRICS, MULTICLASS, multiclass
from snowml.monitoring.window import Window
from snowml.names import Dialect
from snowml.records import Performance, Task

__all__ = ["METRICS", "Labels", "Predictions", "performance", "performance_query"]


def performance_query(
    predictions: Predictions,
    labels: Labels,
    *,
    task: Task,
    version: int,
    window: Window,
    as_of: datetime,
    dialect: Dialect,
) -> tuple[str, Sequence[object]]:
    """A query, and what is bound to it, for one row: `scored_count`, `row_count` and the metrics of the task.

    A metric that is not defined for these rows is NULL.
    """
    sql, params = labelled(
        predictions, labels, task=task, version=version, window=window, as_of=as_of, dialect=dialect
    )
    return sql + (multiclass(len(labels.classes)) if labels.classes else FINAL[task]), params


def performance(
    engine: Engine,
    predictions: Predictions,
    labels: Labels,
    *,
    task: Task,
    model: str,
    version: int,
    window: Window,
    as_of: datetime,
    predictor: str = "model",
) -> list[Performance]:
    """The metrics of a version over a window, from the labels known at `as_of`.

    `scored_count` is the rows of the window that have an answer, `row_count` those of them with a label. A
    metric is left out where it is not defined: all of them without labels, the ranking ones where only one
    class occurs, r2 where all labels are equal.
    """
    sql, params = performance_query(
        predictions, labels, task=task, version=version, window=window, as_of=as_of, dialect=engine.name
    )
    scored, rows, *values = (column[0].as_py() for column in engine.query(sql, params).columns)
    return [
        Performance(
            model=model,
            version=version,
            window_start=window.start,
            window_end=window.end,
            metric=metric,
            value=float(value),
            row_count=int(rows),
            scored_count=int(scored),
            monitored_at=as_of,
            predictor=predictor,
        )
        for metric, value in zip(MULTICLASS if labels.classes else METRICS[task], values, strict=True)
        if value is not None
    ]
