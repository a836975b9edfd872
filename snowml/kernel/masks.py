"""Scoring by masks, for forests whose trees have at most 64 leaves: the idea of QuickScorer and RapidScorer.

Each leaf of a tree is a bit, each test a mask without the leaves of its first subtree. The masks of a tree are cut into
planes of eight leaves, since eight bits are a lane of a vector: 64 rows at once where there is AVX-512.
"""

from typing import NamedTuple

import numpy as np

from snowml.kernel import loops
from snowml.kernel.encoding import Encoded, encode, starts
from snowml.kernel.forest import Array, Forest

MOST_LEAVES = 64
# Two bytes count a feature's thresholds.
MOST_THRESHOLDS = 65_535
_PLANE = 8


class Trees(NamedTuple):
    """What `loops.by_masks` reads: tests by plane, planes by tree, category sets by tree."""

    lane_count: int
    lane: Array
    cut: Array
    mask: Array
    plane_start: Array
    tree_start: Array
    output: Array
    leaf_start: Array
    most_sets: int
    set_start: Array
    set_source: Array
    set_begin: Array
    set_cut: Array
    set_cut_start: Array


class Masks:
    """An engine for small trees."""

    def __init__(self, forest: Forest) -> None:
        self._base = np.array(forest.base)
        nodes = len(forest.feature)
        begin, count, swapped = (
            np.zeros(nodes, np.int64),
            np.zeros(nodes, np.int64),
            np.zeros(nodes, np.bool_),
        )
        nodes_of = [np.array(part) for part in (forest.left, forest.right, forest.feature, forest.roots)]
        loops.leaf_ranges(*nodes_of, begin, count, swapped)
        encoded = encode(forest, swapped, np.uint8, loops.GRID)
        self._plan = encoded.plan
        self._trees = _trees(forest, encoded, begin, count, swapped)
        leaf = np.flatnonzero(forest.feature < 0)
        tree = np.searchsorted(forest.roots, leaf, side="right")
        self._values = np.array(forest.values[np.lexsort([begin[leaf], tree])].T, order="C")

    @staticmethod
    def takes(forest: Forest) -> bool:
        """Whether its trees are small enough, and no feature has too many categories or thresholds for its codes."""
        most = forest.categories.max()
        compared = np.bincount(forest.feature[forest.feature >= 0], minlength=1)
        return bool(
            forest.leaves.max() <= MOST_LEAVES
            and most <= np.iinfo(np.uint8).max - 1
            and compared.max() <= MOST_THRESHOLDS
        )

    def raw(self, matrix: Array) -> Array:
        """The raw scores, (outputs, rows), of a matrix (features, rows)."""
        out = np.empty((len(self._base), matrix.shape[1]), self._base.dtype)
        loops.by_masks(matrix, self._plan, self._trees, self._values, self._base, out)
        return out


def _trees(forest: Forest, encoded: Encoded, begin: Array, count: Array, swapped: Array) -> Trees:
    inner = np.flatnonzero(forest.feature >= 0)
    tree = np.searchsorted(forest.roots, inner, side="right") - 1
    leaves = forest.leaves
    tree_start = np.concatenate([[0], np.cumsum(-(-leaves // _PLANE))])
    set_start, set_lane, runs = _sets(forest, encoded, swapped, inner, tree)
    by_set = forest.sets[inner] >= 0
    lane = np.where(by_set, set_lane, encoded.lane[inner])
    cut = np.where(by_set, 0, encoded.cut[inner])
    # The first subtree's leaves are a range, which touches one plane or several: a test for each.
    first = np.where(swapped[inner], forest.right[inner], forest.left[inner])
    low, high = begin[first], begin[first] + count[first]
    touched = (high - 1) // _PLANE - low // _PLANE + 1
    test = np.repeat(np.arange(len(inner)), touched)
    plane = low[test] // _PLANE + np.arange(len(test)) - np.repeat(np.cumsum(touched) - touched, touched)
    start = np.maximum(low[test] - plane * _PLANE, 0)
    end = np.minimum(high[test] - plane * _PLANE, _PLANE)
    mask = 255 & ~((1 << end) - (1 << start))
    place = tree_start[tree[test]] + plane
    order = np.lexsort([lane[test], place])
    return Trees(
        lane_count=encoded.lanes,
        lane=lane[test][order].astype(np.uint16),
        cut=cut[test][order].astype(np.uint8),
        mask=mask[order].astype(np.uint8),
        plane_start=np.searchsorted(place[order], np.arange(tree_start[-1] + 1)),
        tree_start=tree_start,
        output=np.array(forest.output),
        leaf_start=np.concatenate([[0], np.cumsum(leaves)]),
        most_sets=int(np.diff(set_start).max()),
        set_start=set_start,
        set_source=encoded.lane[inner[by_set]],
        set_begin=np.array([begins for begins, _ in runs], dtype=np.uint8),
        set_cut=np.concatenate([*(cuts for _, cuts in runs), np.zeros(0)]).astype(np.uint8),
        set_cut_start=starts([cuts for _, cuts in runs]),
    )


def _sets(
    forest: Forest, encoded: Encoded, swapped: Array, inner: Array, tree: Array
) -> tuple[Array, Array, list[tuple[int, Array]]]:
    """Where each tree's sets begin, each test's lane behind those of the plan, and each set's runs.

    The lane of a set is 255 where the row does not enter the first subtree. Every tree uses the same lanes again.
    """
    by_set = forest.sets[inner] >= 0
    per_tree = np.bincount(tree[by_set], minlength=len(forest.output))
    set_start = np.concatenate([[0], np.cumsum(per_tree)])
    rank = np.cumsum(by_set) - by_set - set_start[tree]
    runs = []
    for node in inner[by_set].tolist():
        second = encoded.sets[node] if swapped[node] else ~encoded.sets[node]
        runs.append((255 * int(second[0]), np.flatnonzero(second[1:] != second[:-1])))
    return set_start, encoded.lanes + rank, runs
