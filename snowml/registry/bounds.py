"""Bounds of trees: scikit-learn's compiled code follows a node's indices unlooked, so we look first."""

from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.pipeline import Pipeline
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)
from sklearn.tree._tree import Tree

from snowml.boosting.base import Boosting
from snowml.errors import DataError

_TREES = (DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor)
_FORESTS = (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)
_STAGED = (GradientBoostingClassifier, GradientBoostingRegressor)
_BINNED = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
# What has none of these is a template, of which a calibration keeps one beside the fitted copies.
_FITTED = ("tree_", "estimators_", "_predictors", "model_")
# A bitset of categories is eight words of 32 bits.
_WORDS, _BITS = 8, 256


def check_bounds(pipeline: object) -> None:
    """Refuse a pipeline whose trees point outside themselves or their inputs.

    Raises:
        DataError: It is not `prepare` and `estimator`, or an index is out of bounds.
    """
    if not isinstance(pipeline, Pipeline) or [name for name, _ in pipeline.steps] != ["prepare", "estimator"]:
        raise DataError("The artifact is refused: it is not a pipeline of `prepare` and `estimator`.")
    for model in _models(pipeline):
        try:
            _check_model(model)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as wrong:
            raise DataError(f"The artifact is refused: its {type(model).__name__} is malformed.") from wrong


def _models(pipeline: Pipeline) -> Iterator[object]:
    """Every model with trees in the pipeline, wherever it stands: a calibration or a selection holds models too."""
    stack: list[object] = [pipeline]
    seen: set[int] = set()
    while stack:
        item = stack.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, (*_TREES, *_FORESTS, *_STAGED, *_BINNED, Boosting)):
            if item is pipeline.steps[1][1] or any(hasattr(item, name) for name in _FITTED):
                yield item
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            stack.extend(item)
        elif isinstance(item, np.ndarray):
            stack.extend(item.ravel().tolist() if item.dtype == object else ())
        elif hasattr(item, "__dict__") and type(item).__module__.startswith("sklearn."):
            stack.extend(vars(item).values())


def _check_model(model: Any) -> None:
    if isinstance(model, _BINNED):
        _check_binned(model)
    elif isinstance(model, _STAGED):
        _check_stages(model)
    elif isinstance(model, _FORESTS):
        for tree in model.estimators_:
            _check_tree(tree, model.n_features_in_)
    elif isinstance(model, _TREES):
        _check_tree(model, model.n_features_in_)
    elif isinstance(model, Boosting):
        model.check()


def _check_stages(model: Any) -> None:
    if model.init_ != "zero" and not isinstance(model.init_, DummyClassifier | DummyRegressor):
        _refuse(f"its first guess is a {type(model.init_).__name__}")
    # The compiled loop writes one column for each tree of a stage.
    width = len(model.init_.class_prior_) if model.init_ != "zero" and model._loss.is_multiclass else 1  # noqa: SLF001
    if model.init_ == "zero":
        width = model.n_trees_per_iteration_
    if model.estimators_.shape[1] != width:
        _refuse("its stages have the wrong width")
    for tree in model.estimators_.flat:
        _check_tree(tree, model.n_features_in_)


def _check_tree(model: Any, n_features: int) -> None:
    if not isinstance(model, _TREES) or not isinstance(model.tree_, Tree):
        _refuse(f"a {type(model).__name__} stands for a tree")
    # GradientBoosting checks the width of its input against its first tree, not against itself.
    if model.n_features_in_ != n_features:
        _refuse("a tree has other features than its model")
    tree = model.tree_
    inner = tree.children_left != -1
    _check_nodes(tree.children_left, tree.children_right, tree.feature, inner, n_features)


def _check_nodes(left: Any, right: Any, feature: Any, inner: Any, n_features: int) -> None:
    if not len(inner):
        _refuse("a tree has no nodes")
    own = np.arange(len(inner))
    # Children come after their parent, so a walk that moves forward always ends.
    for child in (left, right):
        if np.any(inner & ((child <= own) | (child >= len(inner)))):
            _refuse("a tree's child is out of range")
    if np.any(inner & ((feature < 0) | (feature >= n_features))):
        _refuse("a tree's feature is out of range")


def _check_binned(model: Any) -> None:
    bins = model._bin_mapper  # noqa: SLF001
    n_features = model._n_features  # noqa: SLF001
    categorical = np.asarray(bins.is_categorical_, dtype=bool)
    if categorical.shape != (n_features,) or len(bins.bin_thresholds_) != n_features:
        _refuse("its bins are not those of its features")
    for column in np.flatnonzero(categorical):
        known = np.asarray(bins.bin_thresholds_[column])
        if np.any(~((known >= 0) & (known < _BITS))):
            _refuse("a category's code is out of range")
    for stage in model._predictors:  # noqa: SLF001
        for predictor in stage:
            _check_predictor(predictor, categorical)


def _check_predictor(predictor: Any, categorical: Any) -> None:
    if not isinstance(predictor, TreePredictor):
        _refuse(f"a {type(predictor).__name__} stands for a tree")
    nodes, bitsets = predictor.nodes, predictor.raw_left_cat_bitsets
    inner = nodes["is_leaf"] == 0
    feature = nodes["feature_idx"].astype(np.int64)
    left, right = nodes["left"].astype(np.int64), nodes["right"].astype(np.int64)
    _check_nodes(left, right, feature, inner, len(categorical))
    split = inner & (nodes["is_categorical"] != 0)
    if (
        bitsets.ndim != 2
        or bitsets.shape[1] != _WORDS
        or np.any(split & (nodes["bitset_idx"] >= len(bitsets)))
    ):
        _refuse("a tree's set of categories is out of range")
    if not np.all(categorical[feature[split]]):
        _refuse("a tree splits a number by category")


def _refuse(what: str) -> NoReturn:
    raise DataError(f"The artifact is refused: {what}.")
