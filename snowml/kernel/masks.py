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
    """What `loops.by_masks` reads: tests by plane, planes by tree, tables of categories by tree."""

    lane_count: int
    lane: Array
    cut: Array
    mask: Array
    plane_start: Array
    tree_start: Array
    output: Array
    leaf_start: Array
    look_start: Array
    look_lane: Array
    table: Array
    table_start: Array


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
    leaves = forest.leaves
    tree_start = np.concatenate([[0], np.cumsum(-(-leaves // _PLANE))])
    first = np.where(swapped, forest.right, forest.left)
    compared = np.flatnonzero((forest.feature >= 0) & (forest.sets < 0))
    tree = np.searchsorted(forest.roots, compared, side="right") - 1
    # The first subtree's leaves are a range, which touches one plane or several: a test for each.
    low = begin[first[compared]]
    high = low + count[first[compared]]
    touched = (high - 1) // _PLANE - low // _PLANE + 1
    test = np.repeat(np.arange(len(compared)), touched)
    plane = low[test] // _PLANE + np.arange(len(test)) - np.repeat(np.cumsum(touched) - touched, touched)
    start = np.maximum(low[test] - plane * _PLANE, 0)
    end = np.minimum(high[test] - plane * _PLANE, _PLANE)
    mask = 255 & ~((1 << end) - (1 << start))
    place = tree_start[tree[test]] + plane
    lane = encoded.lane[compared][test]
    order = np.lexsort([lane, place])
    looks = _looks(forest, encoded, begin[first], count[first], swapped)
    return Trees(
        lane_count=encoded.lanes,
        lane=lane[order].astype(np.uint16),
        cut=encoded.cut[compared][test][order].astype(np.uint8),
        mask=mask[order].astype(np.uint8),
        plane_start=np.searchsorted(place[order], np.arange(tree_start[-1] + 1)),
        tree_start=tree_start,
        output=np.array(forest.output),
        leaf_start=np.concatenate([[0], np.cumsum(leaves)]),
        look_start=np.searchsorted([tree for tree, _ in looks], np.arange(len(leaves) + 1)),
        look_lane=np.array([lane for _, lane in looks], dtype=np.int64),
        table=np.concatenate([*looks.values(), np.zeros(0, np.uint64)]),
        table_start=starts(list(looks.values())),
    )


def _looks(
    forest: Forest, encoded: Encoded, begin: Array, count: Array, swapped: Array
) -> dict[tuple[int, int], Array]:
    """By tree and lane of a category feature, in order: the leaves that each class leaves, over all of its nodes."""
    tables: dict[tuple[int, int], Array] = {}
    nodes = sorted(encoded.sets)
    for node, tree in zip(nodes, np.searchsorted(forest.roots, nodes, side="right") - 1, strict=True):
        left = encoded.sets[node]
        second = left if swapped[node] else ~left
        cleared = ((1 << int(count[node])) - 1) << int(begin[node])
        key = (int(tree), int(encoded.lane[node]))
        table = tables.setdefault(key, np.full(len(left), ~np.uint64(0)))
        table[second] &= ~np.uint64(cleared)
    return dict(sorted(tables.items()))
