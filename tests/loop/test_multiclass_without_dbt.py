"""A model of more than two classes from training to monitoring, on a DuckDB file, without a dbt project."""

import subprocess
import sys
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import handmade
import numpy as np
import pytest
from elsewhere import ask_elsewhere
from sklearn import metrics

import snowml
from snowml.errors import DataError, ParityFailed, SpecError
from snowml.names import Relation
from snowml.serving import compiling, multiclass
from snowml.serving.sql import compiled
from snowml.workflows.batch import predict_batch
from snowml.workflows.monitor import monitor
from snowml.workflows.promote import rollback
from snowml.workflows.specs import Located

REPOSITORY = Path(snowml.__file__).parent.parent
TYPES = [
    ("VARCHAR", ("early", "it's late", "on time")),
    ("INTEGER", (-1, 0, 7)),
    ("DECIMAL(4,0)", (0, 1, 2)),
    ("DOUBLE", (0.0, 1.0, 2.0)),
]
ARGUMENTS = 'speed, "Wind ""Gust"" m/s?", town'
QUERY = (
    f"select id, predict_lateness({ARGUMENTS}) as answer, predict_lateness_proba({ARGUMENTS}) as shares "
    "from training_set order by id"
)


def frame(labels=TYPES[0][1], rows=300, seed=0):
    made = handmade.frame(rows, seed=seed)
    noise = 0.3 * np.random.default_rng(seed + 1).normal(size=rows)
    lateness = np.nan_to_num(made.speed) + (made.town == "a") + noise
    return made.assign(late=np.array(labels)[np.digitize(lateness, [-0.2, 0.7])])


def fill(engine, labels=TYPES[0][1], kind="VARCHAR", **more):
    handmade.fill(engine, frame(labels, **more))
    engine.execute(f"alter table training_set alter late type {kind}")


@pytest.fixture
def house(tmp_path):
    file = handmade.file_at(tmp_path)
    engine, registry = handmade.open_file(file)
    fill(engine)
    yield file, engine, registry
    engine.close()


@pytest.mark.parametrize(("kind", "labels"), TYPES)
@pytest.mark.parametrize("estimator", ["logistic_regression", "hist_gradient_boosting"])
def test_labels_of_any_type_are_told_with_all_probabilities(house, estimator, kind, labels):
    _, engine, registry = house
    fill(engine, labels, kind)
    trained = handmade.train_one(engine, registry, estimator)
    assert trained.passed
    assert (trained.version.signature.classes, trained.version.signature.positive) == (labels, None)
    assert handmade.promote_one(engine, registry).parity.certified
    rows = engine.query(
        f"select *, typeof(answer) as kind, typeof(shares) as several from ({QUERY})"
    ).to_pylist()
    assert {row["kind"] for row in rows} == {kind}
    assert {row["several"] for row in rows} == {f"MAP({kind}, DOUBLE)"}
    assert all([key for key, _ in row["shares"]] == list(labels) for row in rows)
    assert all(sum(share for _, share in row["shares"]) == pytest.approx(1.0) for row in rows)
    assert all(row["answer"] == max(row["shares"], key=lambda pair: pair[1])[0] for row in rows)
    truth = engine.query("select late from training_set order by id").to_pylist()
    assert np.mean([row["answer"] == label["late"] for row, label in zip(rows, truth, strict=True)]) > 0.7


def test_it_is_measured_beside_shares_and_the_best_rule(house):
    _, engine, registry = house
    trained = handmade.train_one(engine, registry, "lightgbm", params={"n_estimators": 20})
    assert set(trained.measured) == {"model", "constant", "best_rule"}
    for splits in trained.measured.values():
        assert set(splits["test"]) == {"roc_auc", "log_loss", "accuracy", "macro_f1"}
    model, constant, rule = (trained.measured[name]["test"] for name in ("model", "constant", "best_rule"))
    assert constant["roc_auc"] == pytest.approx(0.5)
    assert model["log_loss"] < rule["log_loss"] < constant["log_loss"]
    stored = {rule.predictor: rule for rule in registry.rules(trained.version)}
    assert sum(stored["constant"].shares[0]) == pytest.approx(1.0)
    assert all(len(shares) == 3 for shares in stored["best_rule"].shares)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"positive": "early"},
            r"has 3 values \('early', \"it's late\", 'on time'\), so none is positive",
        ),
        (
            {"metric": "brier"},
            "metric: 'brier' is not defined for 3 classes. Known: roc_auc, log_loss, accuracy, macro_f1",
        ),
        (
            {"gates": [{"metric": "average_precision", "min": 0.5}]},
            "gates.0: 'average_precision' is not defined for 3 classes",
        ),
    ],
)
def test_what_only_two_classes_have_is_refused(house, changes, told):
    _, engine, registry = house
    with pytest.raises(SpecError, match=told):
        handmade.train_one(engine, registry, **changes)
    assert registry.versions("lateness") == []


def test_what_only_more_than_two_classes_have_is_refused_of_two(house):
    _, engine, registry = house
    handmade.fill(engine, handmade.frame())
    with pytest.raises(
        SpecError, match=r"metric: 'macro_f1' is not defined for 2 classes. Known: roc_auc, average"
    ):
        handmade.train_one(engine, registry, metric="macro_f1")


def test_a_class_that_no_row_of_the_train_split_has_is_named(house):
    _, engine, registry = house
    engine.execute("update training_set set late = 'cancelled' where id > 290")
    with pytest.raises(DataError, match="No row of the train split has the label 'cancelled'"):
        handmade.train_one(engine, registry)


def test_gates_and_the_champion_are_judged_by_its_metrics(house):
    _, engine, registry = house
    gates = [{"metric": "macro_f1", "min": 0.5}, {"better_than": "baseline", "metric": "log_loss"}]
    assert handmade.train_one(engine, registry, gates=gates).passed
    handmade.promote_one(engine, registry)
    gates = [{"better_than": "champion", "metric": "log_loss"}]
    second = handmade.train_one(engine, registry, gates=gates, features={"exclude": ["speed", "town"]})
    assert second.status == "rejected"
    assert "wanted better than the champion" in second.verdicts[0].text


PLAIN = "from duckdb import connect; connection = connect(sys.argv[1], read_only=True)"
OURS = (
    "from snowml.engines.duckdb.connection import DuckDBFile; "
    "connection = DuckDBFile(sys.argv[1]).open(read_only=True)"
)


@pytest.mark.parametrize(
    ("estimator", "serving", "door"),
    [
        ("logistic_regression", None, PLAIN),
        ("hist_gradient_boosting", None, OURS),
        ("xgboost", "estimator", OURS),
    ],
)
def test_a_new_process_gets_the_same_answers_after_a_roll_back(house, estimator, serving, door):
    file, engine, registry = house
    params = {"xgboost": {"n_estimators": 3}}.get(estimator, handmade.SIZE.get(estimator))
    settings = {"params": params, "serving": serving}
    handmade.train_one(engine, registry, estimator, **settings)
    handmade.promote_one(engine, registry)
    first = [[row["id"], row["answer"], dict(row["shares"])] for row in engine.query(QUERY).to_pylist()]
    handmade.train_one(engine, registry, estimator, **settings, features={"exclude": ["speed"]})
    assert handmade.promote_one(engine, registry).previous == 1
    rollback(engine, registry, "lateness", now=handmade.NOW + timedelta(hours=1))
    engine.close()
    assert ask_elsewhere(file.path, door, QUERY) == first


def test_a_client_without_the_kernel_is_told_how_to_open_the_file(house):
    file, engine, registry = house
    handmade.train_one(engine, registry, "hist_gradient_boosting")
    handmade.promote_one(engine, registry)
    engine.close()
    code = f"import sys; {PLAIN}; connection.execute(sys.argv[2])"
    done = subprocess.run(
        [sys.executable, "-c", code, file.path, QUERY], capture_output=True, text=True, check=False
    )
    assert "Open the file with snowml.connect()" in done.stderr


@pytest.mark.parametrize(("estimator", "what"), [("logistic_regression", "softmax"), ("xgboost", "mapped")])
def test_probabilities_that_change_places_are_not_promoted(house, monkeypatch, estimator, what):
    _, engine, registry = house
    params = {"xgboost": {"n_estimators": 3}}.get(estimator, {})
    handmade.train_one(engine, registry, estimator, params=params)
    written = getattr(multiclass, what)

    def reversed_(*args):
        return (
            written(tuple(reversed(args[0])))
            if what == "softmax"
            else written(f"list_reverse({args[0]})", *args[1:])
        )

    monkeypatch.setattr(multiclass, what, reversed_)
    with pytest.raises(ParityFailed):
        handmade.promote_one(engine, registry)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("estimator", ["hist_gradient_boosting", "lightgbm", "xgboost"])
def test_a_flipped_comparison_is_refused_whatever_the_library_and_the_classes(
    house, monkeypatch, estimator, classes
):
    _, engine, registry = house
    if classes == 2:
        handmade.fill(engine, handmade.frame())
    right = compiling._forest
    monkeypatch.setattr(
        compiling, "_forest", lambda artifact: replace(right(artifact), strict=estimator != "xgboost")
    )
    params = handmade.SIZE.get(estimator, {"n_estimators": 5})
    trained = handmade.train_one(engine, registry, estimator, params=params, serving="kernel")
    assert not trained.passed
    assert "threshold rows" in trained.refused
    with pytest.raises(ParityFailed):
        handmade.promote_one(engine, registry)


def test_a_rounded_weight_of_one_class_is_refused(house, monkeypatch):
    _, engine, registry = house
    written = compiled.models.MARGINS

    def rounded(model, *args):
        model = deepcopy(model)  # scikit-learn answers with the original
        model.coef_[1] = model.coef_[1].round(6)
        return written[type(model)](model, *args)

    monkeypatch.setattr(compiled.models, "MARGINS", dict.fromkeys(written, rounded))
    trained = handmade.train_one(engine, registry)
    assert not trained.passed
    assert "by scikit-learn for class" in trained.refused


def scored(house, estimator="hist_gradient_boosting"):
    _, engine, registry = house
    trained = handmade.train_one(engine, registry, estimator)
    handmade.promote_one(engine, registry)
    located = Located(handmade.spec(estimator))
    found = predict_batch(engine, registry, located, as_of=handmade.AS_OF)
    return engine, registry, located, trained, found


def test_a_batch_appends_label_score_and_probabilities(house):
    engine, registry, located, _, found = scored(house)
    assert found.scored == 300
    rows = engine.query("select * from lateness_predictions order by id").to_pylist()
    assert list(rows[0]) == [
        "id",
        "as_of",
        "prediction",
        "score",
        "probabilities",
        "model_version",
        "predicted_at",
    ]
    asked = engine.query(QUERY).to_pylist()
    for row, answer in zip(rows, asked, strict=True):
        assert (row["prediction"], row["probabilities"]) == (answer["answer"], answer["shares"])
        assert row["score"] == dict(row["probabilities"])[row["prediction"]]
    assert predict_batch(engine, registry, located, as_of=handmade.AS_OF).scored == 0


def test_monitoring_measures_labels_probabilities_and_the_shares_of_what_is_predicted(house):
    engine, registry, located, _, _ = scored(house)
    engine.execute("create view scored as select * from lateness_predictions")
    found = monitor(
        engine, registry, located, as_of=handmade.AS_OF + timedelta(days=10), window=timedelta(days=40)
    )
    rows = engine.query(
        "select p.*, t.late from lateness_predictions as p inner join training_set as t using (id) "
        "where p.as_of >= ? order by id",
        [handmade.AS_OF - timedelta(days=30)],
    ).to_pylist()
    classes = sorted({row["late"] for row in rows})
    shares = np.array([[share for _, share in row["probabilities"]] for row in rows])
    truth, answers = [row["late"] for row in rows], [row["prediction"] for row in rows]
    expected = {
        "roc_auc": metrics.roc_auc_score(truth, shares, multi_class="ovr", labels=classes),
        "log_loss": metrics.log_loss(truth, shares, labels=classes),
        "accuracy": metrics.accuracy_score(truth, answers),
        "macro_f1": metrics.f1_score(truth, answers, average="macro"),
    }
    measured = found.measured()
    assert measured["model"] == pytest.approx(expected, rel=1e-12)
    assert set(measured) == {"model", "constant", "best_rule"}
    assert measured["model"]["log_loss"] < measured["constant"]["log_loss"]
    drift = {row.column_name: row for row in found.drift}
    assert set(drift) == {"speed", 'Wind "Gust" m/s?', "town", "(prediction)"}
    assert not drift["(prediction)"].drifted


def test_a_shift_of_what_is_predicted_is_drift(house):
    engine, registry, located, _, _ = scored(house)
    engine.execute("update lateness_predictions set prediction = 'early'")
    found = monitor(engine, registry, located, as_of=handmade.AS_OF, window=timedelta(days=60))
    assert "(prediction)" in {row.column_name for row in found.drifted}


def test_a_lost_function_of_several_classes_is_made_again(house):
    engine, registry, located, _, _ = scored(house, "logistic_regression")
    before = engine.query(QUERY).to_pylist()
    engine.execute("drop macro main.predict_lateness_label")
    predict_batch(engine, registry, located, as_of=handmade.AS_OF)
    assert engine.comments(Relation("main", "predict_lateness_label")) == ["snowml: lateness version 1"]
    assert engine.query(QUERY).to_pylist() == before
