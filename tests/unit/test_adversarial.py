"""The hostile rows of a version."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "parity"))
import messy

from snowml.registry.trusted import Artifact
from snowml.workflows.adversarial import NUMBERS, TEXTS, adversarial


@pytest.mark.parametrize("name", ["hist_gradient_boosting", "random_forest", "ridge"])
def test_every_feature_gets_every_hostile_value_and_the_rows_are_the_same_again(name):
    artifact = Artifact(messy.signature("regression"), messy.trained(name, "regression"))
    rows = adversarial(artifact, messy.frame(200, 1))
    assert rows.equals(adversarial(artifact, messy.frame(200, 1)))
    assert len(rows) < 50_000
    for feature in artifact.signature.features:
        values = rows[feature.name]
        if feature.kind == "number":
            assert all(np.isnan(values).any() if np.isnan(n) else (values == n).any() for n in NUMBERS)
        else:
            assert all(values.isna().any() if text is None else (values == text).any() for text in TEXTS)
    assert rows.iloc[-1].isna().all()


def test_a_threshold_stands_between_its_neighbours():
    pipeline = messy.trained("decision_tree", "regression")
    artifact = Artifact(messy.signature("regression"), pipeline)
    rows, tree = adversarial(artifact, messy.frame(200, 1)), pipeline[-1].tree_
    assert 0 in tree.feature
    threshold = tree.threshold[tree.feature == 0][0]
    values = set(rows[artifact.signature.numbers[0]])
    assert {threshold, np.nextafter(threshold, -np.inf), np.nextafter(threshold, np.inf)} <= values


def test_native_categories_do_not_move_a_threshold_to_another_number():
    pipeline = messy.trained("hist_gradient_boosting", "regression")
    artifact, model = Artifact(messy.signature("regression"), pipeline), pipeline[-1]
    rows, numbers = adversarial(artifact, messy.frame(200, 1)), artifact.signature.numbers
    assert model._preprocessor is not None
    first = model.is_categorical_.sum()  # scikit-learn puts the categories in front of the numbers
    nodes = np.concatenate([tree.nodes for trees in model._predictors for tree in trees])
    for i, name in enumerate(numbers):
        here = nodes[(nodes["is_leaf"] == 0) & (nodes["feature_idx"] == first + i)]
        assert set(here["num_threshold"]) <= set(rows[name])
    assert (nodes["feature_idx"] >= first).any()
