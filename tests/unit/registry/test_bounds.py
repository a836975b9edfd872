"""Trees that point outside themselves: each is dumped as it is, and must not come back."""

import hashlib

import numpy as np
import pytest
from test_trusted import FEATURES, rows, train

from snowml.errors import DataError
from snowml.registry.bounds import check_bounds
from snowml.registry.trusted import dumps, loads
from snowml.training.pipeline import build, fit


def refused(pipeline, message):
    data = dumps(pipeline)
    with pytest.raises(DataError, match=message):
        loads(data, hashlib.sha256(data).hexdigest())


def hgb():
    pipeline = build("hist_gradient_boosting", "regression", {"max_iter": 3}, 1, FEATURES)
    target = 5.0 * (rows().c == "a") + rows().x.fillna(0)
    fit(pipeline, rows(), target)
    return pipeline, pipeline[-1]._predictors[0][0]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("left", 10_000, "child"),
        ("right", 2**32 - 1, "child"),
        ("left", 0, "child"),
        ("feature_idx", 2, "feature"),
        ("feature_idx", -1, "feature"),
    ],
)
def test_a_hist_gradient_boosting_node(field, value, message):
    pipeline, predictor = hgb()
    check_bounds(pipeline)
    predictor.nodes[field][0] = value
    refused(pipeline, message)


def test_its_categories():
    pipeline, predictor = hgb()
    split = np.flatnonzero((predictor.nodes["is_categorical"] == 1) & (predictor.nodes["is_leaf"] == 0))
    assert len(split)
    predictor.nodes["bitset_idx"][split[0]] = 99
    refused(pipeline, "categories")
    pipeline, predictor = hgb()
    numbers = np.flatnonzero(~pipeline[-1]._bin_mapper.is_categorical_.astype(bool))
    predictor.nodes["feature_idx"][split[0]] = numbers[0]
    refused(pipeline, "by category")
    pipeline, _ = hgb()
    column = int(np.flatnonzero(pipeline[-1]._bin_mapper.is_categorical_)[0])
    pipeline[-1]._bin_mapper.bin_thresholds_[column] = np.array([0.0, 300.0])
    refused(pipeline, "code")


@pytest.mark.parametrize("name", ["decision_tree", "random_forest", "extra_trees", "gradient_boosting"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("children_left", value) for value in (100_000, 0, -5)),
        *(("children_right", value) for value in (100_000, 0, -1)),
        *(("feature", value) for value in (2, -2)),
    ],
)
def test_a_node_of_a_plain_tree(name, field, value):
    pipeline = train(name, "regression")
    model = pipeline[-1]
    tree = model if name == "decision_tree" else np.ravel(model.estimators_)[-1]
    getattr(tree.tree_, field)[0] = value
    refused(pipeline, "out of range")


def test_what_stands_in_the_place_of_a_tree():
    pipeline = train("random_forest", "regression")
    pipeline[-1].estimators_[0] = train("ridge", "regression")[-1]
    refused(pipeline, "Ridge stands for a tree")
    pipeline = train("gradient_boosting", "regression")
    pipeline[-1].init_ = train("random_forest", "regression")[-1]
    refused(pipeline, "first guess")
    pipeline = train("gradient_boosting", "regression")
    pipeline[-1].estimators_ = np.tile(pipeline[-1].estimators_, (1, 3))
    refused(pipeline, "width")
    pipeline = train("gradient_boosting", "regression")
    pipeline[-1].n_features_in_ = 1000
    refused(pipeline, "other features")
    pipeline = train("random_forest", "regression")
    del pipeline[-1].estimators_
    refused(pipeline, "malformed")
