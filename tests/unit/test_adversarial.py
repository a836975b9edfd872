"""The hostile rows of a version."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "parity"))
import messy

from snowml.registry.trusted import Artifact
from snowml.workflows.certificate.adversarial import INTEGERS, NUMBERS, TEXTS, adversarial
from snowml.workflows.certificate.reference import reference


def hostile(pipeline, task="regression"):
    """The rows of doubles and those of whole numbers, with why each is there."""
    artifact = Artifact(messy.signature(task), pipeline)
    return adversarial(artifact, messy.frame(200, 1), lambda frame: reference(artifact, frame).scores)


def values(found, name):
    return found.table[name].to_pylist()


@pytest.mark.parametrize("name", ["hist_gradient_boosting", "random_forest", "ridge"])
def test_every_feature_gets_every_hostile_value_and_the_rows_are_the_same_again(name):
    pipeline = messy.trained(name, "regression")
    doubles, integers = hostile(pipeline)
    again = hostile(pipeline)
    assert [repr(one.table.to_pylist()) for one in again] == [
        repr(doubles.table.to_pylist()),
        repr(integers.table.to_pylist()),
    ]
    assert doubles.table.num_rows < 60_000
    for feature in messy.FEATURES:
        wanted = NUMBERS if feature.kind == "number" else TEXTS
        # By their text, as NaN is not itself and one zero is the other.
        assert set(map(repr, wanted)) <= set(map(repr, values(doubles, feature.name)))
        if feature.kind == "number":
            assert set(INTEGERS) <= set(values(integers, feature.name))
    last = doubles.table.slice(doubles.table.num_rows - 2).to_pylist()
    assert [set(map(repr, row.values())) for row in last] == [{"None"}, {"None", "nan"}]
    assert set(doubles.kinds[-2:]) == {"missing"}


def test_every_known_category_comes_and_so_do_its_near_forms():
    doubles, _ = hostile(messy.trained("ridge", "regression"))
    found = set(values(doubles, "city"))
    assert set(messy.CITIES) <= found
    assert {"ŁÓDŹ", "łódź", " Łódź", "Łódź "} <= found


def test_a_threshold_stands_between_its_neighbours():
    pipeline = messy.trained("decision_tree", "regression")
    doubles, tree = hostile(pipeline)[0], pipeline[-1].tree_
    assert 0 in tree.feature
    threshold = tree.threshold[tree.feature == 0][0]
    found = set(values(doubles, messy.NUMBERS[0]))
    assert {threshold, np.nextafter(threshold, -np.inf), np.nextafter(threshold, np.inf)} <= found
    single = np.float32(threshold)
    assert {float(np.nextafter(single, np.float32(side))) for side in (-np.inf, np.inf)} <= found


def test_a_row_at_a_threshold_is_one_whose_answer_changes_there():
    pipeline = messy.trained("hist_gradient_boosting", "regression")
    doubles = hostile(pipeline)[0]
    rows = doubles.table.filter(doubles.kinds == "threshold").to_pandas()
    answers = messy.bulk(pipeline, rows).reshape(-1, 3)  # below, at, above
    assert (answers[:, 0] == answers[:, 1]).mean() == 1.0
    # Deep nodes are not all reached from real rows.
    assert (answers[:, 1] != answers[:, 2]).mean() > 0.9


def test_native_categories_do_not_move_a_threshold_to_another_number():
    pipeline = messy.trained("hist_gradient_boosting", "regression")
    model, doubles = pipeline[-1], hostile(pipeline)[0]
    assert model._preprocessor is not None
    first = model.is_categorical_.sum()  # scikit-learn puts the categories in front of the numbers
    nodes = np.concatenate([tree.nodes for trees in model._predictors for tree in trees])
    for i, name in enumerate(messy.NUMBERS):
        here = nodes[(nodes["is_leaf"] == 0) & (nodes["feature_idx"] == first + i)]
        assert set(here["num_threshold"]) <= set(values(doubles, name))
    assert (nodes["feature_idx"] >= first).any()
