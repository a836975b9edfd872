"""The metrics of a split, by scikit-learn; monitoring computes the same, by the same names, in SQL."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from snowml.errors import SpecError, did_you_mean
from snowml.records import Label, Task

# Truth, whether the predicted label was right, and scores: three arrays of doubles. Of more than two classes: the
# places of the true and of the predicted labels among them, and a row of probabilities for each.
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
_MULTICLASS: Final[Mapping[str, _Metric]] = {
    # One class against all others, each counting alike. Not by `multi_class`, which refuses shares in float32 whose sum
    # is not quite 1: to divide by it would make equals of neighbours, whose order is what counts.
    "roc_auc": lambda y, answers, scores: float(
        np.mean([metrics.roc_auc_score(y == c, scores[:, c]) for c in range(scores.shape[1])])
    ),
    "log_loss": lambda y, answers, scores: _log_loss(scores[np.arange(len(y)), y]),
    "accuracy": lambda y, answers, scores: float(np.mean(answers == y)),
    "macro_f1": lambda y, answers, scores: metrics.f1_score(
        y, answers, labels=range(scores.shape[1]), average="macro", zero_division=0.0
    ),
}
_NEEDS_VARIETY: Final = frozenset({"roc_auc", "average_precision", "r2"})


def evaluate(
    task: Task,
    y: NDArray[Any],
    predictions: NDArray[Any],
    scores: NDArray[np.float64],
    *,
    positive: Label = 1.0,
    classes: Sequence[Label] = (),
) -> dict[str, float]:
    """Every metric of the task that is defined for these rows.

    Left out are all of them without rows, roc_auc and average_precision where one class only occurs, and r2
    where all labels are equal. Of more than two classes, roc_auc is left out where one of them does not occur.

    Args:
        task: What kind of answer.
        y: The labels, in their own type.
        predictions: The predicted labels, in the same type.
        scores: For classification the probability of `positive`; for regression the predicted values. Of more than two
            classes, (rows, classes) the probability of each.
        positive: For classification, the label whose probability is given.
        classes: The labels, ascending, where they are more than two.
    """
    names = _MULTICLASS if classes else _METRICS[task]
    values = {
        name: value_of(name, task, y, predictions, scores, positive=positive, classes=classes)
        for name in names
    }
    return {name: value for name, value in values.items() if value is not None}


def value_of(
    metric: str,
    task: Task,
    y: NDArray[Any],
    predictions: NDArray[Any],
    scores: NDArray[np.float64],
    *,
    positive: Label = 1.0,
    classes: Sequence[Label] = (),
) -> float | None:
    """One metric, or None where it is not defined; see `evaluate`.

    Raises:
        SpecError: The task has no such metric.
    """
    known = _MULTICLASS if classes else _METRICS[task]
    if metric not in known:
        raise SpecError(f"'{metric}' is no metric of {task}.{did_you_mean(metric, known)}")
    if classes:
        truth, answers = (np.searchsorted(np.array(classes), labels) for labels in (y, predictions))
        occurring = len(np.unique(truth))
        if not occurring or (metric in _NEEDS_VARIETY and occurring < len(classes)):
            return None
        return float(known[metric](truth, answers, scores))
    truth = (y == positive).astype(np.float64) if task == "classification" else y.astype(np.float64)
    if not len(truth) or (metric in _NEEDS_VARIETY and bool(np.all(truth == truth[0]))):
        return None
    return float(known[metric](truth, (predictions == y).astype(np.float64), scores))


def _log_loss(true: NDArray[np.float64]) -> float:
    """From the probability of each row's own label, kept off 0 and 1 by the spacing of doubles at 1."""
    spacing = float(np.finfo(np.float64).eps)
    return -float(np.mean(np.log(np.clip(true, spacing, 1.0 - spacing))))
