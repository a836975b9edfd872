"""The metrics of a split, by scikit-learn; monitoring computes the same, by the same names, in SQL."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from snowml.errors import SpecError, did_you_mean
from snowml.records import Label, Task

# Truth, whether the predicted label was right, and scores: three arrays of doubles.
_Metric = Callable[[NDArray[Any], NDArray[Any], NDArray[np.float64]], float]

_METRICS: Final[Mapping[Task, Mapping[str, _Metric]]] = {
    "classification": {
        "roc_auc": lambda y, hits, scores: metrics.roc_auc_score(y, scores),
        "average_precision": lambda y, hits, scores: metrics.average_precision_score(y, scores),
        "brier": lambda y, hits, scores: metrics.brier_score_loss(y, scores, pos_label=1.0),
        "log_loss": lambda y, hits, scores: metrics.log_loss(y, scores, labels=[0.0, 1.0]),
        "accuracy": lambda y, hits, scores: float(np.mean(hits)),
    },
    "regression": {
        "mae": lambda y, hits, scores: metrics.mean_absolute_error(y, scores),
        "rmse": lambda y, hits, scores: metrics.root_mean_squared_error(y, scores),
        "r2": lambda y, hits, scores: metrics.r2_score(y, scores),
        "median_ae": lambda y, hits, scores: metrics.median_absolute_error(y, scores),
    },
}
_NEEDS_VARIETY: Final = frozenset({"roc_auc", "average_precision", "r2"})


def evaluate(
    task: Task,
    y: NDArray[Any],
    predictions: NDArray[Any],
    scores: NDArray[np.float64],
    *,
    positive: Label = 1.0,
) -> dict[str, float]:
    """Every metric of the task that is defined for these rows.

    Left out are all of them without rows, roc_auc and average_precision where one class only occurs, and r2
    where all labels are equal.

    Args:
        task: What kind of answer.
        y: The labels, in their own type.
        predictions: The predicted labels, in the same type.
        scores: For classification the probability of `positive`; for regression the predicted values.
        positive: For classification, the label whose probability is given.
    """
    names = _METRICS[task]
    values = {name: value_of(name, task, y, predictions, scores, positive=positive) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def value_of(
    metric: str,
    task: Task,
    y: NDArray[Any],
    predictions: NDArray[Any],
    scores: NDArray[np.float64],
    *,
    positive: Label = 1.0,
) -> float | None:
    """One metric, or None where it is not defined; see `evaluate`.

    Raises:
        SpecError: The task has no such metric.
    """
    known = _METRICS[task]
    if metric not in known:
        raise SpecError(f"'{metric}' is no metric of {task}.{did_you_mean(metric, known)}")
    truth = (y == positive).astype(np.float64) if task == "classification" else y.astype(np.float64)
    if not len(truth) or (metric in _NEEDS_VARIETY and bool(np.all(truth == truth[0]))):
        return None
    return float(known[metric](truth, (predictions == y).astype(np.float64), scores))
