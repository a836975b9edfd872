"""The parity certificate bites: what serves a version and is wrong in one place gets none, and is not promoted."""

from copy import deepcopy
from dataclasses import replace
from string import Template

import handmade
import numpy as np
import pytest

from snowml.engines.duckdb.connection import DuckDBFile
from snowml.engines.snowflake import handler
from snowml.errors import NotPromoted, ParityFailed
from snowml.serving import compiling, functions
from snowml.serving.sql import compiled, encoding
from snowml.workflows.certificate.parity import audit_parity

BOOSTED = {"estimator": "hist_gradient_boosting", "params": {"max_iter": 60}}


@pytest.fixture
def house():
    engine, registry = handmade.open_file(DuckDBFile(":memory:"))
    handmade.fill(engine, handmade.frame())
    yield engine, registry
    engine.close()


def check_refused(house, trained, *told):
    """The version is kept with its refusal, and nothing was promoted."""
    engine, registry = house
    assert trained.status == "approved"
    assert not trained.passed
    assert not registry.parity(handmade.MODEL)[1].certified
    with pytest.raises(ParityFailed) as refused:
        handmade.promote_one(engine, registry)
    assert refused.value.exit_code == 1
    message = str(refused.value)
    assert message == trained.refused
    for words in (
        *told,
        "speed=",
        "town=",
        "by scikit-learn",
        "report the row",
        "may be right: snowml train",
    ):
        assert words in message, message
    assert registry.champions(handmade.MODEL) == []
    assert {event.event for event in registry.events(handmade.MODEL)} == {"registered", "approved"}
    found = engine.query("select 1 from duckdb_functions() where function_name = 'predict_lateness'")
    assert found.num_rows == 0


def ways(trained):
    """The ways that differ, with the kinds of rows on which they do."""
    parity = trained.parity
    return {(one.way, one.kind) for one in parity.checks if one.max_abs_diff > parity.tolerance}


def test_a_right_version_is_certified_when_it_is_trained_and_promoted_by_that(house, monkeypatch):
    engine, registry = house
    trained = handmade.train_one(*house, **BOOSTED)
    assert trained.passed
    assert trained.version.flavor == "kernel"
    parity = registry.parity(handmade.MODEL)[1]
    assert parity == trained.parity
    assert parity.certified
    assert parity.max_abs_diff == 0.0
    assert {one.way for one in parity.checks} == {"function", "function_explained", "handler"}
    kinds = {"held_out", "threshold", "number", "category", "mixed", "missing", "integer"}
    for way in ("handler", "function_explained"):
        assert {one.kind for one in parity.checks if one.way == way} == kinds
    assert parity.held_out == 50
    assert parity.rows == sum(one.row_count for one in parity.checks if one.way == "handler")
    assert sum(one.altered_count for one in parity.checks) == 0
    monkeypatch.setattr(
        "snowml.workflows.certificate.parity.compare", lambda *_, **__: pytest.fail("compared again")
    )
    assert handmade.promote_one(engine, registry).parity == parity


def test_other_code_is_compared_anew_before_it_serves(house, monkeypatch):
    engine, registry = house
    first = handmade.train_one(*house).parity
    monkeypatch.setattr("snowml.workflows.certificate.served.package", lambda: ("snowml_later.zip", b""))
    promoted = handmade.promote_one(engine, registry)
    assert promoted.parity.certified
    assert promoted.parity.code != first.code
    assert promoted.parity.functions == first.functions


def test_refused_rows_are_counted_and_equal(house):
    trained = handmade.train_one(*house, "random_forest", params={"n_estimators": 20})
    assert trained.passed
    refused = {one.way: one.refused_count for one in trained.parity.checks if one.kind == "number"}
    # Both infinities and what float32 has no room for, of two numbers.
    assert set(refused) == {"function", "function_explained", "handler"}
    assert len(set(refused.values())) == 1
    assert refused["function"] > 10


def test_a_flipped_comparison_in_the_kernel(house, monkeypatch):
    right = compiling._forest
    monkeypatch.setattr(compiling, "_forest", lambda artifact: replace(right(artifact), strict=True))
    trained = handmade.train_one(*house, **BOOSTED)
    assert ways(trained) >= {("function", "threshold"), ("handler", "threshold")}
    check_refused(house, trained, "threshold rows", "--set serving=estimator")


@pytest.mark.parametrize("seed", range(6))
def test_one_threshold_of_the_kernel_moved_to_the_next_double(house, monkeypatch, seed):
    right = compiling._forest

    def moved(artifact):
        forest = right(artifact)
        threshold = forest.threshold.copy()
        nodes = np.flatnonzero((forest.feature == 0) & (forest.sets < 0))
        node = np.random.default_rng(seed).choice(nodes)
        threshold[node] = np.nextafter(threshold[node], (-np.inf, np.inf)[seed % 2])
        return replace(forest, threshold=threshold)

    monkeypatch.setattr(compiling, "_forest", moved)
    trained = handmade.train_one(*house, **BOOSTED)
    assert {("function", "threshold"), ("handler", "threshold")} <= ways(trained)
    check_refused(house, trained, "threshold rows")


def test_a_rounded_coefficient(house, monkeypatch):
    written = compiled.models.probability

    def rounded(model, *args):
        model = deepcopy(model)  # scikit-learn answers with the original
        model.coef_ = model.coef_.round(6)
        return written(model, *args)

    monkeypatch.setattr(compiled.models, "probability", rounded)
    trained = handmade.train_one(*house)
    assert ("function", "held_out") in ways(trained)
    check_refused(house, trained, "its function differs", "predict_lateness_v1_proba")


@pytest.mark.parametrize("changes", [{}, BOOSTED], ids=["sql", "kernel"])
def test_an_encoder_that_takes_an_unseen_category_for_another(house, monkeypatch, changes):
    ask = encoding._ask

    def confused(*args):
        *known, missing, _ = ask(*args)
        return [*known, missing, known[0]]

    monkeypatch.setattr(encoding, "_ask", confused)
    trained = handmade.train_one(*house, **changes)
    assert {kind for _, kind in ways(trained)} <= {"category", "mixed"}  # no held-out row has one
    assert ("function", "category") in ways(trained)
    check_refused(house, trained, "category rows")


def test_a_handler_that_takes_missing_numbers_for_zero(house, monkeypatch):
    text = handler._SOURCE.template
    right, wrong = "rows.iloc[:, i], kind", "rows.iloc[:, i].fillna(0.0), kind"
    assert right in text
    monkeypatch.setattr(handler, "_SOURCE", Template(text.replace(right, wrong)))
    trained = handmade.train_one(*house, **BOOSTED)
    assert {way for way, _ in ways(trained)} == {"handler"}
    check_refused(house, trained, "the handler packaged for Snowflake differs", "by the packaged handler")


def test_a_label_rule_with_the_wrong_tie(house, monkeypatch):
    right = functions._label_of
    monkeypatch.setattr(functions, "_label_of", lambda *args: right(*args).replace(" > ", " >= "))
    trained = handmade.train_one(*house)
    assert ("function", "label") in ways(trained)
    message = trained.refused
    assert "probability=0.5: True by predict_lateness_v1_label, False by scikit-learn" in message
    with pytest.raises(ParityFailed):
        handmade.promote_one(*house)


def without_limits(monkeypatch):
    """A kernel that takes numbers which scikit-learn refuses."""
    right = compiling._forest
    monkeypatch.setattr(
        compiling,
        "_forest",
        lambda artifact: replace(right(artifact), limits=right(artifact).limits * np.inf),
    )
    monkeypatch.setattr(compiled, "checked", lambda columns, **_: columns)


def test_a_function_that_answers_where_scikit_learn_refuses(house, monkeypatch):
    without_limits(monkeypatch)
    trained = handmade.train_one(*house, "random_forest", params={"n_estimators": 20})
    assert ("function", "number") in ways(trained)
    check_refused(house, trained, "refused by scikit-learn", "by up to inf")


def test_an_explanation_that_moves_a_leaf_does_not_add_up(house, monkeypatch):
    right = compiling.paths

    def moved(artifact):
        paths = right(artifact)
        value = paths.value.copy()
        value[np.flatnonzero(paths.forest.feature < 0)[0]] += 1e-6
        return replace(paths, value=value)

    monkeypatch.setattr(compiling, "paths", moved)
    trained = handmade.train_one(*house, **BOOSTED)
    assert {way for way, _ in ways(trained)} == {"function_explained"}
    check_refused(
        house,
        trained,
        "what its explanations add up to differs",
        "contributions that add up to",
        "by explain_",
    )


def test_an_explanation_of_a_linear_model_that_leaves_a_feature_out(house, monkeypatch):
    right = compiled.contributions
    monkeypatch.setattr(compiled, "contributions", lambda *args: ("0e0", *right(*args)[1:]))
    trained = handmade.train_one(*house)
    assert ("function_explained", "held_out") in ways(trained)
    assert {way for way, _ in ways(trained)} == {"function_explained"}
    check_refused(house, trained, "by explain_lateness_v1")


def test_an_explanation_where_scikit_learn_refuses(house, monkeypatch):
    without_limits(monkeypatch)
    forest = {"params": {"n_estimators": 20}, "serving": "estimator"}
    trained = handmade.train_one(*house, "random_forest", **forest)
    assert ("function_explained", "number") in ways(trained)
    assert {way for way, _ in ways(trained)} == {"function_explained"}


def test_a_packaged_handler_that_cannot_run_is_told_with_its_reason(house, monkeypatch):
    from snowml.errors import TerminalError

    text = handler._SOURCE.template
    monkeypatch.setattr(handler, "_SOURCE", Template(f"import no_such_module\n{text}"))
    with pytest.raises(
        TerminalError, match=r"(?s)as it is packaged for Snowflake.*No module named 'no_such_module'"
    ):
        handmade.train_one(*house, **BOOSTED)
    monkeypatch.undo()
    # The interpreter is still there, and the version has its certificate when it is promoted.
    assert handmade.promote_one(*house).parity.certified


# On demand


def test_an_audit_asks_what_serves_now(house):
    engine, registry = house
    handmade.train_one(*house, **BOOSTED)
    handmade.promote_one(*house)
    parity = audit_parity(registry, handmade.MODEL, None, handmade.NOW)
    assert parity.certified
    explained = {"function_explained", "champion_explained"}
    assert {one.way for one in parity.checks} == {"function", "champion", "handler", *explained}
    arguments = 'speed, "Wind ""Gust"" m/s?", town'
    engine.execute(
        f"create or replace macro main.predict_lateness_proba({arguments}) as "
        f"coalesce(main.predict_lateness_v1_proba({arguments}), 0.5) + 1e-6"
    )
    found = audit_parity(registry, handmade.MODEL, None, handmade.NOW)
    assert not found.certified
    assert {one.way for one in found.checks if one.example} == {"champion"}
    # Asked for by its number it is the champion still.
    assert not audit_parity(registry, handmade.MODEL, 1, handmade.NOW).certified
    assert not registry.parity(handmade.MODEL)[1].certified


def test_a_version_without_functions_is_not_compared(house):
    handmade.train_one(*house, gates=[{"metric": "roc_auc", "min": 1.0}])
    with pytest.raises(NotPromoted, match="version 1 has no functions in the warehouse"):
        audit_parity(house[1], handmade.MODEL, 1, handmade.NOW)
