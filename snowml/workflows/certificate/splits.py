"""Where a fitted model's trees split its numbers, asked of the library that fitted it.

Not of the kernel's format, nor of what exports to it: an exporter that loses or rounds a threshold would hide it here
too, and no row would stand beside it.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
# A column, or one of these.
LEAF: Final = -1
CATEGORIES: Final = -2

# Of a node: the column that it tests, at which number, its left and its right child; the children are none in a leaf.
_Read = Callable[[Any], tuple[int, float, list[Any]]]


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree, by node; the root is the first.

    Attributes:
        column: The column of the prepared matrix that a node tests, `LEAF`, or `CATEGORIES`.
        threshold: Smaller numbers go left, larger ones right.
        left: The left child.
        right: The right child.
    """

    column: Integers
    threshold: Floats
    left: Integers
    right: Integers

    def paths(self) -> "list[Path]":
        """For each test of a number, the way to it."""
        found: list[Path] = []
        stack = [(0, dict[int, tuple[float, float]]())]
        while stack:
            node, bounds = stack.pop()
            column, threshold = int(self.column[node]), float(self.threshold[node])
            if column == LEAF:
                continue
            left, right = bounds, bounds
            if column != CATEGORIES:
                found.append(Path(column, threshold, bounds))
                low, high = bounds.get(column, (-np.inf, np.inf))
                left, right = bounds | {column: (low, threshold)}, bounds | {column: (threshold, high)}
            stack += [(int(self.left[node]), left), (int(self.right[node]), right)]
        return found


@dataclass(frozen=True, slots=True)
class Path:
    """A test of a number in a tree, and between what bounds a row's numbers must be to come to it."""

    column: int
    threshold: float
    bounds: dict[int, tuple[float, float]]


def is_narrow(model: Any) -> bool:
    """Whether a model with trees rounds its inputs to float32 before it compares them."""
    return not hasattr(model, "_predictors") and _library(_booster(model)) != "lightgbm"


def trees(model: Any) -> Iterator[Tree]:
    """The trees of a fitted model; none for a model without."""
    if hasattr(model, "_predictors"):
        yield from _histogram(model)
    members = np.ravel(getattr(model, "estimators_", [model] if hasattr(model, "tree_") else []))
    for tree in (member.tree_ for member in members if hasattr(member, "tree_")):
        left, right = (child.astype(np.int64) for child in (tree.children_left, tree.children_right))
        column = np.where(left == -1, LEAF, tree.feature).astype(np.int64)
        yield Tree(column, tree.threshold.astype(np.float64), left, right)
    booster = _booster(model)
    if _library(booster) == "lightgbm":
        for one in booster.dump_model()["tree_info"]:
            yield _of_dictionaries(one["tree_structure"], _lightgbm)
    elif _library(booster) == "xgboost":
        names = {name: place for place, name in enumerate(booster.feature_names or ())}
        for text in booster.get_dump(dump_format="json"):
            yield _of_dictionaries(json.loads(text), lambda node: _xgboost(node, names))


def _histogram(model: Any) -> Iterator[Tree]:
    order = np.arange(model.n_features_in_)
    if getattr(model, "_preprocessor", None) is not None:
        # Inside, native categories are moved to the front.
        order = np.argsort(~model.is_categorical_, kind="stable")
    for predictor in (one for stage in model._predictors for one in stage):  # noqa: SLF001
        nodes = predictor.nodes
        leaf, by_category = nodes["is_leaf"] != 0, nodes["is_categorical"] != 0
        column = order[np.where(leaf | by_category, 0, nodes["feature_idx"].astype(np.int64))]
        yield Tree(
            column=np.where(leaf, LEAF, np.where(by_category, CATEGORIES, column)),
            threshold=nodes["num_threshold"].astype(np.float64),
            left=nodes["left"].astype(np.int64),
            right=nodes["right"].astype(np.int64),
        )


def _booster(model: Any) -> Any:
    """The model of LightGBM or XGBoost that an estimator holds, if it holds one."""
    return model.get_booster() if hasattr(model, "get_booster") else getattr(model, "booster_", None)


def _library(booster: Any) -> str:
    return type(booster).__module__.partition(".")[0]


def _of_dictionaries(root: Any, read: _Read) -> Tree:
    """A tree whose nodes hold their children."""
    nodes, columns, thresholds, children = [root], list[int](), list[float](), list[tuple[int, int]]()
    for node in nodes:  # which grows as it is walked
        column, threshold, below = read(node)
        columns.append(column)
        thresholds.append(threshold)
        children.append((len(nodes), len(nodes) + 1) if below else (0, 0))
        nodes += below
    left, right = np.array(children, np.int64).T
    return Tree(np.array(columns, np.int64), np.array(thresholds), left, right)


def _lightgbm(node: Any) -> tuple[int, float, list[Any]]:
    if "split_feature" not in node:
        return LEAF, 0.0, []
    below = [node["left_child"], node["right_child"]]
    if node["decision_type"] != "<=":
        return CATEGORIES, 0.0, below
    return int(node["split_feature"]), float(node["threshold"]), below


def _xgboost(node: Any, names: dict[str, int]) -> tuple[int, float, list[Any]]:
    if "split" not in node:
        return LEAF, 0.0, []
    by_id = {child["nodeid"]: child for child in node["children"]}
    below = [by_id[node["yes"]], by_id[node["no"]]]
    if isinstance(node["split_condition"], list):
        return CATEGORIES, 0.0, below
    name = node["split"]
    # It compares float32.
    return names[name] if name in names else int(name[1:]), float(np.float32(node["split_condition"])), below
