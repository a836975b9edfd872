"""`explain_<model>` on both engines: made, followed, repaired and rolled back with the functions that predict."""

import json

import handmade
import numpy as np
import pytest
from scipy.special import logit
from training_set import fill

from snowml.errors import TerminalError
from snowml.names import Relation, quoted
from snowml.registry.store import Registry
from snowml.serving.functions import says
from snowml.workflows.explained import explained
from snowml.workflows.promote import rollback
from snowml.workflows.repair import repair


@pytest.fixture
def registry(engine):
    fill(engine)
    return Registry(engine, "snowml")


def train(registry, estimator, **changes):
    return handmade.train_one(registry.engine, registry, estimator, **changes).version


def asked(registry, version, name):
    """Contributions, by feature and `_base`, and the probability, of every row."""
    engine = registry.engine
    arguments = ", ".join(quoted(feature.name, engine.name) for feature in version.signature.features)
    explain, proba = (
        Relation("main", function, engine.database).sql(engine.name)
        for function in (f"explain_{name}", f"predict_{name}_proba")
    )
    rows = engine.query(
        f"select {explain}({arguments}) as told, {proba}({arguments}) as p "
        f"from {Relation('main', 'training_set', engine.database).sql(engine.name)}"
    ).to_pylist()
    told = (json.loads(row["told"]) if isinstance(row["told"], str) else row["told"] for row in rows)
    return [(one, row["p"]) for one, row in zip(told, rows, strict=True)]


@pytest.mark.parametrize("estimator", ["logistic_regression", "hist_gradient_boosting", "decision_tree"])
def test_contributions_add_up_on_either_engine(registry, estimator):
    version = train(registry, estimator, **({"serving": "estimator"} if estimator == "decision_tree" else {}))
    handmade.promote_one(registry.engine, registry)
    rows = asked(registry, version, handmade.MODEL)
    assert set(rows[0][0]) == {*(feature.name for feature in version.signature.features), "_base"}
    sums, answers = np.array([[sum(told.values()), p] for told, p in rows]).T
    wanted = answers if estimator == "decision_tree" else logit(answers)
    np.testing.assert_allclose(sums, wanted, atol=1e-9)
    assert rows == asked(registry, version, f"{handmade.MODEL}_v1")


def test_it_follows_promotion_and_rollback_and_is_repaired(registry):
    engine, name = registry.engine, Relation("main", "explain_lateness", registry.engine.database)
    first = train(registry, "hist_gradient_boosting")
    handmade.promote_one(engine, registry)
    before = asked(registry, first, handmade.MODEL)
    second = train(registry, "logistic_regression", features={"exclude": ["town"]})
    handmade.promote_one(engine, registry)
    assert "town" not in asked(registry, second, handmade.MODEL)[0][0]
    assert engine.comments(name) == [says(second)]
    rollback(engine, registry, handmade.MODEL, now=handmade.NOW)
    assert engine.comments(name) == [says(first)]
    assert asked(registry, first, handmade.MODEL) == before
    types = ", ".join("float" if one.kind == "number" else "varchar" for one in first.signature.features)
    kind, listed = ("macro", "") if engine.name == "duckdb" else ("function", f"({types})")
    engine.execute(f"drop {kind} {name.sql(engine.name)}{listed}")
    assert repair(registry, handmade.MODEL)
    assert asked(registry, first, handmade.MODEL) == before


def test_a_model_that_cannot_be_explained_says_why(registry, monkeypatch):
    engine = registry.engine
    monkeypatch.setattr("snowml.serving.explaining.BASE", "speed")
    version = train(registry, "logistic_regression")
    handmade.promote_one(engine, registry)
    assert "a feature is called 'speed'" in explained(registry, version)
    if engine.name == "duckdb":
        with pytest.raises(TerminalError, match="a feature is called 'speed'"):
            asked(registry, version, handmade.MODEL)
        return
    told = asked(registry, version, handmade.MODEL)[0][0]
    assert list(told) == ["_error"]
    assert "a feature is called 'speed'" in told["_error"]
