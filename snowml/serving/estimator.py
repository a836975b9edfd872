"""A version's estimator as a vectorised function: an Arrow struct in, Arrow doubles, or lists of them, out.

This is the handler of a `VectorFunction`. NULL and NaN are one missing value. A row that the estimator
refuses, and no other, is answered with NULL: which numbers it refuses is probed once, at loading.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
from threadpoolctl import ThreadpoolController

from snowml.records import Signature
from snowml.registry.trusted import Artifact
from snowml.serving.answers import arrow
from snowml.serving.classes import check_classes, place_of_positive
from snowml.serving.inputs import inputs_for

# What this module and those of snowml that it needs import, by the names of the package index.
PACKAGES: Final = (
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "scikit-learn",
    "scipy",
    "skops",
    "threadpoolctl",
)
# Halfway between the largest float32 and the next power of two: from here on float32 is infinite.
FLOAT32_OVERFLOW: Final = 3.4028235677973366e38


def load(artifact: bytes) -> Callable[[pa.StructArray], pa.Array]:
    """The function of an `Artifact`'s bytes: a struct of the features, in order; an answer for each row.

    It answers a regression's value, or the probability of the positive class; of more than two classes, a list of the
    probabilities of all, in their order. The bytes are audited; whether
    they are the registered ones is for the caller to check.

    Raises:
        DataError: The artifact is not readable, not allowed, or has no such class.
    """
    return scorer(Artifact.loads(artifact))


def scorer(parts: Artifact) -> Callable[[pa.StructArray], pa.Array]:
    """The same of an artifact that is loaded.

    Raises:
        DataError: It has no such class.
    """
    signature, model = parts.signature, parts.pipeline.named_steps["estimator"]
    inputs = inputs_for(parts.pipeline.named_steps["prepare"], signature)
    answer = _answer(model, signature)
    numbers, largest = len(signature.numbers), _largest(model, len(signature.numbers))

    def predict(given: pa.StructArray) -> pa.Array:
        rows = len(given)
        if rows == 0:
            return pa.array([], pa.list_(pa.float64()) if signature.is_multiclass else pa.float64())
        # A sum that overflows is infinite, as in SQL; it is no reason for a warning to anyone.
        with _threads().limit(limits=1, user_api="openmp"), np.errstate(over="ignore", invalid="ignore"):
            prepared = inputs.matrix(given.flatten())
            accepted = _accepted(prepared[:, :numbers], largest)
            if accepted is None:
                return arrow(answer(prepared))
            values = np.zeros((rows, len(signature.classes)) if signature.is_multiclass else rows)
            if accepted.any():
                values[accepted] = answer(prepared[accepted])
            return arrow(values, ~accepted)

    return predict


@cache
def _threads() -> ThreadpoolController:
    # OpenMP's limit belongs to the calling thread, so that callers on several threads do not disturb each
    # other, as they would through the limit of a BLAS, which belongs to the process.
    return ThreadpoolController()


def _answer(model: Any, signature: Signature) -> Callable[[Any], Any]:
    if signature.task == "regression":
        return lambda prepared: model.predict(prepared)
    if signature.is_multiclass:
        check_classes(model, signature)
        return lambda prepared: np.ascontiguousarray(model.predict_proba(prepared), dtype=np.float64)
    column = place_of_positive(model, signature)
    return lambda prepared: model.predict_proba(prepared)[:, column]


def _largest(model: Any, numbers: int) -> float:
    """The largest number it answers: infinity, the largest double, or the largest that float32 can hold."""
    if numbers == 0 or _answers(model, np.inf):
        return np.inf
    if _answers(model, FLOAT32_OVERFLOW):
        return float(np.finfo(np.float64).max)
    return float(np.nextafter(FLOAT32_OVERFLOW, 0))


def _answers(model: Any, value: float) -> bool:
    row = np.zeros((1, model.n_features_in_))
    row[0, 0] = value
    try:
        with np.errstate(over="ignore"):
            model.predict(row)
    except ValueError:
        return False
    return True


def _accepted(numbers: Any, largest: float) -> Any:
    """Which rows it answers, as a mask; None for all of them."""
    if numbers.shape[1] == 0 or largest == np.inf:
        return None
    dense = numbers.toarray() if hasattr(numbers, "toarray") else numbers
    within = np.abs(dense) <= largest
    return None if within.all() else within.all(axis=1)
