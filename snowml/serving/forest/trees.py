"""scikit-learn's trees, forests and GradientBoosting: float32 inputs, `<=`, sums in double."""

from typing import Any, Final

import numpy as np

from snowml.kernel.forest import MISSING_LEFT, Array, Forest
from snowml.serving.forest.builder import Tree, build
from snowml.serving.forest.unsupported import Unsupported

# The next double becomes an infinity as float32, which these estimators refuse.
LARGEST: Final = float(np.nextafter(3.4028235677973366e38, 0))


def export_tree(model: Any, column: int = 0) -> Forest:
    """The forest of one fitted decision tree; `column` is the answer to pick."""
    # A sum that begins with -0.0 leaves a leaf of -0.0 as it is.
    return _averaged(model, [model], column, base=-0.0, link="identity", factor=1.0)


def export_forest(model: Any, column: int = 0) -> Forest:
    """The forest of a fitted random forest or extra trees; `column` is the answer to pick.

    It sums as scikit-learn does with `n_jobs=1`: with more, the order of its sums is nobody's.
    """
    return _averaged(
        model, model.estimators_, column, base=0.0, link="divide", factor=float(len(model.estimators_))
    )


def export_boosting(model: Any, column: int = 0) -> Forest:
    """The forest of a fitted GradientBoosting; `column` is the answer to pick.

    Raises:
        Unsupported: Its first guess is not a constant.
    """
    trees = [
        _tree(one.tree_, model.learning_rate * one.tree_.value[:, 0, :], output)
        for stage in model.estimators_
        for output, one in enumerate(stage)
    ]
    return build(
        trees,
        features=model.n_features_in_,
        base=_first_guess(model),
        link=_boosting_link(model),
        single=True,
        limits=LARGEST,
        takes_missing=False,
        factor=2.0 if type(model._loss.link).__name__ == "HalfLogitLink" else 1.0,  # noqa: SLF001
        pick=column,
    )


def _averaged(
    model: Any, members: list[Any], column: int, *, base: float, link: str, factor: float
) -> Forest:
    if model.n_outputs_ != 1:
        raise Unsupported("it has several targets")
    trees = [_tree(one.tree_, one.tree_.value[:, 0, :], 0) for one in members]
    return build(
        trees,
        features=model.n_features_in_,
        base=np.full(trees[0].value.shape[1], base),
        link=link,
        single=True,
        limits=LARGEST,
        takes_missing=bool(members[0].__sklearn_tags__().input_tags.allow_nan),
        factor=factor,
        pick=column,
    )


def _tree(tree: Any, value: Array, output: int) -> Tree:
    missing_left = np.asarray(tree.missing_go_to_left) != 0
    return Tree(
        feature=np.where(tree.children_left == -1, -1, tree.feature),
        threshold=tree.threshold,
        left=tree.children_left,
        right=tree.children_right,
        flags=np.where(missing_left, MISSING_LEFT, 0),
        value=value,
        output=output,
        cover=tree.weighted_n_node_samples,
    )


def _first_guess(model: Any) -> Array:
    if model.init_ == "zero":
        return np.zeros(model.n_trees_per_iteration_)
    if type(model.init_).__name__ not in ("DummyClassifier", "DummyRegressor"):
        raise Unsupported(f"its first guess is a {type(model.init_).__name__}")
    any_row = np.zeros((1, model.n_features_in_), np.float32)
    guess: Array = model._raw_predict_init(any_row).astype(np.float64).reshape(-1)  # noqa: SLF001
    return guess


def _boosting_link(model: Any) -> str:
    links = {"LogitLink": "logit", "HalfLogitLink": "logit", "MultinomialLogit": "softmax_by_row"}
    return links.get(type(model._loss.link).__name__, "identity")  # noqa: SLF001
