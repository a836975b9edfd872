"""Numbers as small codes: the plan by which `loops.encode` turns a block of rows into lanes of them.

A test `x <= threshold` is the same as `code <= cut`, where the code counts the feature's thresholds that x is beyond. A
lane is a row of codes for one feature. A feature has several where its tests need them: NaN beyond all thresholds or
before all (a node's learned direction), upside down (a test whose right side is cleared), and windows of thresholds,
when it has more of them than a code has values. So no test needs more than one comparison.

A category's code is its class: categories that no node tells apart share one.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from snowml.kernel.forest import MISSING_LEFT, UNKNOWN_LEFT, Array, Forest, words_for

ROUNDINGS = ("exact", "truncate", "floor")


# The number of a lane has two bytes.
MOST_LANES: Final = 65_000


class TooManyLanes(ValueError):
    """The forest has more features than these codes are made for."""


class Encoding(NamedTuple):
    """The plan: arrays of one item for each used feature, and of one for each lane."""

    strict: bool
    single: bool
    zero: float
    most: int
    rounding: int
    feature: Array
    is_category: Array
    cuts: Array
    cut_start: Array
    low: Array
    scale: Array
    grid: Array
    steps: Array
    lane_start: Array
    window: Array
    upside_down: Array
    missing_beyond: Array
    table: Array
    table_start: Array
    unknown: Array
    missing: Array


class Encoded(NamedTuple):
    """A plan, and every node's test in its terms.

    Attributes:
        plan: The plan.
        lane: (N,) the lane that a node looks at.
        cut: (N,) it goes to the second child where the code is greater.
        sets: For each category node, by its number, the classes that go left.
    """

    plan: Encoding
    lane: Array
    cut: Array
    sets: dict[int, Array]

    @property
    def lanes(self) -> int:
        """How many lanes there are."""
        return int(self.plan.lane_start[-1])


def encode(forest: Forest, swapped: Array, dtype: type[np.unsignedinteger[Any]], grid: int) -> Encoded:
    """The plan for a forest, with codes of a type.

    Args:
        forest: The forest.
        swapped: (N,) which nodes have their right child first.
        dtype: The type of a code.
        grid: How many cells guess a number's place.
    """
    node = np.flatnonzero(forest.feature >= 0)
    used, which = np.unique(forest.feature[node], return_inverse=True)
    build = _Lanes(forest, dtype, grid)
    lane, cut = np.zeros(len(forest.feature), np.int64), np.full(len(forest.feature), build.most, np.int64)
    order = np.argsort(which, kind="stable")
    bounds = np.searchsorted(which[order], np.arange(len(used) + 1))
    for u, feature in enumerate(used.tolist()):
        nodes = node[order[bounds[u] : bounds[u + 1]]]
        if forest.categories[feature]:
            lane[nodes] = build.category(feature, nodes)
        else:
            lane[nodes], cut[nodes] = build.number(feature, nodes, swapped[nodes])
    if build.lane_start[-1] > MOST_LANES:
        raise TooManyLanes(f"{build.lane_start[-1]} lanes are more than {MOST_LANES}.")
    return Encoded(build.plan(used), lane, cut, build.sets)


class _Lanes:
    """The lanes of one used feature after another."""

    def __init__(self, forest: Forest, code: type[np.unsignedinteger[Any]], grid: int) -> None:
        self.forest, self.code, self.cells = forest, code, grid
        self.most = int(np.iinfo(code).max)
        # Where codes are bytes, so few thresholds are the rule that a smaller grid is kept near.
        self.count = np.uint16 if code is np.uint8 else np.uint32
        self.sets: dict[int, Array] = {}
        self.cuts: list[Array] = []
        self.tables: list[Array] = []
        self.guesses: list[tuple[float, float, int, Array]] = []
        self.specials: list[tuple[bool, int, int]] = []
        self.lane_start = [0]
        self.lane_kinds: list[tuple[int, bool, bool]] = []

    def number(self, feature: int, nodes: Array, swapped: Array) -> tuple[Array, Array]:
        """The lanes and the cuts of nodes that compare a number."""
        cuts, place = np.unique(self.forest.threshold[nodes], return_inverse=True)
        room = self.most - 1
        window, inside = place // room * room, place % room
        missing_beyond = self.forest.flags[nodes] & MISSING_LEFT == 0
        kinds, which = np.unique(
            np.stack([window, swapped, missing_beyond], axis=1), axis=0, return_inverse=True
        )
        lane = self.lane_start[-1] + which
        self.lane_kinds += [(int(w), bool(s), bool(m)) for w, s, m in kinds.tolist()]
        self.lane_start.append(self.lane_start[-1] + len(kinds))
        self.cuts.append(np.append(cuts, np.nan))
        self.guesses.append(_guess(cuts, self.cells))
        self.tables.append(np.zeros(0, np.uint16))
        self.specials.append((False, 0, 0))
        return lane, np.where(swapped, room - inside, inside)

    def category(self, feature: int, nodes: Array) -> int:
        """The lane of nodes that look a category up."""
        table, unknown, missing, left = _classes(self.forest, feature, nodes)
        self.sets |= dict(zip(nodes.tolist(), left, strict=True))
        self.lane_kinds.append((0, False, False))
        self.lane_start.append(self.lane_start[-1] + 1)
        self.cuts.append(np.full(1, np.nan))
        self.guesses.append((0.0, 0.0, 0, np.zeros(self.cells, np.int64)))
        self.tables.append(table)
        self.specials.append((True, unknown, missing))
        return self.lane_start[-2]

    def plan(self, used: Array) -> Encoding:
        """The plan of all of them."""
        low, scale, steps, grid = zip(*self.guesses, strict=True) if self.guesses else ((), (), (), ())
        is_category, unknown, missing = zip(*self.specials, strict=True) if self.specials else ((), (), ())
        window, upside_down, beyond = zip(*self.lane_kinds, strict=True) if self.lane_kinds else ((), (), ())
        return Encoding(
            strict=self.forest.strict,
            single=self.forest.single,
            zero=self.forest.zero,
            most=self.most,
            rounding=ROUNDINGS.index(self.forest.rounding),
            feature=used.astype(np.int64),
            is_category=np.array(is_category, dtype=np.bool_),
            cuts=np.concatenate([*self.cuts, np.zeros(0)]),
            cut_start=starts(self.cuts),
            low=np.array(low, dtype=np.float64),
            scale=np.array(scale, dtype=np.float64),
            grid=np.array(grid, dtype=self.count).reshape(len(used), self.cells),
            steps=np.array(steps, dtype=np.int64),
            lane_start=np.array(self.lane_start, dtype=np.int64),
            window=np.array(window, dtype=np.int64),
            upside_down=(np.array(upside_down, np.bool_) * self.most).astype(self.code),
            missing_beyond=(np.array(beyond, np.bool_) * self.most).astype(self.code),
            table=np.concatenate([*self.tables, np.zeros(0, np.uint16)]).astype(np.uint16),
            table_start=starts(self.tables),
            unknown=np.array(unknown, dtype=np.int64),
            missing=np.array(missing, dtype=np.int64),
        )


def starts(parts: list[Array]) -> Array:
    """Where each of some arrays begins when they are put one after another, and the end."""
    return np.cumsum([0, *map(len, parts)], dtype=np.int64)


def _guess(cuts: Array, cells: int) -> tuple[float, float, int, Array]:
    """The grid over a feature's thresholds: its beginning, its scale, the most in one cell, how many lie before each.

    Every step here is the one that `loops.place` makes, so that a threshold's own cell is the one that it is found in.
    """
    finite = cuts[np.isfinite(cuts)]
    low, scale = 0.0, 0.0
    with np.errstate(all="ignore"):
        if len(finite) >= 2:
            low, scale = float(finite[0]), float((cells - 1) / (finite[-1] - finite[0]))
        y = (cuts - low) * scale
        y = np.where(y > 0.0, y, 0.0)
        cell = np.where(y < cells - 1.0, y, cells - 1.0).astype(np.int64)
    return low, scale, int(np.bincount(cell).max()), np.searchsorted(cell, np.arange(cells))


def _classes(forest: Forest, feature: int, nodes: Array) -> tuple[Array, int, int, Array]:
    """A category feature's classes: by integer, of the unknown, of the missing, and who goes left, (nodes, classes)."""
    size = int(forest.categories[feature])
    words = words_for(size)
    bits = _unpacked(forest.words[forest.sets[nodes, None] + np.arange(words)], size)
    flags = forest.flags[nodes]
    start = forest.known_starts[feature]
    known = _unpacked(forest.known[start : start + words], size)
    unknown_left, missing_left = flags & UNKNOWN_LEFT != 0, flags & MISSING_LEFT != 0
    goes_left = np.where(known, bits, unknown_left[:, None])
    everyone = np.column_stack([goes_left, unknown_left, missing_left])
    distinct, which = np.unique(everyone, axis=1, return_inverse=True)
    return which[:size].astype(np.uint16), int(which[size]), int(which[size + 1]), distinct


def _unpacked(words: Array, size: int) -> Array:
    """Bits of words, the last axis becoming `size` booleans."""
    octets = np.ascontiguousarray(words).astype("<u4").view(np.uint8)
    return np.unpackbits(octets, axis=-1, bitorder="little", count=size).astype(np.bool_)
