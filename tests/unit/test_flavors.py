from copy import deepcopy

import handmade
import pytest

from snowml.engines.duckdb.connection import DuckDBFile
from snowml.errors import ParityFailed, UserError
from snowml.serving.sql import compiled

TREE = {"estimator": "decision_tree"}


@pytest.fixture
def house(monkeypatch):
    engine, registry = handmade.open_file(DuckDBFile(":memory:"))
    handmade.fill(engine, handmade.frame())
    yield engine, registry
    engine.close()


@pytest.mark.parametrize(
    ("estimator", "changes", "flavor"),
    [
        ("logistic_regression", {}, "sql"),
        ("logistic_regression", {"serving": "estimator"}, "estimator"),
        ("decision_tree", {"params": {"max_leaf_nodes": 8}}, "sql"),
        ("random_forest", {"params": {"n_estimators": 20}}, "kernel"),
        ("random_forest", {"params": {"n_estimators": 20}, "serving": "estimator"}, "estimator"),
        ("hist_gradient_boosting", {"params": {"max_iter": 60}}, "kernel"),
        ("decision_tree", {"params": {"max_leaf_nodes": 8}, "serving": "kernel"}, "kernel"),
        ("random_forest", {"params": {"n_estimators": 3, "max_depth": 6}, "serving": "sql"}, "sql"),
    ],
)
def test_the_flavour_is_chosen_or_forced_and_recorded(house, estimator, changes, flavor):
    trained = handmade.train_one(*house, estimator, **changes)
    assert trained.version.flavor == flavor
    assert house[1].versions(handmade.MODEL)[-1].flavor == flavor
    assert handmade.promote_one(*house).parity.certified


@pytest.mark.parametrize(
    ("serving", "params", "message"),
    [
        (
            "sql",
            {"n_estimators": 200},
            "serving: sql cannot serve this model: it has .* leaves, and 3,000 are",
        ),
    ],
)
def test_a_flavour_that_cannot_be_had_is_refused(house, serving, params, message):
    with pytest.raises(UserError, match=message):
        handmade.train_one(*house, "random_forest", serving=serving, params=params)
    assert house[1].versions(handmade.MODEL) == []


@pytest.mark.parametrize(
    ("estimator", "right", "wrong"),
    [
        ("logistic_regression", "WHEN 'a' THEN", "WHEN 'b' THEN"),
        ("logistic_regression", "e0", "1e0"),
        ("decision_tree", "<=", ">"),
    ],
)
def test_a_changed_expression_is_not_promoted(house, monkeypatch, estimator, right, wrong):
    handmade.train_one(
        *house, estimator, params={"max_leaf_nodes": 8} if estimator == "decision_tree" else {}
    )
    written = compiled.score

    def changed(*args):
        text = written(*args)
        assert right in text
        return text.replace(right, wrong, 1)

    monkeypatch.setattr(compiled, "score", changed)
    with pytest.raises(ParityFailed):
        handmade.promote_one(*house)


def test_a_rounded_weight_is_not_promoted(house, monkeypatch):
    handmade.train_one(*house)
    written = compiled.models.probability

    def rounded(model, *args):
        model = deepcopy(model)  # scikit-learn answers with the original
        model.coef_ = model.coef_.round(7)
        return written(model, *args)

    monkeypatch.setattr(compiled.models, "probability", rounded)
    with pytest.raises(ParityFailed):
        handmade.promote_one(*house)
