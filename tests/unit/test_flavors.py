from copy import deepcopy

import handmade
import pytest

from snowml.engines.duckdb.connection import DuckDBFile
from snowml.engines.snowflake.functions import vector_function
from snowml.errors import DataError, ParityFailed, SpecError, UserError
from snowml.names import Relation
from snowml.serving.functions import functions_of
from snowml.serving.sql import compiled
from snowml.workflows.champion import load_artifact

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
        ("lightgbm", {"params": {"n_estimators": 5}}, "kernel"),
        ("lightgbm", {"params": {"n_estimators": 5}, "serving": "estimator"}, "estimator"),
        ("xgboost", {"params": {"n_estimators": 5}}, "kernel"),
        ("xgboost", {"params": {"n_estimators": 5}, "serving": "estimator"}, "estimator"),
        ("random_forest", {"params": {"n_estimators": 3, "max_depth": 6}, "serving": "sql"}, "sql"),
    ],
)
def test_the_flavour_is_chosen_or_forced_and_recorded(house, estimator, changes, flavor):
    trained = handmade.train_one(*house, estimator, **changes)
    assert trained.version.flavor == flavor
    assert house[1].versions(handmade.MODEL)[-1].flavor == flavor
    assert handmade.promote_one(*house).parity.certified


@pytest.mark.parametrize(("estimator", "package"), [("lightgbm", "lightgbm=="), ("xgboost", "xgboost-cpu==")])
def test_snowflake_is_told_what_library_an_estimator_needs_and_a_kernel_needs_none(house, estimator, package):
    for serving in ("estimator", "kernel"):
        trained = handmade.train_one(*house, estimator, params={"n_estimators": 3}, serving=serving)
        artifact = load_artifact(house[1], trained.version)
        made = functions_of(
            trained.version, artifact, schema="s", store=Relation("s", "artifacts", "d"), dialect="snowflake"
        )
        assert (package in vector_function(made.kernel, "code.zip")) == (serving == "estimator")


@pytest.mark.parametrize(
    ("estimator", "params", "told"),
    [
        (
            "lightgbm",
            {"num_leafs": 3},
            "params.num_leafs: .*'lightgbm' has no parameter 'num_leafs'. Did you mean",
        ),
        (
            "lightgbm",
            {"num_leaves": 1},
            "params.num_leaves: The 'num_leaves' parameter of LightGBMClassifier must be",
        ),
        ("xgboost", {"learning_rate": 0}, "params.learning_rate: The 'learning_rate' parameter of XGBoost"),
        ("xgboost", {"n_jobs": 4}, "params.n_jobs: The estimator 'xgboost' has no parameter 'n_jobs'"),
        ("xgboost", {"random_state": 4}, "params.random_state: .* is set by snowml"),
    ],
)
def test_parameters_of_the_other_libraries_are_checked_before_any_data_is_read(
    house, estimator, params, told
):
    house[0].execute("drop table main.training_set")
    with pytest.raises(SpecError, match=told):
        handmade.train_one(*house, estimator, params=params)


def test_a_missing_library_is_told_before_any_data_is_read(house, monkeypatch):
    house[0].execute("drop table main.training_set")
    monkeypatch.setattr("snowml.boosting.base.find_spec", lambda _: None)
    with pytest.raises(
        SpecError, match=r"estimator: .* needs the package xgboost, .*pip install '\.\[xgboost\]'"
    ):
        handmade.train_one(*house, "xgboost")


def test_xgboost_names_the_columns_that_it_cannot_be_trained_on(house):
    house[0].execute("update main.training_set set speed = 'inf'::double where id < 3")
    with pytest.raises(DataError, match=r"xgboost takes no .* infinities: 'speed' in 3 rows"):
        handmade.train_one(*house, "xgboost")
    assert handmade.train_one(*house, "lightgbm", params={"n_estimators": 3}).passed


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
