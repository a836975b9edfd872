from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import metrics

from snowml.monitoring.performance import METRICS, Labels, Predictions, performance, performance_query
from snowml.monitoring.window import Window
from snowml.names import Relation
from snowml.training.metrics import evaluate

MONTH = Window("as_of", datetime(2013, 6, 1), datetime(2013, 7, 1))
LATER = datetime(2013, 8, 1)
PREDICTIONS = Predictions(Relation("main", "predictions"), ("flight", "leg"))
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SCORES = st.sampled_from([0.0, -0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1)
VALUES = st.sampled_from([0.0, 1.0, 2.5]) | st.floats(-1e6, 1e6)


def _keys(rows):
    as_of = [MONTH.start + timedelta(seconds=row) for row in range(rows)]
    return {"flight": np.arange(rows), "leg": "a", "as_of": as_of}


def _tables(load, prediction, score, label, **columns):
    keys = _keys(len(label))
    load("predictions", pd.DataFrame({**keys, "prediction": prediction, "score": score, "model_version": 3}))
    known_at = [moment + timedelta(days=1) for moment in keys["as_of"]]
    load("labels", pd.DataFrame({**keys, "label": label, "known_at": known_at} | columns))


def _performance(engine, task, *, positive=None, **options):
    labels = Labels(Relation("main", "labels"), "label", "known_at", positive)
    arguments = {"task": task, "model": "m", "version": 3, "window": MONTH, "as_of": LATER} | options
    found = performance(engine, PREDICTIONS, labels, **arguments)
    return {one.metric: one for one in found}


def _values(found):
    return {metric: one.value for metric, one in found.items()}


@FEW
@given(st.lists(st.tuples(st.booleans(), SCORES), min_size=1, max_size=80))
def test_classification_equals_scikit_learn(engine, load, rows):
    label, score = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    _tables(load, score > 0.5, score, label)
    expected = {
        "brier": np.mean((label - score) ** 2),
        "log_loss": metrics.log_loss(label, score, labels=[False, True]),
        "accuracy": metrics.accuracy_score(label, score > 0.5),
    }
    if len(set(label)) == 2:
        expected["roc_auc"] = metrics.roc_auc_score(label, score)
        expected["average_precision"] = metrics.average_precision_score(label, score)
    found = _values(_performance(engine, "classification", positive=True))
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-300)
    # scikit-learn takes it as the half of (y - p)² + ((1 - y) - (1 - p))²; 1 - p has lost what is below its last digit.
    theirs = metrics.brier_score_loss(label, score, pos_label=True)
    assert found["brier"] == pytest.approx(theirs, rel=1e-12, abs=2.3e-16)


@FEW
@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=80))
def test_regression_equals_scikit_learn(engine, load, rows):
    label, answer = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    _tables(load, answer, None, label)
    found = _values(_performance(engine, "regression"))
    expected = {
        "mae": metrics.mean_absolute_error(label, answer),
        "rmse": metrics.root_mean_squared_error(label, answer),
        "median_ae": metrics.median_absolute_error(label, answer),
    }
    r2 = found.pop("r2", None)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-150)
    if r2 is None:
        assert np.ptp(label) < 1e-150
    else:
        assert 1 - r2 == pytest.approx(1 - metrics.r2_score(label, answer), rel=1e-12)


def test_a_hundred_thousand_rows_with_heavy_ties(engine, load, fetched):
    random = np.random.default_rng(0)
    score = np.round(random.beta(2, 5, 100_000), 2)
    label = random.random(100_000) < score
    _tables(load, score > 0.5, score, label)
    found = _values(_performance(engine, "classification", positive=True))
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(label, score), rel=1e-12)
    assert found["average_precision"] == pytest.approx(
        metrics.average_precision_score(label, score), rel=1e-12
    )
    assert found["log_loss"] == pytest.approx(metrics.log_loss(label, score), rel=1e-12)
    assert fetched == [1]


@pytest.mark.parametrize(
    ("positive", "negative"), [(True, False), (1, 0), ("late", "on time"), (0, 1), ("it's", "?")]
)
def test_labels_of_any_type(engine, load, positive, negative):
    label = [positive, negative, positive, negative]
    _tables(load, [positive, positive, negative, negative], [0.9, 0.8, 0.3, 0.1], label)
    found = _values(_performance(engine, "classification", positive=positive))
    assert found["roc_auc"] == 0.75
    assert found["accuracy"] == 0.5


@pytest.mark.parametrize("label", [[True, True], [False, False]])
def test_one_class_has_no_ranking(engine, load, label):
    _tables(load, [True, False], [0.9, 0.2], label)
    assert set(_performance(engine, "classification", positive=True)) == {"brier", "log_loss", "accuracy"}


def test_equal_labels_have_no_r2(engine, load):
    _tables(load, [1.0, 2.0, 3.0], None, [0.1, 0.1, 0.1])
    assert set(_performance(engine, "regression")) == {"mae", "rmse", "median_ae"}


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_no_labels_no_metrics(engine, load, task):
    _tables(load, [1.0, 0.0], [0.9, 0.2], [1.0, 0.0])
    early = MONTH.start + timedelta(hours=1)
    assert _performance(engine, task, positive=1.0, as_of=early) == {}


def test_only_labels_known_by_then_count(engine, load):
    known = [LATER - timedelta(days=1), LATER, LATER + timedelta(microseconds=1), None]
    _tables(load, [True] * 4, [0.9, 0.8, 0.7, 0.6], [True, False, True, True], known_at=known)
    found = _performance(engine, "classification", positive=True)["accuracy"]
    assert (found.row_count, found.scored_count, found.value, found.monitored_at) == (2, 4, 0.5, LATER)


def test_a_label_that_is_not_a_number_is_no_class(engine, load):
    _tables(load, [1.0, 0.0, 1.0], [0.9, 0.2, 0.8], [1.0, 0.0, 0.0])
    engine.execute("update labels set label = 'nan'::double where label = 1")
    found = _performance(engine, "classification", positive=1.0)["accuracy"]
    assert found.row_count == 2


def test_labels_without_a_moment_all_count(engine, load):
    _tables(load, [1.0, 2.0], None, [1.0, 4.0])
    found = performance(
        engine,
        PREDICTIONS,
        Labels(Relation("main", "labels"), "label"),
        task="regression",
        model="m",
        version=3,
        window=MONTH,
        as_of=MONTH.start,
    )
    assert found[0].row_count == 2


def test_rows_without_an_answer_or_a_label_do_not_count(engine, load):
    _tables(
        load,
        [True] * 5,
        [0.9, None, np.nan, 0.8, 0.1],
        np.array([True, True, False, None, False], dtype=object),
    )
    found = _performance(engine, "classification", positive=True)["brier"]
    assert (found.scored_count, found.row_count) == (3, 2)
    assert found.value == pytest.approx(0.01)


def test_other_windows_and_versions_do_not_count(engine, load):
    _tables(load, [1.0, 2.0, 3.0], None, [1.0, 2.0, 3.0])
    engine.execute("update predictions set model_version = 4 where flight = 0")
    window = Window("as_of", MONTH.start, MONTH.start + timedelta(seconds=2))
    found = _performance(engine, "regression", window=window)["mae"]
    assert (found.scored_count, found.row_count) == (1, 1)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("dialect", ["duckdb", "snowflake"])
def test_both_dialects_parse(task, dialect):
    labels = Labels(Relation("s", "Labels", "db"), "is late", "known_at", "late")
    sql, params = performance_query(
        PREDICTIONS, labels, task=task, version=3, window=MONTH, as_of=LATER, dialect=dialect
    )
    (statement,) = sqlglot.parse(sql, read=dialect)
    assert [one.alias_or_name for one in statement.expressions] == [
        "scored_count",
        "row_count",
        *METRICS[task],
    ]
    assert sql.count("?") == len(params)
    assert '"is late"' in sql


SHARES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1), min_size=3, max_size=3)
SPECIES = ("a", "it's", "z")


@FEW
@given(st.lists(st.tuples(st.integers(0, 2), SHARES), min_size=1, max_size=60))
def test_more_than_two_classes_equal_scikit_learn(engine, load, rows):
    places = np.array([row[0] for row in rows])
    weights = np.array([row[1] for row in rows]) + 1e-3
    shares = weights / weights.sum(axis=1, keepdims=True)
    label, answer = (np.array(SPECIES, dtype=object)[which] for which in (places, shares.argmax(axis=1)))
    keys = _keys(len(rows))
    columns = {f"share_{i}": shares[:, i] for i in range(3)}
    load(
        "predictions",
        pd.DataFrame({**keys, "prediction": answer, "score": 1.0, "model_version": 3, **columns}),
    )
    load("labels", pd.DataFrame({**keys, "label": label, "known_at": MONTH.start}))
    predictions = Predictions(PREDICTIONS.relation, PREDICTIONS.entity, shares=tuple(columns))
    labels = Labels(Relation("main", "labels"), "label", "known_at", classes=SPECIES)
    found = performance(
        engine, predictions, labels, task="classification", model="m", version=3, window=MONTH, as_of=LATER
    )
    expected = evaluate("classification", label, answer, shares, classes=SPECIES)
    assert _values({one.metric: one for one in found}) == pytest.approx(expected, rel=1e-9)
    own = {
        "log_loss": metrics.log_loss(label, shares, labels=SPECIES),
        "accuracy": metrics.accuracy_score(label, answer),
        "macro_f1": metrics.f1_score(label, answer, labels=SPECIES, average="macro", zero_division=0.0),
    }
    if len(set(places)) == 3:
        own["roc_auc"] = metrics.roc_auc_score(label, shares, multi_class="ovr", labels=SPECIES)
    assert expected == pytest.approx(own, rel=1e-12)


def test_a_label_that_training_has_not_seen_is_a_miss_of_probability_0(engine, load):
    keys = _keys(2)
    columns = {f"share_{i}": [0.5, 0.25, 0.25][i] for i in range(3)}
    load(
        "predictions", pd.DataFrame({**keys, "prediction": "a", "score": 0.5, "model_version": 3, **columns})
    )
    load("labels", pd.DataFrame({**keys, "label": ["a", "new"], "known_at": MONTH.start}))
    predictions = Predictions(PREDICTIONS.relation, PREDICTIONS.entity, shares=tuple(columns))
    labels = Labels(Relation("main", "labels"), "label", "known_at", classes=SPECIES)
    found = performance(
        engine, predictions, labels, task="classification", model="m", version=3, window=MONTH, as_of=LATER
    )
    values = _values({one.metric: one for one in found})
    assert values["accuracy"] == 0.5
    assert values["log_loss"] == pytest.approx((np.log(2) - np.log(np.finfo(float).eps)) / 2)
    assert "roc_auc" not in values
