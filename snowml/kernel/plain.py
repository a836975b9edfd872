"""Scoring in NumPy, tree by tree: slower, and to the bit the same. For where there is no numba, and to test against."""

import numpy as np

from snowml.kernel.forest import MISSING_LEFT, UNKNOWN_LEFT, Array, Forest


class Plain:
    """An engine without compiled code."""

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        self._leaf = np.cumsum(forest.feature < 0) - 1

    def raw(self, matrix: Array) -> Array:
        """The raw scores, (outputs, rows), of a matrix (features, rows)."""
        forest = self._forest
        numbers = as_compared(forest, matrix)
        sums = np.repeat(forest.base[:, None], matrix.shape[1], axis=1)
        width = forest.values.shape[1]
        for root, output in zip(forest.roots[:-1].tolist(), forest.output.tolist(), strict=True):
            leaf = self._leaf[self._walk(root, numbers)]
            sums[output : output + width] += forest.values[leaf].T
        return sums

    def _walk(self, root: int, numbers: Array) -> Array:
        """The leaf of each row, as a node."""
        forest = self._forest
        node = np.full(numbers.shape[1], root, dtype=np.int64)
        rows = np.arange(len(node)) if forest.feature[root] >= 0 else np.arange(0)
        while len(rows):
            at = node[rows]
            left = goes_left(forest, at, numbers[forest.feature[at], rows])
            node[rows] = np.where(left, forest.left[at], forest.right[at])
            rows = rows[forest.feature[node[rows]] >= 0]
        return node


def as_compared(forest: Forest, matrix: Array) -> Array:
    """The numbers as the library compares them."""
    if forest.single:
        with np.errstate(over="ignore"):
            matrix = matrix.astype(np.float32).astype(np.float64)
    if forest.zero >= 0.0:
        matrix = np.where(np.abs(matrix) <= forest.zero, 0.0, matrix)
    return matrix


def goes_left(forest: Forest, node: Array, x: Array) -> Array:
    """Which of some numbers, as they are compared, go left at their nodes."""
    threshold = forest.threshold[node]
    left = x < threshold if forest.strict else x <= threshold
    by_category = np.flatnonzero(forest.sets[node] >= 0)
    left[by_category] = _category_left(forest, node[by_category], x[by_category])
    missing = np.isnan(x)
    left[missing] = forest.flags[node[missing]] & MISSING_LEFT != 0
    return np.asarray(left)


def _category_left(forest: Forest, node: Array, x: Array) -> Array:
    feature = forest.feature[node]
    value = x if forest.rounding == "exact" else np.trunc(x) if forest.rounding == "truncate" else np.floor(x)
    inside = (value >= 0) & (value < forest.categories[feature]) & (value == np.floor(value))
    code = np.where(inside, value, 0).astype(np.int64)
    known = inside & _bits(forest.known, forest.known_starts[feature], code)
    unknown_left = forest.flags[node] & UNKNOWN_LEFT != 0
    return np.where(known, _bits(forest.words, forest.sets[node], code), unknown_left)


def _bits(words: Array, start: Array, code: Array) -> Array:
    found = words[start + (code >> 5)] >> (code & 31).astype(np.uint32) & np.uint32(1)
    return np.asarray(found != 0)
