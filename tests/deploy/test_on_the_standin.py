"""A deployment on the stand-in: made, made again, changed, broken off and taken away.

What an account makes of it, no test here knows.
"""

import re

import handmade
import pytest
from snowflake_target import open_standin
from training_set import fill

from snowml.deploy.found import look
from snowml.deploy.plan import apply, plan, remove_all
from snowml.errors import TerminalError
from snowml.names import Relation
from snowml.progress import Silent
from snowml.registry.schema import CURRENT, schema_version
from snowml.registry.store import Registry

pytestmark = pytest.mark.standin_loop

NOTIFY = {"integration": "mail", "emails": ["a@example.com"]}
GRAPH = "SNOWML_0_6_X_X_X_EUROPE_BERLIN_"
ORDER = {
    "FEATURES": [],
    "SCORE_LATENESS": ["FEATURES"],
    "MONITOR_LATENESS": ["SCORE_LATENESS"],
    "RETRAIN_LATENESS": ["MONITOR_LATENESS"],
    "FINALIZE": ["FEATURES"],
}


@pytest.fixture
def engine(warehouse):
    engine = open_standin(warehouse)
    try:
        yield engine
    finally:
        engine.close()


class Deployer:
    """Plans against the stand-in, and applies."""

    def __init__(self, engine, place):
        self.engine, self._place = engine, place

    def place(self, **changes):
        return self._place(self.engine.database, **{"roles": [], **changes})

    def plan(self, resume=False, **changes):
        place = self.place(**changes)
        found = look(self.engine, place.stage, place.schema)
        registry = Registry(self.engine, place.registry)
        return plan(place, found, registry=registry, now=handmade.NOW, resume=resume)

    def deploy(self, **options):
        steps = self.plan(**options)
        apply(self.engine, steps, Silent())
        return [(step.action, step.what, step.name) for step in steps if step.action != "keep"]

    def shown(self, kind):
        rows = self.engine.query(f'show {kind} in schema "{self.engine.database}"."SNOWML"').to_pylist()
        return {row["name"]: row for row in rows}

    def order(self):
        """Each task, and the one that it comes after, without what all names begin with."""
        return {
            name.removeprefix(GRAPH): re.findall(
                rf"{GRAPH}(\w+)", row["predecessors"] + row["task_relations"]
            )
            for name, row in self.shown("tasks").items()
        }

    def states(self):
        return {name: row["state"] for name, row in self.shown("tasks").items()}


@pytest.fixture
def deployer(engine, place):
    return Deployer(engine, place)


def test_it_is_made_once_changed_where_it_differs_and_taken_away_whole(deployer):
    engine = deployer.engine
    made = deployer.deploy(notify=NOTIFY)
    assert {action for action, _, _ in made} == {"create"}
    assert set(deployer.states().values()) == {"suspended"}
    assert len(deployer.states()) == 5
    assert schema_version(engine, "snowml") == CURRENT
    assert Registry(engine, "snowml").models() == [handmade.MODEL]

    # A build may record the same specification at another commit.
    (spec,) = deployer.place().specs
    other = spec.model_copy(update={"git_commit": "abc", "manifest_hash": None})
    Registry(engine, "snowml").record_spec(spec.name, spec.hash, other.to_json(), handmade.NOW)

    # A second time does nothing, and says nothing to the warehouse but questions.
    assert deployer.deploy(notify=NOTIFY) == []
    assert {kind for _, kind, _ in deployer.deploy(notify=NOTIFY, resume=True)} == {"task", "alert"}
    assert set(deployer.states().values()) == {"started"}
    assert deployer.deploy(notify=NOTIFY, resume=True) == []

    # A graph that runs is replaced, and runs again.
    changed = deployer.deploy(notify=NOTIFY, timeout="2 hours")
    assert [action for action, _, _ in changed] == [*["suspend"] * 5, *["replace"] * 5, *["resume"] * 5]
    assert deployer.order() == ORDER
    assert set(deployer.states().values()) == {"started"}
    less = deployer.deploy(timeout="2 hours", upkeep={"monitor": {"schedule": "0 6 * * * Europe/Berlin"}})
    assert ("remove", "task", f"{GRAPH}RETRAIN_LATENESS".lower()) in less
    assert len(deployer.states()) == 4
    assert set(deployer.states().values()) == {"started"}
    assert deployer.shown("alerts") == {}

    place = deployer.place()
    apply(engine, remove_all(look(engine, place.stage, place.schema)), Silent())
    assert (deployer.shown("tasks"), deployer.shown("stages").keys() & {"SNOWML_CODE"}) == ({}, set())
    assert remove_all(look(engine, place.stage, place.schema)) == []
    # What holds data is there.
    assert Registry(engine, "snowml").models() == [handmade.MODEL]


def test_what_breaks_off_is_gone_on_with(deployer, monkeypatch):
    engine = deployer.engine
    whole, run = deployer.plan(), engine.execute
    broken = f"{GRAPH}MONITOR_LATENESS"

    def execute(sql, params=()):
        if "create or replace task" in sql and f'"{broken}"\n' in sql:
            raise TerminalError("Insufficient privileges.")
        run(sql, params)

    monkeypatch.setattr(engine, "execute", execute)
    with pytest.raises(TerminalError, match="Insufficient privileges") as caught:
        apply(engine, whole, Silent())
    done = len(whole) - 3
    assert f"create task {broken.lower()}: " in str(caught.value)
    assert f"{done} of {len(whole)} steps are done and stay. Run snowml deploy again" in str(caught.value)
    monkeypatch.undo()
    rest = [name.upper().removeprefix(GRAPH) for _, _, name in deployer.deploy()]
    # What was done is not done again.
    assert rest == ["MONITOR_LATENESS", "RETRAIN_LATENESS", "FINALIZE"]
    assert deployer.order() == ORDER
    assert deployer.deploy() == []


def test_a_change_that_breaks_off_leaves_no_task_without_its_place(deployer, monkeypatch):
    engine = deployer.engine
    deployer.deploy()
    run = engine.execute

    def execute(sql, params=()):
        if "create or replace task" in sql and f'"{GRAPH}SCORE_LATENESS"\n' in sql:
            raise TerminalError("Insufficient privileges.")
        run(sql, params)

    monkeypatch.setattr(engine, "execute", execute)
    with pytest.raises(TerminalError):
        apply(engine, deployer.plan(timeout="2 hours"), Silent())
    monkeypatch.undo()
    # Back to what was wanted at first: each but the root has the right definition, and two have lost their place.
    assert deployer.order()["SCORE_LATENESS"] == deployer.order()["FINALIZE"] == []
    deployer.deploy()
    assert deployer.order() == ORDER
    assert deployer.deploy() == []


def test_files_of_earlier_deployments_go_unless_another_deployment_uses_them(deployer):
    engine = deployer.engine
    deployer.deploy()
    stage = deployer.place().stage
    old = [f"snowml_{digit * 16}.zip" for digit in "12"]
    for name in old:
        engine.put(stage, name, b"PK\x05\x06" + bytes(18))
    engine.execute("create schema elsewhere")
    name = Relation("elsewhere", "train_model", engine.database).sql("snowflake")
    engine.execute(
        f"create procedure {name}(a varchar) returns varchar language python runtime_version = '3.11' "
        f"packages = ('snowflake-snowpark-python') imports = ('@{stage.sql('snowflake')}/{old[1]}') "
        "handler = 'run' comment = 'snowml deploy 1' as 'def run(session, a): return a'"
    )
    assert deployer.deploy() == [("remove", "file", old[0])]
    assert deployer.deploy() == []
    engine.execute(f"drop procedure {name}(varchar)")
    assert deployer.deploy() == [("remove", "file", old[1])]


def test_a_graph_waits_for_rows_takes_them_and_waits_again(deployer):
    engine = deployer.engine
    engine.execute("create schema if not exists main")
    fill(engine)
    table = Relation("main", "training_set")
    serverless = {"serverless": {"max": "SMALL"}, "stream": table, "resume": True}
    deployer.deploy(**serverless)
    assert deployer.deploy(**serverless) == []
    root = deployer.shown("tasks")[GRAPH + "FEATURES"]
    assert root["warehouse"] == ""
    (stream,) = deployer.shown("streams")
    asked = f"select {root['condition']} as has_data"

    def has_data():
        return next(iter(engine.query(asked).to_pylist()[0].values()))

    def features():
        engine.execute(root["definition"].removesuffix(")") + f", null, '{handmade.AS_OF.isoformat()}')")
        return Registry(engine, "snowml").task_runs()[-1].detail

    assert has_data()
    assert features().endswith("; 200 new rows in main.training_set")
    assert not has_data()
    name = table.within(engine.database).sql("snowflake")
    engine.execute(f"insert into {name} select * from {name} limit 3")
    assert has_data()
    assert features().endswith("; 3 new rows in main.training_set")
    assert not has_data()
    # Made anew, the table has another stream, or none could be read.
    engine.execute(f"create or replace table {name} as select * from {name}")
    assert deployer.deploy(**serverless) == [("replace", "stream", stream.lower())]
    assert has_data()
    deployer.deploy()
    assert deployer.shown("streams") == {}


def test_a_graph_that_was_running_when_it_broke_off_is_told_to_be_resumed(deployer, monkeypatch):
    engine = deployer.engine
    deployer.deploy(resume=True)
    run = engine.execute

    def execute(sql, params=()):
        if "create or replace task" in sql:
            raise TerminalError("Insufficient privileges.")
        run(sql, params)

    monkeypatch.setattr(engine, "execute", execute)
    with pytest.raises(TerminalError, match="snowml deploy --resume again"):
        apply(engine, deployer.plan(timeout="2 hours"), Silent())
    monkeypatch.undo()
    deployer.deploy(timeout="2 hours", resume=True)
    assert set(deployer.states().values()) == {"started"}


def test_the_tasks_call_what_trains_promotes_and_records(deployer, warehouse):
    engine = deployer.engine
    engine.execute("create schema if not exists main")
    fill(engine)
    deployer.deploy()
    before = len(warehouse.records)
    for name in ("FEATURES", "SCORE_LATENESS", "MONITOR_LATENESS", "RETRAIN_LATENESS", "FINALIZE"):
        call = deployer.shown("tasks")[GRAPH + name]["definition"]
        # The rows are of 2013, and a task's moment is the last one that its schedule named.
        engine.execute(call.removesuffix(")") + f", null, '{handmade.AS_OF.isoformat()}')")
    asked = warehouse.records[before:]
    registry = Registry(engine, "snowml")
    runs = registry.task_runs()
    assert [(run.task, run.state) for run in runs] == [
        ("features", "succeeded"),
        ("score_lateness", "succeeded"),
        ("monitor_lateness", "succeeded"),
        ("retrain_lateness", "succeeded"),
        ("finalize", "succeeded"),
    ]
    assert runs[0].detail == "left to a dbt job of your own"
    assert runs[3].detail.startswith("promoted: ")
    assert registry.champion(handmade.MODEL).version == 1
    # Nothing but the answers of SHOW and CALL came to the client.
    assert not [
        one for one in asked if one.origin == "client" and one.sql.lstrip().lower().startswith("select")
    ]


def test_roles_get_the_procedures_and_no_more(deployer, warehouse):
    deployer.deploy(roles=["analyst"])
    grants = [one.sql for one in warehouse.records if one.sql.startswith("grant")]
    assert len(grants) == 5
    assert all("grant usage on procedure" in sql and sql.endswith('to role "ANALYST"') for sql in grants)


def test_what_is_in_the_way_is_named_before_anything_is_done(deployer, warehouse):
    engine = deployer.engine
    engine.execute("create schema analytics")
    name = Relation("analytics", "train_model", engine.database).sql("snowflake")
    engine.execute(
        f"create procedure {name}(a varchar, b varchar) returns varchar language python runtime_version = '3.11' "
        "packages = ('snowflake-snowpark-python') handler = 'run' as 'def run(session, a, b): return a'"
    )
    before = len(warehouse.records)
    with pytest.raises(Exception, match="In the way stands"):
        deployer.deploy()
    assert not [one for one in warehouse.records[before:] if one.sql.startswith("create")]
