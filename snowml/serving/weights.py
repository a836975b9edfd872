"""What a fitted linear pipeline has learned, read into plain numbers."""

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from snowml.errors import DataError

LINEAR: Final = (LinearRegression, Ridge, Lasso, ElasticNet, LogisticRegression)


@dataclass(frozen=True, slots=True)
class NumberWeight:
    """A number's share of the sum: `(x - mean) / scale * weight`, or `missing` where there is no number.

    `limit` is the largest `abs(x - mean)` whose quotient is finite: scikit-learn refuses a row beyond it.
    """

    name: str
    mean: float
    scale: float
    weight: float
    missing: float
    limit: float


@dataclass(frozen=True, slots=True)
class CategoryWeight:
    """A category's share of the sum: by value, or `missing`; anything else, nothing."""

    name: str
    weights: dict[str, float]
    missing: float

    @property
    def matters(self) -> bool:
        """Whether any of it is not zero, as after a lasso it may be."""
        return bool(self.missing) or any(self.weights.values())


@dataclass(frozen=True, slots=True)
class Weights:
    """The sum that a linear model is."""

    intercept: float
    numbers: tuple[NumberWeight, ...]
    categories: tuple[CategoryWeight, ...]


def is_linear(pipeline: Pipeline) -> bool:
    """Whether it is a fitted linear pipeline with one answer: a value, or two classes."""
    model = pipeline.steps[-1][1]
    return isinstance(model, LINEAR) and np.size(getattr(model, "intercept_", ())) == 1


def read(pipeline: Pipeline) -> Weights:
    """The weights; DataError when training diverged and one of them is not finite."""
    prepare, model = pipeline.named_steps["prepare"], pipeline.named_steps["estimator"]
    weights = np.ravel(model.coef_).astype(float)
    intercept = float(np.ravel(model.intercept_)[0])
    if not np.isfinite(weights).all() or not math.isfinite(intercept):
        raise DataError("Training diverged: the model has weights that are not finite. Look at its inputs.")
    rest: Iterator[float] = iter(weights.tolist())
    numbers: tuple[NumberWeight, ...] = ()
    categories: tuple[CategoryWeight, ...] = ()
    for block, transformer, names in prepare.transformers_:
        if block == "numbers":
            numbers = tuple(_numbers(transformer, names, rest))
        elif block == "categories":
            categories = tuple(_categories(transformer, names, rest))
    return Weights(intercept, numbers, categories)


def _numbers(steps: Pipeline, names: list[str], weights: Iterator[float]) -> Iterator[NumberWeight]:
    medians = steps.steps[0][1].statistics_.tolist()
    scaler: StandardScaler = steps.steps[1][1]
    for name, median, mean, scale in zip(
        names, medians, scaler.mean_.tolist(), scaler.scale_.tolist(), strict=True
    ):
        weight = next(weights)
        # scikit-learn imputes an all-missing column with zeros.
        filled = 0.0 if math.isnan(median) else median
        yield NumberWeight(name, mean, scale, weight, (filled - mean) / scale * weight, _limit(scale))


def _categories(
    encoder: OneHotEncoder, names: list[str], weights: Iterator[float]
) -> Iterator[CategoryWeight]:
    for name, values in zip(names, encoder.categories_, strict=True):
        learned: dict[Any, float] = {value: next(weights) for value in values}
        missing = sum(learned.pop(value) for value in list(learned) if not isinstance(value, str))
        yield CategoryWeight(name, {str(value): weight for value, weight in learned.items()}, float(missing))


def _limit(scale: float) -> float:
    largest = sys.float_info.max
    if scale >= 1:
        return largest
    limit = largest * scale
    while math.isinf(limit / scale):
        limit = math.nextafter(limit, 0)
    while math.isfinite(math.nextafter(limit, math.inf) / scale):
        limit = math.nextafter(limit, math.inf)
    return limit
