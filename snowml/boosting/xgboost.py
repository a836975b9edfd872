"""XGBoost's classifier and regressor, kept as the JSON that XGBoost saves models as."""

import json
from types import ModuleType
from typing import Any, ClassVar, Final

import numpy as np

from snowml.boosting.base import Array, Boosting, Classifier, Regressor, check_nodes
from snowml.boosting.parameters import OURS, Parameters, between, number, one_of, share, whole

_PARAMETERS: Final[Parameters] = {
    **OURS,
    "n_estimators": whole(100, 1),
    "learning_rate": number(0.3, above=True),
    "max_depth": whole(6, 0),
    "max_leaves": whole(0, 0),
    "max_bin": whole(256, 2, 65_535),
    "grow_policy": one_of("depthwise", "lossguide"),
    "tree_method": one_of("hist", "approx"),
    "gamma": number(0.0),
    "min_child_weight": number(1.0),
    "max_delta_step": number(0.0),
    "subsample": share(),
    "colsample_bytree": share(),
    "colsample_bylevel": share(),
    "colsample_bynode": share(),
    "reg_alpha": number(0.0),
    "reg_lambda": number(1.0),
    "num_parallel_tree": whole(1, 1),
    "max_cat_to_onehot": whole(4, 1),
    "max_cat_threshold": whole(64, 1),
}


class _XGBoost(Boosting):
    library: ClassVar[str] = "xgboost"

    def check(self) -> None:
        """Refuse a model whose trees point outside themselves.

        Raises:
            ValueError: It is such a one.
        """
        learner = json.loads(self.model_)["learner"]
        if int(learner["learner_model_param"]["num_feature"]) != self.n_features_in_:
            raise ValueError("the model has other features than its estimator")
        if learner["gradient_booster"]["name"] != "gbtree":
            raise ValueError("its booster is none that a specification asks for")
        model = learner["gradient_booster"]["model"]
        outputs = max(int(learner["learner_model_param"]["num_class"]), 1)
        trees, rounds = model["trees"], model["iteration_indptr"]
        if int(model["gbtree_model_param"]["num_trees"]) != len(trees) or len(model["tree_info"]) != len(
            trees
        ):
            raise ValueError("its trees are more or fewer than it says")
        if any(not 0 <= output < outputs for output in model["tree_info"]):
            raise ValueError("a tree's output is out of range")
        if not trees or rounds[0] != 0 or rounds[-1] != len(trees) or np.any(np.diff(rounds) < 0):
            raise ValueError("its rounds are not those of its trees")
        for tree in trees:
            _check_tree(tree, self.n_features_in_)

    def _train(self, library: ModuleType, matrix: Array, target: Array) -> str:
        given = {name: value for name, value in self.get_params().items() if name != "categorical_features"}
        coded = set(self.categorical_features or ())
        kinds = ["c" if i in coded else "q" for i in range(matrix.shape[1])]
        fixed = {"n_jobs": 1, "verbosity": 0, "feature_types": kinds, "enable_categorical": True}
        kind = library.XGBClassifier if isinstance(self, Classifier) else library.XGBRegressor
        fitted = kind(**given, **fixed).fit(matrix, target)
        return bytes(fitted.get_booster().save_raw("json")).decode()

    def _read(self, library: ModuleType) -> Any:
        booster = library.Booster({"nthread": 1})
        booster.load_model(bytearray(self.model_.encode()))
        return booster

    def _refusal(self, library: ModuleType) -> type[Exception]:
        refusal: type[Exception] = library.core.XGBoostError
        return refusal

    def _ask(self, matrix: Any) -> Array:
        # The numbers themselves, and no DMatrix, which would refuse infinities: as XGBoost's own estimator does.
        with np.errstate(over="ignore"):
            return np.asarray(self.booster_.inplace_predict(np.asarray(matrix, dtype=np.float64)))


class XGBoostClassifier(Classifier, _XGBoost):
    """XGBoost for labels; its parameters have the names of its own scikit-learn interface."""

    parameters: ClassVar[Parameters] = _PARAMETERS


class XGBoostRegressor(Regressor, _XGBoost):
    """XGBoost for numbers; its parameters have the names of its own scikit-learn interface."""

    parameters: ClassVar[Parameters] = {
        **_PARAMETERS,
        "objective": one_of(
            *("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror"),
            *("count:poisson", "reg:gamma", "reg:tweedie"),
        ),
        "huber_slope": number(1.0, above=True),
        "tweedie_variance_power": between(1.5, 1.0, 2.0),
    }


def _check_tree(tree: dict[str, Any], features: int) -> None:
    if tree["tree_param"]["size_leaf_vector"] not in ("0", "1"):
        raise ValueError("its leaves are vectors, which no specification asks for")
    left, right, feature = (
        np.array(tree[key], dtype=np.int64) for key in ("left_children", "right_children", "split_indices")
    )
    nodes = int(tree["tree_param"]["num_nodes"])
    for key in (
        "left_children",
        "split_conditions",
        "default_left",
        "split_type",
        "base_weights",
        "sum_hessian",
    ):
        if len(tree[key]) != nodes:
            raise ValueError("a tree's nodes are more or fewer than it says")
    check_nodes(left, right, feature, features)
    _check_categories(tree, nodes)


def _check_categories(tree: dict[str, Any], nodes: int) -> None:
    kinds = np.array(tree["split_type"], dtype=np.int64)
    named = np.array(tree["categories_nodes"], dtype=np.int64)
    start = np.array(tree["categories_segments"], dtype=np.int64)
    size = np.array(tree["categories_sizes"], dtype=np.int64)
    if not len(named) == len(start) == len(size) or np.any((named < 0) | (named >= nodes)):
        raise ValueError("a tree's sets of categories are not those of its nodes")
    if np.any((start < 0) | (size < 0) | (start + size > len(tree["categories"]))):
        raise ValueError("a tree's sets of categories are out of range")
    split = np.flatnonzero((kinds != 0) & (np.array(tree["left_children"]) != -1))
    if not set(split.tolist()) <= set(named.tolist()):
        raise ValueError("a node's set of categories is missing")
    if any(not 0 <= category < 2**24 for category in tree["categories"]):
        raise ValueError("a category is out of range")
