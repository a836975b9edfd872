"""Served by MODEL(…)!PREDICT: the flavour native, certified as any other by what the deployed functions answer."""

import hashlib
from dataclasses import replace

import handmade
import numpy as np
import pytest
import sqlglot

pytest.importorskip("snowflake.ml", reason="the extra 'snowflake' is not installed")

from training_set import fill

import snowml.workflows.native as following
from snowml.errors import UserError
from snowml.names import Relation, quoted
from snowml.registry.store import Registry
from snowml.training.data import feature_columns, to_frame
from snowml.workflows.certificate.parity import audit_parity
from snowml.workflows.champion import load_artifact
from snowml.workflows.repair import functions_for


@pytest.fixture
def registry(engine):
    fill(engine)
    return Registry(engine, "snowml")


def train(registry, estimator="logistic_regression", **changes):
    return handmade.train_one(registry.engine, registry, estimator, **{"serving": "native", **changes})


def test_its_functions_answer_what_scikit_learn_answers(registry):
    engine = registry.engine
    trained = train(registry)
    # On DuckDB there are no such objects: the same estimator answers there.
    assert trained.version.flavor == ("native" if engine.name == "snowflake" else "estimator")
    assert trained.parity.certified
    assert trained.parity.max_abs_diff == 0
    handmade.promote_one(engine, registry)
    signature = trained.version.signature
    columns = ", ".join(feature_columns(signature.features, engine.name))
    place = Relation("main", "predict_lateness_proba", engine.database).sql(engine.name)
    arguments = ", ".join(quoted(feature.name, engine.name) for feature in signature.features)
    table = engine.query(
        f"select {columns}, {place}({arguments}) as answer from main.training_set order by id"
    )
    fitted = load_artifact(registry, trained.version).pipeline
    frame = to_frame(table, signature.features)
    assert np.array_equal(table["answer"].to_numpy(), fitted.predict_proba(frame)[:, 1])
    assert audit_parity(registry, handmade.MODEL, None, handmade.NOW).certified


def test_a_regression_is_served_too(registry):
    gates = [{"metric": "mae", "max": 1e9}]
    wanted = {"task": "regression", "label": 'Wind "Gust" m/s?', "features": {"exclude": ["late"]}}
    trained = train(registry, "ridge", **wanted, gates=gates)
    assert trained.parity.certified


def test_on_snowflake_its_functions_are_calls_of_methods(registry, only):
    only("snowflake", "there alone are such objects")
    version = train(registry).version
    functions = functions_for(registry, version, load_artifact(registry, version))
    assert functions.kernel is None
    proba, label, predict = functions.versioned
    assert proba.body == (
        f'cast(model("{registry.engine.database}"."SNOWML"."LATENESS", "V1")!predict_proba(cast("SPEED" as double), '
        'cast("Wind ""Gust"" m/s?" as double), cast("TOWN" as varchar)):probability as double)'
    )
    assert proba.body in predict.body
    assert "model(" not in label.body
    sqlglot.parse_one(f"select {proba.body}", dialect="snowflake")


def test_a_model_that_answers_otherwise_gets_no_certificate(registry, only, monkeypatch):
    only("snowflake", "there alone are such objects")
    other = handmade.train_one(registry.engine, registry, params={"C": 0.001, "max_iter": 200}).version
    data = registry.artifact(other)
    packed = following._native

    def another(*args):
        version = packed(*args)
        return replace(version, data=data, artifact=hashlib.sha256(data).hexdigest())

    monkeypatch.setattr(following, "_native", another)
    trained = train(registry)
    assert not trained.parity.certified
    assert "gets no parity certificate" in trained.refused
    monkeypatch.undo()
    with pytest.raises(Exception, match="no parity certificate"):
        handmade.promote_one(registry.engine, registry, version=trained.version.version)


def test_what_no_method_can_serve_is_refused_on_both(registry):
    registry.engine.execute("alter table main.training_set add column kind varchar")
    registry.engine.execute("update main.training_set set kind = cast(mod(id, 3) as varchar)")
    gates = [{"metric": "accuracy", "min": 0.0}]
    with pytest.raises(
        UserError, match="serving: native cannot serve this model: it has more than two classes"
    ):
        train(registry, label="kind", gates=gates, features={"exclude": ["late"]})
    assert not registry.versions(handmade.MODEL)


def test_a_model_that_was_dropped_is_logged_again_and_served_on(registry, only):
    only("snowflake", "there alone are such objects")
    train(registry)
    handmade.promote_one(registry.engine, registry)
    registry.engine.execute('drop model snowml."LATENESS"')
    second = train(registry, params={"C": 0.5, "max_iter": 200})
    assert second.parity.certified
    assert {one.name for one in registry.engine.models.versions(Relation("snowml", handmade.MODEL))} == {
        "V1",
        "V2",
    }
    handmade.promote_one(registry.engine, registry)
