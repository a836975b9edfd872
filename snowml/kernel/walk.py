"""Scoring by walking from node to node, for forests with larger trees: masks would make all tests of a tree."""

from typing import NamedTuple

import numpy as np

from snowml.kernel import loops
from snowml.kernel.encoding import Encoded, encode
from snowml.kernel.forest import Array, Forest


class Trees(NamedTuple):
    """What `loops.by_walk` reads: a node's test as one number, `lane | cut << 16 | left child << 32`."""

    lane_count: int
    root: Array
    output: Array
    node: Array
    leaf_of: Array
    set_at: Array
    words: Array


class Walk:
    """An engine for trees of any size."""

    def __init__(self, forest: Forest) -> None:
        self._base, self._values = np.array(forest.base), np.array(forest.values.T, order="C")
        encoded = encode(forest, np.zeros(len(forest.feature), np.bool_), np.uint16, loops.GRID)
        self._plan = encoded.plan
        self._trees = _trees(forest, encoded)

    def raw(self, matrix: Array) -> Array:
        """The raw scores, (outputs, rows), of a matrix (features, rows)."""
        out = np.empty((len(self._base), matrix.shape[1]), self._base.dtype)
        loops.by_walk(matrix, self._plan, self._trees, self._values, self._base, out)
        return out


def _trees(forest: Forest, encoded: Encoded) -> Trees:
    place = _paired(forest)
    inner = forest.feature >= 0
    child = np.where(inner, place[np.where(inner, forest.left, 0)], place).astype(np.uint64)
    test = encoded.lane.astype(np.uint64) | encoded.cut.astype(np.uint64) << np.uint64(16)
    node = np.empty(len(place), np.uint64)
    node[place] = test | child << np.uint64(32)
    leaf_of = np.zeros(len(place), np.int64)
    leaf_of[place[~inner]] = np.arange(len(forest.values))
    set_at, words = _sets(encoded)
    placed = np.full(len(place) if len(words) else 0, -1, np.int64)
    placed[place[list(set_at)]] = list(set_at.values())
    return Trees(
        encoded.lanes, np.array(forest.roots[:-1]), np.array(forest.output), node, leaf_of, placed, words
    )


def _paired(forest: Forest) -> Array:
    """A new place for each node, where each right child is next to its left one."""
    inner = np.flatnonzero(forest.feature >= 0)
    tree = np.searchsorted(forest.roots, inner, side="right") - 1
    before = np.searchsorted(inner, forest.roots[:-1])
    pair = forest.roots[tree] + 1 + 2 * (np.arange(len(inner)) - before[tree])
    place = np.zeros(len(forest.feature), np.int64)
    place[forest.roots[:-1]] = forest.roots[:-1]
    place[forest.left[inner]] = pair
    place[forest.right[inner]] = pair + 1
    return place


def _sets(encoded: Encoded) -> tuple[dict[int, int], Array]:
    """Where each category node's bits begin, and the bits of the classes that go right."""
    at, words, total = {}, [np.zeros(0, np.uint32)], 0
    for node, left in encoded.sets.items():
        right = np.zeros(-(-len(left) // 32) * 32, np.bool_)
        right[: len(left)] = ~left
        words.append(np.packbits(right, bitorder="little").view("<u4").astype(np.uint32))
        at[node] = total
        total += len(words[-1])
    return at, np.concatenate(words)
