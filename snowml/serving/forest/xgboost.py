"""XGBoost, read from the JSON that it saves models as: float32 inputs, `<`, sums in float32."""

import json
from typing import Any, Final

import numpy as np

from snowml.kernel.forest import MISSING_LEFT, UNKNOWN_LEFT, Array, Forest
from snowml.serving.forest.builder import Tree, build
from snowml.serving.forest.unsupported import Unsupported

_LINKS: Final = {
    "binary:logistic": "xgboost_logit",
    "multi:softprob": "xgboost_softmax",
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie"), "xgboost_log"),
    **dict.fromkeys(("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror"), "identity"),
}


def export(model: Any, column: int = 0) -> Forest:
    """The forest of a fitted XGBClassifier or XGBRegressor; `column` is the answer to pick.

    Raises:
        Unsupported: Its booster or its objective is not covered, or missing is not NaN.
    """
    if not np.isnan(model.missing):
        raise Unsupported(f"it takes {model.missing} for missing")
    booster = model.get_booster()
    best = booster.attr("best_iteration")
    return _forest(booster if best is None else booster[: int(best) + 1], column)


def export_booster(model: Any, column: int = 0) -> Forest:
    """The forest of a fitted `snowml.boosting.xgboost` model; `column` is the answer to pick.

    Raises:
        Unsupported: As of `export`.
    """
    return _forest(model.booster_, column)


def _forest(booster: Any, column: int) -> Forest:
    learner = json.loads(booster.save_raw("json"))["learner"]
    objective, shape = learner["objective"]["name"], learner["learner_model_param"]
    if objective not in _LINKS:
        raise Unsupported(f"its objective is '{objective}'")
    if learner["gradient_booster"]["name"] != "gbtree":
        raise Unsupported(f"its booster is '{learner['gradient_booster']['name']}'")
    boosted = learner["gradient_booster"]["model"]
    if int(shape["num_target"]) > 1 or boosted.get("cats", {}).get("enc"):
        raise Unsupported("it has several targets, or was fitted on a data frame with categories")
    known = _known(boosted["trees"])
    outputs = zip(boosted["trees"], boosted["tree_info"], strict=True)
    trees = [_tree(tree, output, known) for tree, output in outputs]
    return build(
        trees,
        features=int(shape["num_feature"]),
        base=_base(booster, int(shape["num_feature"])),
        link=_LINKS[objective],
        known=known,
        strict=True,
        single=True,
        rounding="floor",
        pick=column,
    )


def _tree(tree: dict[str, Any], output: int, known: dict[int, Array]) -> Tree:
    if tree["tree_param"]["size_leaf_vector"] not in ("0", "1"):
        raise Unsupported("its leaves are vectors")
    left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
    condition = np.array(tree["split_conditions"], np.float32)
    leaf = left == -1
    by_category = ~leaf & (np.array(tree["split_type"]) != 0)
    missing_left = np.where(np.array(tree["default_left"]) != 0, MISSING_LEFT, 0)
    return Tree(
        feature=np.where(leaf, -1, tree["split_indices"]),
        threshold=np.where(by_category, 0.0, condition.astype(np.float64)),
        left=left,
        right=right,
        # A category that is not in a node's set goes left.
        flags=missing_left | np.where(by_category, UNKNOWN_LEFT, 0),
        value=condition[:, None],
        left_categories={
            node: np.setdiff1d(known[tree["split_indices"][node]], right)
            for node, right in _sets(tree).items()
        },
        output=output,
        cover=np.array(tree["sum_hessian"], np.float64),
    )


def _sets(tree: dict[str, Any]) -> dict[int, Array]:
    """For each node that splits by category, the integers that go right."""
    listed, start, size = tree["categories"], tree["categories_segments"], tree["categories_sizes"]
    return {
        node: np.array(listed[start[i] : start[i] + size[i]], np.int64)
        for i, node in enumerate(tree["categories_nodes"])
    }


def _known(trees: list[dict[str, Any]]) -> dict[int, Array]:
    """All integers up to the largest of some node's set."""
    largest: dict[int, int] = {}
    for tree in trees:
        for node, right in _sets(tree).items():
            feature = tree["split_indices"][node]
            largest[feature] = max(largest.get(feature, 0), int(right.max(initial=0)))
    return {feature: np.arange(most + 1) for feature, most in largest.items()}


def _base(booster: Any, features: int) -> Array:
    """What its sums begin with, which only it computes exactly: its margins when its one tree's leaves are 0."""
    import xgboost

    saved = json.loads(booster.save_raw("json"))
    model = saved["learner"]["gradient_booster"]["model"]
    tree = model["trees"][0]
    tree |= {"split_conditions": [0.0] * len(tree["split_conditions"])}
    model |= {"trees": [tree], "tree_info": model["tree_info"][:1], "iteration_indptr": [0, 1]}
    model["gbtree_model_param"] |= {"num_trees": "1", "num_parallel_tree": "1"}
    silent = xgboost.Booster()
    silent.load_model(bytearray(json.dumps(saved).encode()))
    row = np.zeros((1, features), np.float32)
    names, types = booster.feature_names, booster.feature_types
    matrix = xgboost.DMatrix(row, feature_names=names, feature_types=types)
    margins: Array = silent.predict(matrix, output_margin=True)
    return margins.astype(np.float32).reshape(-1)
