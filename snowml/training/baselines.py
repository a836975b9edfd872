"""The two predictors that a model must beat: a constant, and the best rule over a single feature."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snowml.errors import DataError
from snowml.records import Feature, StoredRule, Task
from snowml.spec.metrics import METRICS
from snowml.training.metrics import value_of
from snowml.training.rules import Rule, fit_rule

_Doubles = NDArray[np.float64]


class Baseline(Protocol):
    """A fitted predictor.

    Attributes:
        name: `constant` or `best_rule`, as in `Metric.predictor`.
        feature: The one column it reads, if any.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def feature(self) -> str | None: ...  # noqa: D102

    def predict(self, frame: pd.DataFrame) -> _Doubles:
        """A score a row: the probability of the positive class, or the value; or a row of probabilities."""

    def stored(self) -> StoredRule:
        """The same as the registry keeps it, for monitoring to compare with."""


@dataclass(frozen=True, slots=True)
class Constant:
    """The same score for every row, or the same probabilities."""

    score: float | tuple[float, ...]
    name: str = "constant"
    feature: None = None

    def predict(self, frame: pd.DataFrame) -> _Doubles:
        """The score, once a row."""
        if isinstance(self.score, tuple):
            return np.tile(self.score, (len(frame), 1))
        return np.full(len(frame), self.score)

    def stored(self) -> StoredRule:
        """One mean, of no feature."""
        if isinstance(self.score, tuple):
            return StoredRule(predictor=self.name, shares=(self.score,))
        return StoredRule(predictor=self.name, means=(self.score,))


@dataclass(frozen=True, slots=True)
class BestRule:
    """The mean label of the bin that a row's value of one feature falls in."""

    rule: Rule
    name: str = "best_rule"

    @property
    def feature(self) -> str:
        """The feature chosen."""
        return self.rule.feature.name

    def predict(self, frame: pd.DataFrame) -> _Doubles:
        """A score a row."""
        return self.rule.predict(frame)

    def stored(self) -> StoredRule:
        """The bins and their means."""
        known = tuple(value if isinstance(value, str) else float(value) for value in self.rule.known)
        kept = {"predictor": self.name, "feature": self.rule.feature, "known": known}
        return StoredRule.model_validate(
            kept | {"shares" if self.rule.means.ndim == 2 else "means": self.rule.means.tolist()}
        )


def as_judged(task: Task, truth: _Doubles, scores: _Doubles) -> dict[str, Any]:
    """What `metrics.evaluate` takes besides the task, of labels as `constant` takes them and a baseline's scores."""
    if truth.ndim == 2:
        places = truth.argmax(axis=1), scores.argmax(axis=1)
        return {"y": places[0], "predictions": places[1], "scores": scores, "classes": range(truth.shape[1])}
    answers = (scores > 0.5).astype(np.float64) if task == "classification" else scores
    return {"y": truth, "predictions": answers, "scores": scores}


def constant(y: _Doubles, metric: str) -> Constant:
    """The constant that does best by the metric on the training labels.

    For mae and median_ae the median (for the latter it is nearly the best). For every other the mean, which
    is the prior probability in classification, and the best for brier, log_loss, rmse and r2.

    Args:
        y: Training labels: 1.0 for the positive class and 0.0, or values; of more than two classes, a column for each.
        metric: The specification's.
    """
    if not len(y):
        raise DataError("There are no training rows to fit a baseline on.")
    if y.ndim == 2:
        return Constant(tuple(y.mean(axis=0).tolist()))
    return Constant(float(np.median(y) if metric in {"mae", "median_ae"} else np.mean(y)))


def best_rule(
    frame: pd.DataFrame,
    y: _Doubles,
    features: Sequence[Feature],
    *,
    validation: pd.DataFrame,
    validation_y: _Doubles,
    task: Task,
    metric: str,
) -> BestRule:
    """Fit a rule for each feature on the training split, and keep the best on the validation split.

    Of equally good rules the first is kept. Where the metric is not defined on the validation split (one
    class only, no rows), the training split decides.

    Args:
        frame: The training split's features.
        y: Its labels, as `constant` takes them.
        features: The columns to try.
        validation: The validation split's features.
        validation_y: Its labels.
        task: What kind of answer.
        metric: The specification's, by which rules are compared.

    Raises:
        DataError: There are no training rows or no features.
        SpecError: The task has no such metric.
    """
    if not len(y) or not features:
        raise DataError("There are no training rows or no features to fit a baseline on.")
    rules = [fit_rule(frame, y, feature) for feature in features]
    sign = 1 if METRICS.get(metric, True) else -1

    def merit(rule: Rule, rows: pd.DataFrame, labels: _Doubles) -> float | None:
        value = value_of(metric, task, **as_judged(task, labels, rule.predict(rows)))
        return None if value is None else sign * value

    for rows, labels in ((validation, validation_y), (frame, y)):
        merits = [merit(rule, rows, labels) for rule in rules]
        known = [one for one in merits if one is not None]
        if known:
            return BestRule(rules[merits.index(max(known))])
    return BestRule(rules[0])
