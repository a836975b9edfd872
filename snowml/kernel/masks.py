"""Leaves of small trees by masks: the idea of QuickScorer and RapidScorer.

Each leaf of a tree is a bit, each test a mask without the leaves of its first subtree. The masks of a tree are cut into
planes of as many leaves as a code has bits, since a code is a lane of a vector: of 64 rows at once where there is
AVX-512 and codes are bytes. Forests whose trees have at most 64 leaves are scored so, and the tops of larger trees
(`walk`).
"""

from typing import Any, NamedTuple

import numpy as np

from snowml.kernel import loops
from snowml.kernel.encoding import Encoded, encode, starts
from snowml.kernel.forest import Array, Forest
from snowml.kernel.rows import Link, Place, Rule

MOST_LEAVES = 64
# Two bytes count a feature's thresholds.
MOST_THRESHOLDS = 65_535


class Tops(NamedTuple):
    """What part of each tree is scored by masks, of its nodes: all of it, or the nodes next to the root.

    Attributes:
        inner: (N,) which nodes are tested; what hangs below them are the top's leaves.
        begin: (N,) the first of a node's leaves, within its tree, where it is part of the top.
        leaves: (N,) how many there are.
        swapped: (N,) which nodes have their right child first.
    """

    inner: Array
    begin: Array
    leaves: Array
    swapped: Array


class Tests(NamedTuple):
    """What `loops.leaves_of` reads: tests by plane, planes by tree, tables of categories by tree."""

    lane: Array
    cut: Array
    mask: Array
    plane_start: Array
    tree_start: Array
    look_start: Array
    look_lane: Array
    table: Array
    table_start: Array


class Masks:
    """An engine for small trees."""

    def __init__(self, forest: Forest) -> None:
        self._base, self._output = np.array(forest.base), np.array(forest.output)
        top = tops(forest, forest.feature >= 0)
        encoded = encode(forest, top.swapped, np.uint8, loops.GRID)
        self._plan, self._lanes = encoded.plan, encoded.lanes
        self._tests = tests(forest, encoded, top, np.uint8)
        leaf = np.flatnonzero(forest.feature < 0)
        tree = np.searchsorted(forest.roots, leaf, side="right")
        self._values = np.array(forest.values[np.lexsort([top.begin[leaf], tree])].T, order="C")
        self._leaf_start = np.concatenate([[0], np.cumsum(forest.leaves)])
        trees = (self._lanes, self._output, self._leaf_start)
        self._arguments = (self._plan, self._tests, trees, self._values, self._base)

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
        loops.by_masks(matrix, *self._arguments, out)
        return out

    def answer(self, place: Place, rule: Rule, link: Link, out: Array, refused: Array) -> int:
        """See `loops.rows_by_masks`."""
        return int(loops.rows_by_masks(place, rule, link, self._arguments, out, refused))


def tops(forest: Forest, inner: Array) -> Tops:
    """The part of each tree whose tests are those of `inner`, which is closed towards the root."""
    nodes = len(forest.feature)
    found = Tops(inner, np.zeros(nodes, np.int64), np.zeros(nodes, np.int64), np.zeros(nodes, np.bool_))
    children = [np.array(part) for part in (forest.left, forest.right)]
    loops.leaf_ranges(*children, np.array(inner), np.array(forest.roots), *found[1:])
    return found


def tests(forest: Forest, encoded: Encoded, top: Tops, code: type[np.unsignedinteger[Any]]) -> Tests:
    """The tests of the trees' tops, with masks of as many bits as a code."""
    bits = 8 * np.dtype(code).itemsize
    leaves = top.leaves[forest.roots[:-1]]
    tree_start = np.concatenate([[0], np.cumsum(-(-leaves // bits))])
    first = np.where(top.swapped, forest.right, forest.left)
    compared = np.flatnonzero(top.inner & (forest.sets < 0))
    tree = np.searchsorted(forest.roots, compared, side="right") - 1
    # The first subtree's leaves are a range, which touches one plane or several: a test for each.
    low = top.begin[first[compared]]
    high = low + top.leaves[first[compared]]
    touched = (high - 1) // bits - low // bits + 1
    test = np.repeat(np.arange(len(compared)), touched)
    plane = low[test] // bits + np.arange(len(test)) - np.repeat(np.cumsum(touched) - touched, touched)
    start = np.maximum(low[test] - plane * bits, 0)
    end = np.minimum(high[test] - plane * bits, bits)
    mask = ((1 << bits) - 1) & ~((1 << end) - (1 << start))
    place = tree_start[tree[test]] + plane
    lane = encoded.lane[compared][test]
    order = np.lexsort([lane, place])
    looks = _looks(forest, encoded, top, first)
    return Tests(
        lane=lane[order].astype(np.uint16),
        cut=encoded.cut[compared][test][order].astype(code),
        mask=mask[order].astype(code),
        plane_start=np.searchsorted(place[order], np.arange(tree_start[-1] + 1)),
        tree_start=tree_start,
        look_start=np.searchsorted([tree for tree, _ in looks], np.arange(len(leaves) + 1)),
        look_lane=np.array([lane for _, lane in looks], dtype=np.int64),
        table=np.concatenate([*looks.values(), np.zeros(0, np.uint64)]),
        table_start=starts(list(looks.values())),
    )


def _looks(forest: Forest, encoded: Encoded, top: Tops, first: Array) -> dict[tuple[int, int], Array]:
    """By tree and lane of a category feature, in order: the leaves that each class leaves, over all of its nodes."""
    tables: dict[tuple[int, int], Array] = {}
    nodes = [node for node in sorted(encoded.sets) if top.inner[node]]
    for node, tree in zip(nodes, np.searchsorted(forest.roots, nodes, side="right") - 1, strict=True):
        left = encoded.sets[node]
        second = left if top.swapped[node] else ~left
        cleared = ((1 << int(top.leaves[first[node]])) - 1) << int(top.begin[first[node]])
        key = (int(tree), int(encoded.lane[node]))
        table = tables.setdefault(key, np.full(len(left), ~np.uint64(0)))
        table[second] &= ~np.uint64(cleared)
    return dict(sorted(tables.items()))
