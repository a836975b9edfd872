"""LightGBM, read from the text that it saves models as: doubles, `<=`, sums in double."""

from typing import Any, Final

import numpy as np

from snowml.boosting.lightgbm import Section, numbers, sections
from snowml.kernel.forest import MISSING_LEFT, Array, Forest
from snowml.serving.forest.builder import Tree, build
from snowml.serving.forest.unsupported import Unsupported

# Numbers up to this size count as 0: a dense row is scored by those of its numbers that are larger.
ZERO: Final = float(np.float32(1e-35))
_LINKS: Final = {
    "binary": "logit",
    "multiclass": "lightgbm_softmax",
    "multiclassova": "lightgbm_each",
    **dict.fromkeys(("poisson", "gamma", "tweedie"), "lightgbm_log"),
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape"), "identity"),
}
# Of a node's decision type, bit by bit.
_CATEGORY, _DEFAULT_LEFT, _MISSING = 1, 2, 12
_NONE, _ZERO_IS_MISSING = 0, 4


def export(model: Any, column: int = 0) -> Forest:
    """The forest of a fitted LGBMClassifier or LGBMRegressor; `column` is the answer to pick.

    Raises:
        Unsupported: Its objective, its boosting or its trees are not covered.
    """
    booster = model.booster_
    if booster.pandas_categorical:
        raise Unsupported("it was fitted on a data frame with categories; fit it on their codes")
    head, *lines = sections(booster.model_to_string())
    objective, *options = head["objective"].split()
    if objective not in _LINKS or "sqrt" in options:
        raise Unsupported(f"its objective is '{head['objective']}'")
    if "average_output" in head:
        raise Unsupported("its trees are averaged (boosting: rf)")
    outputs, features = int(head["num_tree_per_iteration"]), int(head["max_feature_idx"]) + 1
    trees = [_tree(section, i % outputs) for i, section in enumerate(lines)]
    sigmoid = next((float(option[8:]) for option in options if option.startswith("sigmoid:")), 1.0)
    return build(
        trees,
        features=features,
        base=np.zeros(outputs),
        link=_LINKS[objective],
        known=_known(trees),
        rounding="truncate",
        zero=ZERO,
        factor=sigmoid,
        pick=column,
    )


def _tree(section: Section, output: int) -> Tree:
    """Inner nodes first, then leaves: a child below 0 is `~leaf`."""
    if section.get("is_linear", "0") != "0":
        raise Unsupported("its leaves are linear models")
    value = numbers(section, "leaf_value", np.float64)
    if int(section["num_leaves"]) == 1:
        return _stump(value[:1], output)
    kind, threshold = numbers(section, "decision_type"), numbers(section, "threshold", np.float64)
    by_category, missing = kind & _CATEGORY != 0, kind & _MISSING
    if np.any(~by_category & (missing == _ZERO_IS_MISSING)):
        raise Unsupported("it takes zeros for missing (zero_as_missing)")
    # Where training has seen nothing missing, NaN counts as 0. Categories that are missing or not in the set go right.
    goes_left = np.where(missing == _NONE, threshold >= 0.0, kind & _DEFAULT_LEFT != 0) & ~by_category
    left, right = numbers(section, "left_child"), numbers(section, "right_child")
    inner, leaves = len(kind), len(value)
    none = np.zeros(leaves)
    return Tree(
        feature=np.concatenate([numbers(section, "split_feature"), none - 1]).astype(np.int64),
        threshold=np.concatenate([np.where(by_category, 0.0, threshold), none]),
        left=np.concatenate([np.where(left < 0, inner + ~left, left), none]).astype(np.int64),
        right=np.concatenate([np.where(right < 0, inner + ~right, right), none]).astype(np.int64),
        flags=np.concatenate([np.where(goes_left, MISSING_LEFT, 0), none]),
        value=np.concatenate([np.zeros(inner), value])[:, None],
        left_categories=_categories(section, by_category, threshold),
        output=output,
        cover=np.concatenate([numbers(section, "internal_count"), numbers(section, "leaf_count")]),
    )


def _stump(value: Array, output: int) -> Tree:
    zero = np.zeros(1)
    return Tree(
        feature=zero - 1,
        threshold=zero,
        left=zero,
        right=zero,
        flags=zero,
        value=value[:, None],
        output=output,
        cover=zero,
    )


def _categories(section: Section, by_category: Array, threshold: Array) -> dict[int, Array]:
    bounds, words = numbers(section, "cat_boundaries"), numbers(section, "cat_threshold", np.uint32)
    found = {}
    for node in np.flatnonzero(by_category).tolist():
        which = int(threshold[node])
        own = words[bounds[which] : bounds[which + 1]].astype("<u4").view(np.uint8)
        found[node] = np.flatnonzero(np.unpackbits(own, bitorder="little"))
    return found


def _known(trees: list[Tree]) -> dict[int, Array]:
    """All integers up to the largest that some node sends left."""
    largest: dict[int, int] = {}
    for tree in trees:
        for node, left in tree.left_categories.items():
            feature = int(tree.feature[node])
            largest[feature] = max(largest.get(feature, 0), int(left.max(initial=0)))
    return {feature: np.arange(most + 1) for feature, most in largest.items()}
