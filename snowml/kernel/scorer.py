"""A forest that scores: the engine that suits it, the rows that its library refuses, its link."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from snowml.kernel.encoding import TooManyLanes
from snowml.kernel.forest import ALL, Array, Forest
from snowml.kernel.links import answer
from snowml.kernel.plain import Plain


class _Engine(Protocol):
    def raw(self, matrix: Array) -> Array: ...


class Scorer:
    """Scores matrices of doubles, one row of the matrix for each feature, NaN for missing. Threads may share it."""

    def __init__(self, forest: Forest, engine: Callable[[Forest], _Engine] | None = None) -> None:
        self.forest = forest
        self._engine = _engine(forest) if engine is None else engine(forest)

    def raw(self, matrix: Array) -> Array:
        """The raw scores, (outputs, rows), of a matrix (features, rows) of doubles.

        Raises:
            ValueError: The matrix has another shape or type.
        """
        wanted = self.forest.features
        if matrix.dtype != np.float64 or matrix.ndim != 2 or len(matrix) != wanted:
            raise ValueError(
                f"A matrix of {wanted} rows of doubles is needed, not {matrix.shape} of {matrix.dtype}."
            )
        # A matrix of another kind, even one that is read only, would be compiled for anew.
        return self._engine.raw(np.require(matrix, requirements=("C", "W")))

    def answers(self, matrix: Array) -> Array:
        """The answers, (answers, rows): values, or probabilities of the classes."""
        found: Array = answer(self.forest.link, self.raw(matrix), self.forest.factor)
        return found

    def predict(self, matrix: Array) -> Array:
        """(rows,) the answer that a prediction function gives, as doubles; meaningless where it is `refused`.

        (rows, answers) where it gives all of them.
        """
        if self.forest.pick == ALL:
            return np.ascontiguousarray(self.answers(matrix).T, dtype=np.float64)
        return np.asarray(self.answers(matrix)[self.forest.pick], dtype=np.float64)

    def refused(self, matrix: Array) -> Array | None:
        """(rows,) which rows the library would refuse; None where none."""
        return refused(self.forest, matrix)


def refused(forest: Forest, matrix: Array) -> Array | None:
    """(rows,) which rows of a matrix (features, rows) a forest's library would refuse; None where none."""
    limited = np.flatnonzero(forest.limits < np.inf)
    found: Array = np.any(np.abs(matrix[limited]) > forest.limits[limited, None], axis=0)
    if not forest.takes_missing:
        found |= np.isnan(matrix).any(axis=0)
    return found if found.any() else None


def _engine(forest: Forest) -> _Engine:
    """Masks, or a walk where trees are large; without numba, NumPy."""
    try:
        from snowml.kernel.masks import Masks
        from snowml.kernel.walk import Walk
    except ImportError:
        return Plain(forest)
    try:
        return Masks(forest) if Masks.takes(forest) else Walk(forest)
    except TooManyLanes:
        return Plain(forest)
