"""From raw scores to answers, in each library's own arithmetic: its exponential, its type, its order of summation.

scikit-learn's `expit` and LightGBM call the C library's exponential, as numba and Python's `math` do; scikit-learn's
log link and softmax call NumPy's, which is another one on many processors. XGBoost works in float32.
"""

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import numpy as np

from snowml.kernel.forest import Array

# (outputs, rows) and a parameter; gives (answers, rows).
Link = Callable[[Array, float], Array]


@cache
def _compiled() -> Any:
    """The compiled loops; None without numba."""
    # Not at the top: numba takes a second to import, and who only reads a forest needs none of it.
    try:
        from snowml.kernel import loops
    except ImportError:
        return None
    return loops


def libm_exp(values: Array) -> None:
    """Replace each by its exponential, as the C library has it."""
    loops = _compiled()
    if loops is not None:
        loops.exp(values)
        return
    flat = values.reshape(-1)
    # From there on it is infinite, which is an error to `math`.
    flat[:] = [math.exp(value) if value < 709.79 else math.inf for value in flat.tolist()]


def _identity(raw: Array, factor: float) -> Array:
    return raw


def _divide(raw: Array, factor: float) -> Array:
    return raw / factor


def _log(raw: Array, factor: float) -> Array:
    return np.exp(raw)


def _logit(raw: Array, factor: float) -> Array:
    # LightGBM multiplies by its `sigmoid`, exponential loss by 2; by 1 nothing changes.
    loops = _compiled()
    if loops is not None:
        answers = np.empty((2 * len(raw), raw.shape[1]))
        loops.logit(raw, factor, answers)
        return answers
    positive = -factor * raw
    libm_exp(positive)
    positive += 1.0
    np.divide(1.0, positive, out=positive)
    return np.concatenate([1.0 - positive, positive])


def _softmax_by_column(raw: Array, factor: float) -> Array:
    return _softmax(np.array(raw.T, order="F"))


def _softmax_by_row(raw: Array, factor: float) -> Array:
    return _softmax(np.array(raw.T, order="C"))


def _softmax(scores: Array) -> Array:
    # The layout decides in which order NumPy adds.
    scores -= scores.max(axis=1)[:, None]
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1)[:, None]
    return np.ascontiguousarray(scores.T)


def _lightgbm_log(raw: Array, factor: float) -> Array:
    answer = np.array(raw, order="C")
    libm_exp(answer)
    return answer


def _lightgbm_each(raw: Array, factor: float) -> Array:
    return _logit(raw, factor)[len(raw) :]


def _lightgbm_softmax(raw: Array, factor: float) -> Array:
    scores = raw - raw.max(axis=0)
    libm_exp(scores)
    return np.asarray(scores / _added(scores))


def _xgboost_logit(raw: Array, factor: float) -> Array:
    positive = np.minimum(-raw, np.float32(88.7))
    libm_exp(positive)
    positive += np.float32(1.0)
    positive += np.float32(1e-16)
    np.divide(np.float32(1.0), positive, out=positive)
    return np.concatenate([np.float32(1.0) - positive, positive])


def _xgboost_softmax(raw: Array, factor: float) -> Array:
    scores = raw - raw.max(axis=0)
    libm_exp(scores)
    return np.asarray(scores / _added(scores.astype(np.float64)).astype(np.float32))


def _added(scores: Array) -> Array:
    """The sum over the outputs, in their order."""
    total = np.zeros(scores.shape[1], scores.dtype)
    for row in scores:
        total += row
    return total


LINKS: Final[Mapping[str, Link]] = {
    "identity": _identity,
    "divide": _divide,
    "log": _log,
    "logit": _logit,
    "softmax_by_column": _softmax_by_column,
    "softmax_by_row": _softmax_by_row,
    "lightgbm_log": _lightgbm_log,
    "lightgbm_each": _lightgbm_each,
    "lightgbm_softmax": _lightgbm_softmax,
    "xgboost_logit": _xgboost_logit,
    "xgboost_log": _lightgbm_log,
    "xgboost_softmax": _xgboost_softmax,
}

# Links that are compiled together with the scoring, by their number in `loops`.
COMPILED: Final[Mapping[str, int]] = {"identity": 0, "divide": 1, "logit": 2, "xgboost_logit": 3}

# Links whose answer of an output is that of its own score alone, with nothing of the other outputs.
BY_OUTPUT: Final = frozenset({"identity", "divide"})


def answers_of(link: str, outputs: int) -> int:
    """How many answers a link gives: two probabilities for one logit."""
    return 2 * outputs if link in ("logit", "xgboost_logit") else outputs


def answer(link: str, raw: Array, factor: float) -> Any:
    """The answers of raw scores, (answers, rows)."""
    with np.errstate(over="ignore", under="ignore"):
        return LINKS[link](raw, factor)
