"""What stands in stored_procs/ as procedures: the warehouse trains, promotes and scores, and its rows stay there."""

from datetime import timedelta
from importlib.metadata import version
from platform import python_version_tuple

import handmade
import pytest

pytest.importorskip("snowflake.snowpark", reason="the extra 'snowflake' is not installed")

from training_set import fill

from snowml.engines.snowflake.code import package
from snowml.engines.snowflake.functions import REPOSITORY
from snowml.engines.snowflake.stage import location
from snowml.errors import TerminalError
from snowml.names import Relation
from snowml.registry.store import Registry
from snowml.shipped import shipped

# What snowml imports inside of a procedure; Snowpark is there for the session.
PACKAGES = (
    "cronsim",
    "jinja2",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "pyyaml",
    "scikit-learn",
    "skops",
    "sqlglot",
    "threadpoolctl",
)
ARGUMENTS = {
    "train_model": '"MODEL" varchar, "AS_OF" varchar',
    "promote_model": '"MODEL" varchar',
    "predict_batch": '"MODEL" varchar, "AS_OF" varchar',
    "retrain_model": '"MODEL" varchar, "AS_OF" varchar, "FORCE" boolean',
}


@pytest.fixture
def engine(snowflake_engine):
    """A session whose schema has the procedures, and whose registry knows the model."""
    engine = snowflake_engine
    fill(engine)
    registry = Registry(engine, "snowml").create()
    spec = handmade.spec(retrain={"on_new_rows": 1})
    registry.record_spec(handmade.MODEL, spec.hash, spec.model_dump_json(), handmade.NOW)
    code = Relation("main", "code")
    engine.execute(f"create stage {code.within(engine.database).sql('snowflake')}")
    deploy(engine, code)
    return engine


def deploy(engine, code):
    name, data = package()
    engine.put(code, name, data)
    packages = [f"{item}=={version(item)}" for item in PACKAGES] + ["snowflake-snowpark-python"]
    for procedure, arguments in ARGUMENTS.items():
        file = f"{procedure}.py"
        engine.put(code, file, (shipped("stored_procs") / file).read_bytes())
        imports = ", ".join(f"'{location(code.within(engine.database), item)}'" for item in (file, name))
        home = Relation("public", procedure, engine.database).sql("snowflake")
        engine.execute(
            f"create procedure {home}({arguments}) returns variant language python "
            f"runtime_version = '{'.'.join(python_version_tuple()[:2])}' artifact_repository = {REPOSITORY} "
            f"packages = ({', '.join(map(repr, packages))}) imports = ({imports}) "
            f"handler = '{procedure}.main' execute as owner"
        )


def test_the_loop_runs_inside_of_the_warehouse(engine, warehouse):
    before = len(warehouse.records)
    trained = engine.call("train_model", [handmade.MODEL, handmade.AS_OF.isoformat()])
    assert (trained["model"], trained["version"], trained["status"]) == (handmade.MODEL, 1, "approved")
    assert trained["as_of"] == f"{handmade.AS_OF.isoformat()}Z"
    assert trained["metrics"]["test"]["roc_auc"] > 0.5
    promoted = engine.call("promote_model", [handmade.MODEL])
    assert promoted["parity"]["certified"] is True
    assert promoted["parity"]["max_abs_diff"] < 1e-9
    scored = engine.call("predict_batch", [handmade.MODEL, handmade.AS_OF.isoformat()])
    assert scored["scored"] == scored["total"] == 200
    assert engine.call("predict_batch", [handmade.MODEL, handmade.AS_OF.isoformat()])["scored"] == 0
    asked = warehouse.records[before:]
    assert sum(record.rows for record in asked if record.origin == "client") == 4
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
