"""Scoring of larger trees: their tops by masks, and from there a walk from node to node.

Masks make all tests of a tree for every row, which is the faster way only where trees are small; a walk makes one at a
time, each of which waits for the one before. So the tests next to the root are made by masks, where five levels of them
cost what a step or two of a walk does, and the others by rows that walk side by side.
"""

from typing import Final, NamedTuple

import numpy as np

from snowml.kernel import loops
from snowml.kernel.encoding import Encoded, encode
from snowml.kernel.forest import Array, Forest
from snowml.kernel.masks import tests, tops
from snowml.kernel.rows import Link, Place, Rule

# Two planes: more cost on AVX2 what they save on AVX-512.
TOP_LEAVES: Final = 32


class Trees(NamedTuple):
    """What `loops.by_walk` reads below the tops: a node's test as one number, `lane | cut << 16 | left child << 32`.

    Attributes:
        lane_count: How many lanes there are.
        output: (T,) the first output of a tree.
        entry: The nodes that hang from the tops, by tree and leaf of its top.
        entry_start: (T + 1,) where a tree's begin.
        steps: (T,) the longest way from there to a leaf.
        node: (N,) the tests.
        set_at: Where the bits of a category node begin, negative for others; empty where there is no such node.
        words: The bits of the classes that go right.
    """

    lane_count: int
    output: Array
    entry: Array
    entry_start: Array
    steps: Array
    node: Array
    set_at: Array
    words: Array


class Walk:
    """An engine for trees of any size."""

    def __init__(self, forest: Forest) -> None:
        self._base = np.array(forest.base)
        height = np.zeros(len(forest.feature), np.int64)
        nodes_of = (forest.left, forest.right, forest.feature)
        loops.heights(*(np.array(part) for part in nodes_of), height)
        top = tops(forest, _highest(forest, height))
        encoded = encode(forest, top.swapped, np.uint16, loops.GRID)
        self._plan = encoded.plan
        self._tests = tests(forest, encoded, top, np.uint16)
        place = _paired(forest)
        hanging = _hanging(forest, top.inner)
        tree = np.searchsorted(forest.roots, hanging, side="right") - 1
        order = np.lexsort([top.begin[hanging], tree])
        entry_start = np.searchsorted(tree[order], np.arange(len(forest.output) + 1))
        self._trees = Trees(
            encoded.lanes,
            np.array(forest.output),
            place[hanging[order]].astype(np.uint64),
            entry_start,
            np.maximum.reduceat(height[hanging[order]], entry_start[:-1]),
            _nodes(forest, encoded, place),
            *_sets(encoded, place, top.inner),
        )
        # By node, so that a walk's end needs no second look-up.
        self._values = np.zeros((forest.values.shape[1], len(place)), forest.values.dtype)
        self._values[:, place[forest.feature < 0]] = forest.values.T
        self._arguments = (self._plan, self._tests, self._trees, self._values, self._base)

    def raw(self, matrix: Array) -> Array:
        """The raw scores, (outputs, rows), of a matrix (features, rows)."""
        out = np.empty((len(self._base), matrix.shape[1]), self._base.dtype)
        loops.by_walk(matrix, *self._arguments, out)
        return out

    def answer(self, place: Place, rule: Rule, link: Link, out: Array, refused: Array) -> int:
        """See `loops.rows_by_walk`."""
        return int(loops.rows_by_walk(place, rule, link, self._arguments, out, refused))


def _highest(forest: Forest, height: Array) -> Array:
    """(N,) the inner nodes of each tree's top: those with the longest ways below them, so that what is left is short.

    A parent is higher than its children, so that what is chosen is closed towards the root.
    """
    tree = np.repeat(np.arange(len(forest.output)), np.diff(forest.roots))
    order = np.lexsort([-height, tree])
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - forest.roots[tree]
    return (forest.feature >= 0) & (rank < TOP_LEAVES - 1)


def _hanging(forest: Forest, top: Array) -> Array:
    """The nodes below the tops: children of a node in one that are not in it, and roots where there is none."""
    children = np.concatenate([forest.left[top], forest.right[top], forest.roots[:-1]])
    return np.sort(children[~top[children]])


def _nodes(forest: Forest, encoded: Encoded, place: Array) -> Array:
    inner = forest.feature >= 0
    # A leaf's test always says left, and its left child is itself.
    child = np.where(inner, place[np.where(inner, forest.left, 0)], place).astype(np.uint64)
    test = encoded.lane.astype(np.uint64) | encoded.cut.astype(np.uint64) << np.uint64(16)
    node = np.empty(len(place), np.uint64)
    node[place] = test | child << np.uint64(32)
    return node


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


def _sets(encoded: Encoded, place: Array, top: Array) -> tuple[Array, Array]:
    """Where the bits of each category node below the tops begin, and the bits of the classes that go right."""
    at, words, total = {}, [np.zeros(0, np.uint32)], 0
    for node, left in encoded.sets.items():
        if top[node]:
            continue
        right = np.zeros(-(-len(left) // 32) * 32, np.bool_)
        right[: len(left)] = ~left
        words.append(np.packbits(right, bitorder="little").view("<u4").astype(np.uint32))
        at[node] = total
        total += len(words[-1])
    set_at = np.full(len(place) if at else 0, -1, np.int64)
    set_at[place[list(at)]] = list(at.values())
    return set_at, np.concatenate(words)
