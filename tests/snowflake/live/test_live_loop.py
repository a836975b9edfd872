"""The loop on a real account: deployed, run by the procedures, promoted, scored, monitored, taken away.

What differs here from the stand-in is what to send back: the whole output of
`pytest tests/snowflake/live -v`, which holds no secret.
"""

import os

import handmade
import pytest
from training_set import fill

from snowml.deploy.found import look
from snowml.deploy.plan import Place, apply, plan, remove_all
from snowml.deploy.settings import Deployment
from snowml.names import Relation
from snowml.progress import Silent
from snowml.registry.store import Registry

SCHEDULE = "0 6 * * * UTC"
TASKS = ("features", "score_lateness", "monitor_lateness", "retrain_lateness", "finalize")


@pytest.fixture(scope="module")
def place(account):
    """The handmade model, deployed into the schemas of this run."""
    engine = account.engine
    fill(engine, schema=account.schema)
    relation = Relation(account.schema, "training_set")
    spec = handmade.spec(
        monitor={"schedule": SCHEDULE, "window": "90 days"}, retrain={"on_new_rows": 1}
    ).model_copy(
        update={
            "training_set": relation,
            "scoring_set": relation,
            "registry_schema": account.registry,
            "function_schema": account.schema,
        }
    )
    deployment = Deployment(warehouse=os.environ["SNOWFLAKE_WAREHOUSE"])
    place = Place(engine.database, account.registry, account.schema, (spec,), deployment)
    apply(engine, steps(account, place), Silent())
    return place


def steps(account, place, **options):
    found = look(account.engine, place.stage, place.schema)
    registry = Registry(account.engine, place.registry)
    return plan(place, found, registry=registry, now=handmade.NOW, **{"resume": False, **options})


def test_a_second_deployment_does_nothing(account, place):
    assert [step for step in steps(account, place) if step.action != "keep"] == []


def test_the_tasks_train_promote_score_and_monitor(account, place):
    engine = account.engine
    for _ in range(2):
        for task in TASKS:
            engine.call("run_task", [SCHEDULE, task, None, handmade.AS_OF.isoformat()])
    registry = Registry(engine, place.registry)
    assert {run.state for run in registry.task_runs()} == {"succeeded"}
    assert registry.champion(handmade.MODEL).version == 1
    assert registry.parity(handmade.MODEL)[1].certified
    second = [run.detail for run in registry.task_runs()][len(TASKS) :]
    assert second[1] == "200 rows scored by version 1"
    assert "drifted: " in second[2]


def test_tasks_are_let_run_and_suspended_again(account, place):
    apply(account.engine, steps(account, place, resume=True), Silent())
    assert [step for step in steps(account, place, resume=True) if step.action != "keep"] == []


def test_what_was_deployed_is_taken_away(account, place):
    apply(account.engine, remove_all(look(account.engine, place.stage, place.schema)), Silent())
    assert remove_all(look(account.engine, place.stage, place.schema)) == []
    assert Registry(account.engine, place.registry).models() == [handmade.MODEL]
