"""The model that every engine of the kernel scores: trees as flat arrays, in the terms of no library."""

from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

# Bits of `Forest.flags`.
MISSING_LEFT: Final = 1
UNKNOWN_LEFT: Final = 2
# In place of one answer's index: every answer.
ALL: Final = -1
# More categories than this in one feature are for a library, not for a bit set.
MOST_CATEGORIES: Final = 4096
MOST_FEATURES: Final = 65_536
MOST_OUTPUTS: Final = 4096


class MalformedForest(ValueError):
    """The arrays are no forest: scoring them would read outside of them, or never end."""


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """A tree ensemble. Nodes of all trees lie one after another, each tree's root first, children behind parents.

    A row goes left where `x < threshold` (`strict`) or `x <= threshold`. A category, which is an integer, goes left
    where the node's bit set has it. `T` trees, `N` nodes, `L` leaves (numbered as they come), `F` features.

    Attributes:
        features: How many numbers a row has.
        link: The name of what turns raw scores into answers (`links.LINKS`).
        strict: Whether equality goes right.
        single: Whether numbers are compared as float32.
        rounding: How a category that is no integer is read: `exact` (unknown), `truncate` or `floor`.
        zero: Numbers up to this size are compared as 0; negative where none is.
        takes_missing: Whether the library takes NaN.
        null_refused: Whether NULL stands for a row that is refused, by the library or by what prepares its inputs; else
            it is a missing number, as NaN is.
        factor: The link's parameter.
        pick: The answer that a prediction function gives, as an index into the link's; or `ALL` of them.
        roots: (T + 1,) int64, each tree's first node, then N.
        output: (T,) int32, the first output that the tree's leaves are added to.
        feature: (N,) int32, negative for a leaf.
        threshold: (N,) float64.
        left: (N,) int32, an index into all nodes; 0 for a leaf.
        right: (N,) int32.
        flags: (N,) uint8, where missing and unknown go.
        sets: (N,) int64, where a category node's bits begin in `words`; negative for numbers.
        limits: (F,) float64, the largest number that the library takes; infinite where it takes all.
        categories: (F,) int32, how many bits a feature's sets have; 0 for numbers.
        known: uint32, for each category feature the bits of what training has seen, one after another.
        words: uint32, the bits of the categories that go left.
        values: (L, width) float64, or float32 where the library sums so; a leaf may add to several outputs.
        base: (outputs,) what the sums begin with, of the same type.
        cover: (N,) how much of the training came to each node. Scoring does not need it, and a blob does not hold it.
    """

    features: int
    link: str
    strict: bool
    single: bool
    rounding: str
    zero: float
    takes_missing: bool
    null_refused: bool
    factor: float
    pick: int
    roots: Array
    output: Array
    feature: Array
    threshold: Array
    left: Array
    right: Array
    flags: Array
    sets: Array
    limits: Array
    categories: Array
    known: Array
    words: Array
    values: Array
    base: Array
    cover: Array | None = None

    def __post_init__(self) -> None:
        _check(self)

    @property
    def is_limited(self) -> bool:
        """Whether some number is too large for the library; of a category's codes, none that SQL makes is."""
        return bool((self.limits[self.categories == 0] < np.inf).any())

    @property
    def leaves(self) -> Array:
        """(T,) the number of each tree's leaves."""
        return np.add.reduceat((self.feature < 0).astype(np.int64), self.roots[:-1])

    @property
    def known_starts(self) -> Array:
        """(F + 1,) where each feature's bits begin in `known`."""
        return np.concatenate([[0], np.cumsum(words_for(self.categories))])


def words_for(categories: Any) -> Any:
    """How many words of 32 bits hold that many categories."""
    return (categories + 31) // 32


def _check(forest: Forest) -> None:
    """Refuse what a loop without bounds checks could not be given.

    Raises:
        MalformedForest: A size, an index or a number is out of range.
    """
    _check_sizes(forest)
    _check_nodes(forest)
    _check_categories(forest)
    if np.isnan(forest.threshold).any() or not np.isfinite(forest.values).all():
        _refuse("a threshold or a leaf's value is not a number")
    if np.isnan(forest.limits).any() or np.isnan(forest.zero):
        _refuse("a limit is not a number")
    if not np.isfinite(forest.base).all() or not np.isfinite(forest.factor):
        _refuse("a parameter is not a number")


def _check_sizes(forest: Forest) -> None:
    nodes, trees, features = len(forest.feature), len(forest.output), forest.features
    if not (1 <= features <= MOST_FEATURES and trees >= 1 and trees <= nodes < 2**31):
        _refuse(f"it has {features} features, {trees} trees and {nodes} nodes")
    for name in ("threshold", "left", "right", "flags", "sets"):
        if len(getattr(forest, name)) != nodes:
            _refuse(f"'{name}' is not one for each node")
    roots = forest.roots
    if len(roots) != trees + 1 or roots[0] != 0 or roots[-1] != nodes or np.any(np.diff(roots) < 1):
        _refuse("the trees' first nodes are out of order")
    leaves, outputs = int((forest.feature < 0).sum()), len(forest.base)
    if forest.values.ndim != 2 or len(forest.values) != leaves or forest.values.dtype != forest.base.dtype:
        _refuse("the values are not those of the leaves")
    width = forest.values.shape[1]
    if not 1 <= width <= outputs <= MOST_OUTPUTS or np.any(
        (forest.output < 0) | (forest.output > outputs - width)
    ):
        _refuse("a tree's output is out of range")


def _check_nodes(forest: Forest) -> None:
    inner = forest.feature >= 0
    own = np.arange(len(inner))
    ends = np.repeat(forest.roots[1:], np.diff(forest.roots))
    # Children come after their parent, so a walk that moves forward always ends.
    for child in (forest.left, forest.right):
        if np.any(inner & ((child <= own) | (child >= ends))):
            _refuse("a node's child is out of range")
        if np.any(child[~inner] != 0):
            _refuse("a leaf has a child")
    # Each node but a root has one parent: the leaves of a subtree are a range of the tree's leaves.
    children = np.concatenate([forest.left[inner], forest.right[inner]])
    parents = np.bincount(children, minlength=len(inner))
    parents[forest.roots[:-1]] += 1
    if np.any(parents != 1):
        _refuse("a node has no parent, or two")
    if np.any(forest.feature >= forest.features):
        _refuse("a node's feature is out of range")


def _check_categories(forest: Forest) -> None:
    sizes = forest.categories
    if len(forest.limits) != forest.features:
        _refuse("the limits are not those of the features")
    if len(sizes) != forest.features or np.any((sizes < 0) | (sizes > MOST_CATEGORIES)):
        _refuse(f"a feature has more than {MOST_CATEGORIES} categories")
    if len(forest.known) != words_for(sizes.astype(np.int64)).sum():
        _refuse("the known categories are not those of the features")
    inner = forest.feature >= 0
    size = np.where(inner, sizes[np.where(inner, forest.feature, 0)], 0).astype(np.int64)
    if np.any((forest.sets >= 0) != (size > 0)):
        _refuse("a node splits a number by category, or a category by number")
    if np.any((size > 0) & (forest.sets > len(forest.words) - words_for(size))):
        _refuse("a node's categories are out of range")
    if forest.rounding not in ("exact", "truncate", "floor"):
        _refuse(f"categories are read by '{forest.rounding}'")


def _refuse(what: str) -> NoReturn:
    raise MalformedForest(f"The forest is refused: {what}.")
