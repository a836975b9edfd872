"""LightGBM's classifier and regressor, kept as the text that LightGBM saves models as."""

from types import ModuleType
from typing import Any, ClassVar, Final

import numpy as np

from snowml.boosting.base import Array, Boosting, Classifier, Regressor, check_nodes
from snowml.boosting.parameters import OURS, Parameters, between, number, one_of, share, whole

Section = dict[str, str]

_PARAMETERS: Final[Parameters] = {
    **OURS,
    "n_estimators": whole(100, 1),
    "learning_rate": number(0.1, above=True),
    "num_leaves": whole(31, 2, 131_072),
    "max_depth": whole(-1, -1),
    "max_bin": whole(255, 2, 65_535),
    "min_child_samples": whole(20, 0),
    "min_child_weight": number(1e-3),
    "min_split_gain": number(0.0),
    "subsample": share(),
    "subsample_freq": whole(0, 0),
    "colsample_bytree": share(),
    "reg_alpha": number(0.0),
    "reg_lambda": number(0.0),
    "min_data_per_group": whole(100, 1),
    "max_cat_to_onehot": whole(4, 1),
    "cat_smooth": number(10.0),
    "cat_l2": number(10.0),
}


class _LightGBM(Boosting):
    library: ClassVar[str] = "lightgbm"

    def check(self) -> None:
        """Refuse a text whose trees point outside themselves, or which does not lie as it says.

        Raises:
            ValueError: It is such a text.
        """
        head, *trees = sections(self.model_)
        if int(head["max_feature_idx"]) + 1 != self.n_features_in_:
            raise ValueError("the model has other features than its estimator")
        if not trees or len(trees) % int(head["num_tree_per_iteration"]):
            raise ValueError("its trees are not those of whole rounds")
        _check_sizes(self.model_, numbers(head, "tree_sizes").tolist(), len(trees))
        for tree in trees:
            _check_tree(tree, self.n_features_in_)

    def _train(self, library: ModuleType, matrix: Array, target: Array) -> str:
        given = {name: value for name, value in self.get_params().items() if name != "categorical_features"}
        # One thread and one way to build histograms: the same rows make the same model.
        fixed = {"n_jobs": 1, "deterministic": True, "force_row_wise": True, "verbose": -1}
        kind = library.LGBMClassifier if isinstance(self, Classifier) else library.LGBMRegressor
        coded = self.categorical_features or "auto"
        fitted = kind(**given, **fixed).fit(matrix, target, categorical_feature=coded)
        text: str = fitted.booster_.model_to_string()
        return text

    def _read(self, library: ModuleType) -> Any:
        return library.Booster(model_str=self.model_)

    def _refusal(self, library: ModuleType) -> type[Exception]:
        refusal: type[Exception] = library.basic.LightGBMError
        return refusal

    def _ask(self, matrix: Any) -> Array:
        return np.asarray(self.booster_.predict(np.asarray(matrix, dtype=np.float64), num_threads=1))


class LightGBMClassifier(Classifier, _LightGBM):
    """LightGBM for labels; its parameters have the names of its own scikit-learn interface."""

    parameters: ClassVar[Parameters] = _PARAMETERS


class LightGBMRegressor(Regressor, _LightGBM):
    """LightGBM for numbers; its parameters have the names of its own scikit-learn interface."""

    parameters: ClassVar[Parameters] = {
        **_PARAMETERS,
        "objective": one_of(
            *("regression", "regression_l1", "huber", "fair", "quantile", "mape"),
            *("poisson", "gamma", "tweedie"),
        ),
        "alpha": number(0.9, above=True),
        "tweedie_variance_power": between(1.5, 1.0, 2.0),
    }


def sections(text: str) -> list[Section]:
    """A model's own lines, then those of each tree."""
    found: list[Section] = [{}]
    for line in text.split("\nend of trees")[0].splitlines():
        key, _, value = line.partition("=")
        if key == "Tree":
            found.append({})
        elif key:
            found[-1][key] = value
    return found


def numbers(section: Section, key: str, dtype: type = np.int64) -> Array:
    """A line of numbers."""
    return np.array(section.get(key, "").split(), dtype=dtype)


def _check_sizes(text: str, sizes: list[int], trees: int) -> None:
    """Its reader jumps to where the sizes say that each tree begins."""
    data = text.encode()
    at = data.find(b"\nTree=") + 1
    if len(sizes) != trees:
        raise ValueError("its trees are more or fewer than it says")
    for i, size in enumerate(sizes):
        if size <= 0 or not data.startswith(f"Tree={i}\n".encode(), at):
            raise ValueError("a tree is not where it says")
        at += size
    if not data.startswith(b"end of trees", at):
        raise ValueError("its trees end elsewhere than it says")


def _check_tree(tree: Section, features: int) -> None:
    leaves, categories = int(tree["num_leaves"]), int(tree["num_cat"])
    if leaves < 1 or len(numbers(tree, "leaf_value", np.float64)) != leaves:
        raise ValueError("a tree's leaves are not as many as it says")
    if tree.get("is_linear", "0") != "0":
        raise ValueError("its leaves are linear models, which no specification asks for")
    if leaves == 1:
        return
    lines = {
        key: numbers(tree, key) for key in ("left_child", "right_child", "split_feature", "decision_type")
    }
    threshold = numbers(tree, "threshold", np.float64)
    if any(len(line) != leaves - 1 for line in (*lines.values(), threshold)):
        raise ValueError("a tree's lines are not of one length")
    # Inner nodes first, then leaves: a child below 0 is `~leaf`.
    ends = np.full(leaves, -1)
    left, right = (
        np.concatenate([np.where(child < 0, leaves - 1 + ~child, child), ends])
        for child in (lines["left_child"], lines["right_child"])
    )
    check_nodes(left, right, np.concatenate([lines["split_feature"], ends]), features)
    _check_categories(tree, categories, threshold[lines["decision_type"] & 1 != 0])


def _check_categories(tree: Section, count: int, named: Array) -> None:
    if not count and not len(named):
        return
    bounds, words = numbers(tree, "cat_boundaries"), numbers(tree, "cat_threshold", np.uint32)
    if len(bounds) != count + 1 or bounds[0] != 0 or np.any(np.diff(bounds) < 0) or bounds[-1] != len(words):
        raise ValueError("a tree's sets of categories are out of range")
    if np.any((named < 0) | (named >= count)):
        raise ValueError("a node's set of categories is out of range")
