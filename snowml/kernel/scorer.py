"""A forest that scores: the engine that suits it, the rows that its library refuses, its link."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np

from snowml.kernel.encoding import TooManyLanes
from snowml.kernel.forest import ALL, Array, Forest
from snowml.kernel.links import BY_OUTPUT, COMPILED, answer
from snowml.kernel.plain import Plain
from snowml.kernel.rows import Link, Place, Rule, matrix_of, refusals, rule_of


class _Engine(Protocol):
    def raw(self, matrix: Array) -> Array: ...


@runtime_checkable
class _Compiled(Protocol):
    """An engine that reads rows where they lie, and answers, in one call."""

    def answer(self, place: Place, rule: Rule, link: Link, out: Array, refused: Array) -> int: ...


class Scorer:
    """Scores matrices of doubles, one row of the matrix for each feature, NaN for missing. Threads may share it."""

    def __init__(self, forest: Forest, engine: Callable[[Forest], _Engine] | None = None) -> None:
        self.forest = forest
        self._make = engine or _engine

    def raw(self, matrix: Array) -> Array:
        """The raw scores, (outputs, rows), of a matrix (features, rows) of doubles.

        Raises:
            ValueError: The matrix has another shape or type.
        """
        return self._engine.raw(self._checked(matrix))

    def _checked(self, matrix: Array) -> Array:
        wanted = self.forest.features
        if matrix.dtype != np.float64 or matrix.ndim != 2 or len(matrix) != wanted:
            raise ValueError(
                f"A matrix of {wanted} rows of doubles is needed, not {matrix.shape} of {matrix.dtype}."
            )
        # A matrix of another kind, even one that is read only, would be compiled for anew.
        return np.require(matrix, requirements=("C", "W"))

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
        engine, pick = self._picking
        raw = engine.raw(self._checked(matrix))
        return np.asarray(answer(self.forest.link, raw, self.forest.factor)[pick], dtype=np.float64)

    # Made when they are first asked for: a prediction function needs but one of the two.
    @cached_property
    def _engine(self) -> _Engine:
        return self._make(self.forest)

    @cached_property
    def _picking(self) -> tuple[_Engine, int]:
        """What gives the picked answer, and where among its answers that is."""
        alone = _alone(self.forest)
        return (self._engine, self.forest.pick) if alone is None else (self._make(alone), 0)

    def at(self, place: Place, rows: int) -> tuple[Array, Array | None]:
        """What `predict` answers of rows where they lie, and which of them are refused; None where none is.

        Raises:
            ValueError: These are no doubles, or there are more or fewer columns.
        """
        if self._together is None:
            matrix, refused = matrix_of(place, self._rule, rows)
            return self.predict(matrix), refused
        engine, link = self._together
        out, refused = np.empty(rows), np.empty(rows, np.bool_)
        some = engine.answer(place, self._rule, link, out, refused)
        return out, refusals(some, refused, self.forest.features)

    @cached_property
    def _rule(self) -> Rule:
        return rule_of(self.forest)

    @cached_property
    def _together(self) -> tuple[_Compiled, Link] | None:
        """What answers in one call; None where more than one answer is wanted, or the link is not compiled."""
        if self.forest.pick == ALL or self.forest.link not in COMPILED:
            return None
        engine, pick = self._picking
        if not isinstance(engine, _Compiled):
            return None
        return engine, (COMPILED[self.forest.link], self.forest.factor, pick)

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


def _alone(forest: Forest) -> Forest | None:
    """The forest with the picked output only, where no other has a part in its answer; None where that is all of it.

    A classifier's leaf adds to every class: to sum but one saves the others' look-ups.
    """
    if forest.values.shape[1] == 1 or forest.link not in BY_OUTPUT:
        return None
    # Leaves of several values that begin at different outputs: no library has them.
    if forest.output.any() or forest.values.shape[1] != len(forest.base):
        return None
    one = slice(forest.pick, forest.pick + 1)
    return replace(forest, values=np.array(forest.values[:, one]), base=np.array(forest.base[one]), pick=0)


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
