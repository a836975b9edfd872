"""What stands in stored_procs/ as procedures: the warehouse trains, promotes and scores, and its rows stay there.

They run where nothing is installed but what they declare.
"""

from datetime import timedelta

import handmade
import pytest

pytest.importorskip("snowflake.snowpark", reason="the extra 'snowflake' is not installed")

from clean_environment import python_with
from snowflake_procedures import deploy
from training_set import fill

from snowml.engines.snowflake.packages import PROCEDURES, pinned
from snowml.errors import TerminalError
from snowml.names import Relation
from snowml.registry.store import Registry

pytestmark = pytest.mark.clean


@pytest.fixture(scope="module")
def standin(tmp_path_factory):
    """A stand-in whose procedures and functions run in an environment of what the procedures declare."""
    from standin import StandIn

    python = python_with(pinned(PROCEDURES), tmp_path_factory)
    with StandIn(python=python, log=tmp_path_factory.mktemp("clean_standin") / "log.txt") as server:
        yield server


@pytest.fixture
def engine(snowflake_engine):
    """A session whose schema has the procedures, and whose registry knows the model."""
    engine = snowflake_engine
    fill(engine)
    registry = Registry(engine, "snowml").create()
    spec = handmade.spec(retrain={"on_new_rows": 1})
    registry.record_spec(handmade.MODEL, spec.hash, spec.model_dump_json(), handmade.NOW)
    deploy(engine, "public")
    return engine


def test_the_loop_runs_inside_of_the_warehouse(engine, warehouse):
    before = len(warehouse.records)
    trained = engine.call("train_model", [handmade.MODEL, handmade.AS_OF.isoformat()])
    assert (trained["model"], trained["version"], trained["status"]) == (handmade.MODEL, 1, "approved")
    assert trained["as_of"] == f"{handmade.AS_OF.isoformat()}Z"
    assert trained["metrics"]["test"]["roc_auc"] > 0.5
    home = Relation("snowml", handmade.MODEL)
    assert [one.name for one in engine.models.versions(home)] == ["V1"]
    promoted = engine.call("promote_model", [handmade.MODEL])
    assert promoted["parity"]["certified"] is True
    assert promoted["parity"]["max_abs_diff"] < 1e-9
    scored = engine.call("predict_batch", [handmade.MODEL, handmade.AS_OF.isoformat()])
    assert scored["scored"] == scored["total"] == 200
    assert engine.call("predict_batch", [handmade.MODEL, handmade.AS_OF.isoformat()])["scored"] == 0
    monitored = engine.call("monitor_model", [handmade.MODEL, handmade.AS_OF.isoformat(), "30 days"])
    assert 0 < monitored["labelled"] < monitored["rows"] < 200
    asked = warehouse.records[before:]
    # The answer of each CALL, and what SHOW MODELS and SHOW VERSIONS tell.
    assert sum(record.rows for record in asked if record.origin == "client") == 5 + 2
    assert sum(record.rows for record in asked if record.origin == "procedure") > 200
    assert Registry(engine, "snowml").champion(handmade.MODEL).version == 1
    again = engine.call("retrain_model", [handmade.MODEL, handmade.AS_OF.isoformat(), None])
    assert (again["outcome"], again["based_on"], again["version"]) == ("promoted", None, 1)
    later = (handmade.AS_OF + timedelta(days=3)).isoformat()
    again = engine.call("retrain_model", [handmade.MODEL, later, False])
    assert (again["outcome"], again["based_on"], again["version"]) == ("kept", 1, 2)
    assert again["reasons"][0]["detail"].startswith("4 new labels since the training as of 2013-04-01")


def test_a_failure_inside_is_the_warehouses_with_its_reason(engine):
    with pytest.raises(TerminalError, match="knows no model 'latenes'"):
        engine.call("train_model", ["latenes", None])
