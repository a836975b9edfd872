"""Runs among Snowflake's own experiments, through snowflake-ml's ExperimentTracking on the stand-in."""

import handmade
import pytest

pytest.importorskip("snowflake.ml", reason="the extra 'snowflake' is not installed")

from training_set import fill

from snowml.engines.snowflake.experiments import track
from snowml.engines.snowflake.native import SnowflakeModels
from snowml.errors import TerminalError
from snowml.names import Relation
from snowml.registry.store import Registry

ASKED = {"experiment_tracking": True}


@pytest.fixture
def registry(engine):
    fill(engine)
    return Registry(engine, "snowml")


def listed(registry, what):
    place = f"{registry.engine.database}.snowml.lateness"
    return registry.engine.query(f"show {what} in experiment {place}").to_pylist()


def test_a_run_is_written_with_parameters_and_metrics(registry, only, capfd):
    only("snowflake", "there alone are experiments")
    trained = handmade.train_one(registry.engine, registry, params={"C": 0.5, "max_iter": 200}, **ASKED)
    (run,) = listed(registry, "runs")
    name = f"V1_{trained.run.run_id[:8].upper()}"
    assert (run["name"], run["metadata"]) == (name, '{"status": "FINISHED"}')
    metrics = {row["name"]: float(row["value"]) for row in listed(registry, "run metrics")}
    assert metrics["test_roc_auc"] == trained.measured["model"]["test"]["roc_auc"]
    assert metrics["constant_test_log_loss"] == trained.measured["constant"]["test"]["log_loss"]
    params = {row["name"]: row["value"] for row in listed(registry, "run parameters")}
    assert params["param_C"] == "0.5"
    assert params["run_id"] == trained.run.run_id
    assert trained.summary()["experiment"] == {"run": name.lower(), "problem": None}
    # Another run stands beside it; what the client prints goes nowhere.
    handmade.train_one(registry.engine, registry, params={"C": 0.4, "max_iter": 200}, **ASKED)
    assert len(listed(registry, "runs")) == 2
    assert capfd.readouterr().out == ""


def test_where_nobody_asks_or_there_are_none_nothing_is_written(registry):
    asked = registry.engine.name == "duckdb"
    trained = handmade.train_one(registry.engine, registry, **(ASKED if asked else {}))
    assert trained.summary()["experiment"] is None
    if not asked:
        with pytest.raises(TerminalError, match="does not exist"):
            listed(registry, "runs")


@pytest.mark.parametrize(
    "error", [TerminalError("Snowflake: no right to CREATE EXPERIMENT"), KeyError("status")]
)
def test_its_failure_is_told_and_breaks_no_training(registry, only, monkeypatch, error):
    only("snowflake", "there alone are experiments")

    def fail(*_):
        raise error

    monkeypatch.setattr(SnowflakeModels, "track", fail)
    trained = handmade.train_one(registry.engine, registry, **ASKED)
    assert trained.passed
    assert type(error).__name__ in trained.summary()["experiment"]["problem"]
    assert [one.version for one in registry.versions(handmade.MODEL)] == [1]


def test_what_an_experiment_cannot_take_is_left_out_or_made_plain(registry, only):
    only("snowflake", "there alone are experiments")
    engine = registry.engine
    engine.execute("create schema snowml")
    place = Relation("snowml", "lateness", engine.database)
    track(engine, place, "v1", {"price": "$$ 'x' \\"}, {"good": 1.5, "bad": float("nan")})
    assert [row["name"] for row in listed(registry, "run metrics")] == ["good"]
    assert [row["value"] for row in listed(registry, "run parameters")] == ["$ $ 'x' \\"]
    # It has ended: it takes nothing more, and no other of its name is made.
    with pytest.raises(TerminalError, match="cannot be resumed"):
        track(engine, place, "v1", {}, {})
    for sql, told in (
        ("alter experiment snowml.lateness modify run v1 add metrics=$$[]$$", "has ended"),
        ("alter experiment snowml.lateness commit run v2", "V2"),
        ("alter experiment snowml.lateness rename to x", "RENAME"),
        ("create experiment snowml.lateness", "already exists"),
        ("drop experiment snowml.nothing", "NOTHING"),
    ):
        with pytest.raises(TerminalError, match=f"(?i){told}"):
            engine.execute(sql)
