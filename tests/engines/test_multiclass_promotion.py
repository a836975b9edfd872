"""A model of more than two classes on both engines: trained, promoted, proved, scored and monitored.

The stand-in keeps an OBJECT as JSON: that a real account brings every double through one unchanged is not shown here.
There the certificate that a promotion needs is made by the deployed functions.
"""

import json
from datetime import timedelta

import handmade
import numpy as np
import pytest
from training_set import fill

from snowml.names import Relation, quoted
from snowml.registry.store import Registry
from snowml.training.fitting import answer
from snowml.workflows.batch import predict_batch
from snowml.workflows.champion import load_artifact
from snowml.workflows.monitor import monitor
from snowml.workflows.promote import rollback
from snowml.workflows.specs import Located

LABELS = ("early", "it's late", "on time")
CASES = [
    ("logistic_regression", {}, "sql"),
    ("hist_gradient_boosting", {}, "kernel"),
    ("xgboost", {"params": {"n_estimators": 3}, "serving": "estimator"}, "estimator"),
]


def frame(rows=200):
    made = handmade.frame(rows)
    lateness = np.nan_to_num(made.speed) + (made.town == "a")
    return made.assign(late=np.array(LABELS, dtype=object)[np.digitize(lateness, [-0.2, 0.7])])


@pytest.fixture
def registry(engine, monkeypatch):
    monkeypatch.setitem(fill.__globals__["COLUMNS"], "late", "varchar")
    made = frame()
    monkeypatch.setattr(handmade, "frame", lambda rows: made)
    fill(engine)
    return Registry(engine, "snowml")


def train(registry, estimator="logistic_regression", **changes):
    return handmade.train_one(registry.engine, registry, estimator, **changes).version


def asked(registry, version, model=handmade.MODEL):
    """Labels and probabilities of every row, of its own functions."""
    engine = registry.engine
    arguments = ", ".join(quoted(feature.name, engine.name) for feature in version.signature.features)
    home = Relation("main", f"predict_{model}", engine.database)
    proba, label = (Relation("main", f"{home.name}_{part}", engine.database) for part in ("proba", "label"))
    found = engine.query(
        f"select answer, {label.sql(engine.name)}(shares) as same, shares from (select id, "
        f"{home.sql(engine.name)}({arguments}) as answer, {proba.sql(engine.name)}({arguments}) as shares "
        f"from {Relation('main', 'training_set', engine.database).sql(engine.name)}) as asked order by id"
    ).to_pylist()
    for row in found:
        row["shares"] = json.loads(row["shares"]) if isinstance(row["shares"], str) else dict(row["shares"])
        assert row["answer"] == row["same"]
    return (
        [row["answer"] for row in found],
        [list(row["shares"].values()) for row in found],
        found[0]["shares"],
    )


@pytest.mark.parametrize(("estimator", "changes", "flavor"), CASES)
def test_labels_and_all_probabilities_are_those_of_scikit_learn(registry, estimator, changes, flavor):
    version = train(registry, estimator, **changes)
    assert version.flavor == flavor
    done = handmade.promote_one(registry.engine, registry)
    assert done.parity.certified
    labels, shares, first = asked(registry, version)
    assert set(first) == set(LABELS)
    rows = frame()[[feature.name for feature in version.signature.features]]
    wanted, probabilities = answer(load_artifact(registry, version), rows)
    assert labels == wanted.tolist()
    np.testing.assert_allclose(shares, probabilities, rtol=0 if flavor != "sql" else 1e-12, atol=1e-15)


def test_it_is_scored_monitored_and_rolled_back(registry):
    first = train(registry, "hist_gradient_boosting")
    handmade.promote_one(registry.engine, registry)
    before = asked(registry, first)
    engine, located = registry.engine, Located(handmade.spec("hist_gradient_boosting"))
    registry.record_spec(handmade.MODEL, located.spec.hash, located.spec.model_dump_json(), handmade.NOW)
    assert predict_batch(engine, registry, located, as_of=handmade.AS_OF).scored == 200
    assert predict_batch(engine, registry, located, as_of=handmade.AS_OF).scored == 0
    table = Relation("main", "lateness_predictions", engine.database).sql(engine.name)
    rows = engine.query(f"select prediction, score from {table} order by id").to_pylist()
    assert [row["prediction"] for row in rows] == before[0]
    assert [row["score"] for row in rows] == [max(shares) for shares in before[1]]
    found = monitor(engine, registry, located, as_of=handmade.AS_OF, window=timedelta(days=30))
    assert "(prediction)" in {row.column_name for row in found.drift}
    assert 0.5 < found.measured()["model"]["roc_auc"] <= 1
    assert set(found.measured()["constant"]) == {"roc_auc", "log_loss", "accuracy", "macro_f1"}
    second = train(registry, "hist_gradient_boosting", features={"exclude": ["town"]})
    handmade.promote_one(engine, registry)
    assert asked(registry, second)[1] != before[1]
    rollback(engine, registry, handmade.MODEL, now=handmade.NOW)
    assert asked(registry, first) == before
