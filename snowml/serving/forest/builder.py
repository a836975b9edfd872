"""Putting a forest together, tree by tree."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from snowml.kernel.forest import MOST_CATEGORIES, Array, Forest, words_for
from snowml.serving.forest.unsupported import Unsupported


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree, of `n` nodes, the root first; children may come in any order.

    Attributes:
        feature: (n,) negative for a leaf.
        threshold: (n,).
        left: (n,) an index into the tree.
        right: (n,).
        flags: (n,) `MISSING_LEFT`, `UNKNOWN_LEFT`.
        value: (n, width) read at leaves.
        left_categories: For each node that splits by category, the integers that go left.
        output: The first output that the leaves are added to.
        cover: (n,) how much of the training came to each node, in rows, their weights or the library's own measure.
    """

    feature: Array
    threshold: Array
    left: Array
    right: Array
    flags: Array
    value: Array
    left_categories: dict[int, Array] = field(default_factory=dict)
    output: int = 0
    cover: Array | None = None


def build(
    trees: list[Tree],
    *,
    features: int,
    base: Array,
    link: str,
    known: dict[int, Array] | None = None,
    limits: Array | float = np.inf,
    strict: bool = False,
    single: bool = False,
    rounding: str = "exact",
    zero: float = -1.0,
    takes_missing: bool = True,
    factor: float = 1.0,
    pick: int = 0,
) -> Forest:
    """The forest of some trees; `known` are the integers of each category feature that training has seen."""
    ordered = [_ordered(tree) for tree in trees]
    roots = np.cumsum([0, *(len(tree.feature) for tree in ordered)], dtype=np.int64)
    shift = np.repeat(roots[:-1], np.diff(roots))
    feature = np.concatenate([tree.feature for tree in ordered]).astype(np.int32)
    categories, known_words = _known(known or {}, features)
    sets, words = _sets(ordered, roots, categories)
    value = np.concatenate([tree.value for tree in ordered])[feature < 0]
    return Forest(
        features=features,
        link=link,
        strict=strict,
        single=single,
        rounding=rounding,
        zero=zero,
        takes_missing=takes_missing,
        # What else is refused, the preparation knows.
        null_refused=False,
        factor=factor,
        pick=pick,
        roots=roots,
        output=np.array([tree.output for tree in ordered], np.int32),
        feature=feature,
        threshold=np.concatenate([tree.threshold for tree in ordered]).astype(np.float64),
        left=np.where(feature < 0, 0, np.concatenate([tree.left for tree in ordered]) + shift).astype(
            np.int32
        ),
        right=np.where(feature < 0, 0, np.concatenate([tree.right for tree in ordered]) + shift).astype(
            np.int32
        ),
        flags=np.concatenate([tree.flags for tree in ordered]).astype(np.uint8),
        sets=sets,
        limits=np.broadcast_to(np.asarray(limits, np.float64), features).copy(),
        categories=categories,
        known=known_words,
        words=words,
        values=value.astype(base.dtype),
        base=base,
        cover=_cover(ordered),
    )


def _ordered(tree: Tree) -> Tree:
    """The tree with the nodes that its root reaches, each level behind the one above it."""
    levels = [np.zeros(1, np.int64)]
    while len(levels[-1]):
        inner = levels[-1][tree.feature[levels[-1]] >= 0]
        levels.append(np.stack([tree.left[inner], tree.right[inner]], axis=1).reshape(-1).astype(np.int64))
    order = np.concatenate(levels)
    place = np.zeros(len(tree.feature), np.int64)
    place[order] = np.arange(len(order))
    leaf = tree.feature[order] < 0
    return Tree(
        feature=np.where(leaf, -1, tree.feature[order]),
        threshold=np.where(leaf, 0.0, tree.threshold[order]),
        left=np.where(leaf, 0, place[np.where(leaf, 0, tree.left[order])]),
        right=np.where(leaf, 0, place[np.where(leaf, 0, tree.right[order])]),
        flags=np.where(leaf, 0, tree.flags[order]),
        value=tree.value[order],
        left_categories={int(place[node]): found for node, found in tree.left_categories.items()},
        output=tree.output,
        cover=None if tree.cover is None else tree.cover[order],
    )


def _cover(trees: list[Tree]) -> Array | None:
    known = [tree.cover for tree in trees if tree.cover is not None]
    return np.concatenate(known).astype(np.float64) if len(known) == len(trees) else None


def _known(known: dict[int, Array], features: int) -> tuple[Array, Array]:
    categories = np.zeros(features, np.int32)
    words = [np.zeros(0, np.uint32)]
    for feature, seen in sorted(known.items()):
        categories[feature] = seen.max(initial=0) + 1
        if categories[feature] > MOST_CATEGORIES:
            raise Unsupported(f"feature {feature} has categories up to {categories[feature] - 1:,}")
        words.append(_packed(seen, int(categories[feature])))
    return categories, np.concatenate(words)


def _sets(trees: list[Tree], roots: Array, categories: Array) -> tuple[Array, Array]:
    sets = np.full(roots[-1], -1, np.int64)
    words, total = [np.zeros(0, np.uint32)], 0
    for tree, root in zip(trees, roots.tolist(), strict=False):
        for node, left in tree.left_categories.items():
            sets[root + node] = total
            words.append(_packed(left, int(categories[tree.feature[node]])))
            total += len(words[-1])
    return sets, np.concatenate(words)


def _packed(integers: Any, size: int) -> Array:
    bits = np.zeros(words_for(size) * 32, np.bool_)
    bits[integers] = True
    return np.packbits(bits, bitorder="little").view("<u4").astype(np.uint32)
