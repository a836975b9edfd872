"""One task after the other inside of the warehouse, as Snowflake's tasks call them."""

from datetime import timedelta

import handmade
import pytest

from snowml.errors import DataError, ModelNotFound
from snowml.registry.store import Registry
from snowml.workflows.round import run_task

SCHEDULE = "0 0 * * * UTC"
# The first moment at which anything is known to be due, and a minute past it.
AT = handmade.AS_OF + timedelta(minutes=1)


@pytest.fixture
def registry(engine, load):
    load("training_set", handmade.frame(150))
    registry = Registry(engine, "snowml").create()
    spec = handmade.spec(
        monitor={"schedule": SCHEDULE, "window": "90 days"}, retrain={"schedule": "0 0 * * * UTC"}
    )
    registry.record_spec(spec.name, spec.hash, spec.to_json(), handmade.NOW)
    return registry


def run(registry, task, at=AT, **more):
    return run_task(registry.engine, registry, SCHEDULE, task, clock=lambda: at, **more)


def test_a_round_is_opened_by_the_features_and_belongs_to_its_moment(registry):
    assert run(registry, "features").due_at == handmade.AS_OF
    # However long it takes: the next moment has come meanwhile.
    late = AT + timedelta(days=2)
    assert run(registry, "score_lateness", late).due_at == handmade.AS_OF
    assert run(registry, "score_lateness", late).detail == "no version is promoted yet"
    run(registry, "monitor_lateness", late)
    assert run(registry, "retrain_lateness", late).detail.startswith("promoted: ")
    assert run(registry, "finalize", late).state == "succeeded"

    assert run(registry, "features", late).due_at == handmade.AS_OF + timedelta(days=2)
    assert run(registry, "score_lateness", late).detail == "150 rows scored by version 1"
    assert "drifted: " in run(registry, "monitor_lateness", late).detail


def test_a_task_that_fails_is_recorded_and_fails(registry):
    run(registry, "features")
    for task in ("score_lateness", "monitor_lateness"):
        run(registry, task)
    registry.engine.execute("drop table main.training_set")
    with pytest.raises(DataError, match="retrain_lateness, due 2013-04-01 00:00: "):
        run(registry, "retrain_lateness")
    last = registry.task_runs()[-1]
    assert (last.task, last.state) == ("retrain_lateness", "failed")
    end = run(registry, "finalize")
    assert (end.state, end.detail) == ("failed", "retrain_lateness failed")


def test_a_task_that_was_cut_off_is_missed_at_the_end(registry):
    run(registry, "features")
    end = run(registry, "finalize")
    assert end.state == "failed"
    assert "monitor_lateness did not end" in end.detail


def test_a_task_that_failed_and_then_succeeded_has_succeeded(registry, monkeypatch):
    run(registry, "features")
    for task in ("score_lateness", "monitor_lateness", "retrain_lateness"):
        run(registry, task)
    registry.engine.execute("alter table main.training_set rename to elsewhere")
    with pytest.raises(DataError):
        run(registry, "score_lateness")
    registry.engine.execute("alter table main.elsewhere rename to training_set")
    run(registry, "score_lateness", AT + timedelta(minutes=1))
    run(registry, "monitor_lateness", AT + timedelta(minutes=1))
    assert run(registry, "finalize", AT + timedelta(minutes=2)).state == "succeeded"


def test_features_are_built_by_the_dbt_project_that_is_named(registry, monkeypatch):
    asked = []
    execute = registry.engine.execute
    monkeypatch.setattr(
        registry.engine,
        "execute",
        lambda sql, params=(): asked.append(sql) if sql.startswith("execute dbt") else execute(sql, params),
    )
    assert run(registry, "features", dbt_project="SHOP.PUBLIC.shop").detail == "built by SHOP.PUBLIC.shop"
    assert asked == [
        'execute dbt project "SHOP"."PUBLIC"."shop" args = \'build --select +exposure:lateness --vars '
        "''{\"as_of\": \"2013-04-01 00:00:00\"}'''"
    ]


def test_a_schedule_or_a_task_that_there_is_not_has_a_suggestion(registry):
    with pytest.raises(ModelNotFound, match=r"no task 'score_latenes'\. Did you mean 'score_lateness'\?"):
        run(registry, "score_latenes")
    with pytest.raises(ModelNotFound, match=r"No model has the schedule '0 1 \* \* \* UTC'"):
        run_task(registry.engine, registry, "0 1 * * * UTC", "features", clock=lambda: AT)


def test_what_came_of_a_task_is_logged(registry, caplog):
    """On Snowflake that lands in the event table."""
    caplog.set_level("INFO", "snowml.tasks")
    run(registry, "features")
    run(registry, "finalize")
    assert [(one.levelname, one.message.partition(",")[0]) for one in caplog.records] == [
        ("INFO", f"features of {SCHEDULE}"),
        ("ERROR", f"finalize of {SCHEDULE}"),
    ]
