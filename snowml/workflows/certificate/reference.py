"""What scikit-learn answers, row by row: the answers that every way of serving a version must give."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from snowml.errors import DataError
from snowml.registry.trusted import Artifact
from snowml.training.fitting import answer

# Refused rows lie together; of a few that are refused each is asked on its own.
_FEW: Final = 4


@dataclass(frozen=True, slots=True)
class Reference:
    """Answers of scikit-learn.

    Attributes:
        labels: (rows,) None where the row is refused, or no class has a probability; a regression's values.
        scores: (rows,) NaN where the row is refused; of more than two classes, (rows, classes).
        refused: (rows,).
        reason: Why, for one of the refused rows.
    """

    labels: NDArray[np.object_]
    scores: NDArray[np.float64]
    refused: NDArray[np.bool_]
    reason: str = ""


def reference(artifact: Artifact, frame: pd.DataFrame) -> Reference:
    """Its answers to a frame of features.

    A batch is refused for the sake of one row, whatever the reason: halves are asked until the row stands alone.
    """
    order = _by_size(frame)
    labels: NDArray[np.object_] = np.full(len(frame), None, dtype=object)
    scores = np.full(len(frame), np.nan)
    refused, reason = np.zeros(len(frame), dtype=bool), ""
    pending = [(0, len(frame))] if len(frame) else []
    while pending:
        start, end = pending.pop()
        rows = order[start:end]
        try:
            # Where others use the processor too, its threads would wait for each other at every tree.
            with np.errstate(all="ignore"), _threads().limit(limits=1, user_api="openmp"):
                labels[rows], found = answer(artifact, frame.iloc[rows])
            if found.ndim > scores.ndim:
                # The first answer tells how many classes there are.
                scores = np.full((len(frame), found.shape[1]), np.nan)
            scores[rows] = found
        except ValueError as error:
            if end - start == 1:
                refused[rows], reason = True, str(error)
                continue
            steps = range(start, end) if end - start <= _FEW else (start, (start + end) // 2)
            pending += [(one, min(end, two)) for one, two in zip(steps, [*steps[1:], end], strict=True)]
    if scores.ndim == 2:
        # Where a sum overflows, no class has a probability: argmax would name the first, which is no answer.
        labels[np.isnan(scores).any(axis=1)] = None
    return Reference(labels, scores, refused, reason)


@cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()


def require_answers(found: Reference, what: str) -> None:
    """Refuse to compare with nothing.

    Raises:
        DataError: scikit-learn refuses every row.
    """
    if found.refused.all():
        raise DataError(
            f"scikit-learn refuses every row of {what}, so nothing can be compared: {found.reason}"
        )


def _by_size(frame: pd.DataFrame) -> NDArray[np.int64]:
    """An order in which the rows that are likely to be refused, of infinite or huge numbers, lie together."""
    numbers: Any = frame.select_dtypes("number").to_numpy(dtype=np.float64)
    if not numbers.shape[1]:
        return np.arange(len(frame))
    return np.argsort(np.nan_to_num(np.abs(numbers), nan=0.0, posinf=np.inf).max(axis=1), kind="stable")
