"""What there is to tell stands in one view, each thing once, and as of when it was known."""

from datetime import timedelta

import handmade

from snowml.records import Decision, Drift, TaskRun, VersionEvent
from snowml.registry.store import Registry

DUE, NOW = handmade.AS_OF, handmade.NOW
LATER = NOW + timedelta(hours=2)


def task(name, state="succeeded", detail="", ended=LATER):
    return TaskRun("0 0 * * * UTC", name, handmade.MODEL, DUE, state, detail, NOW, ended)


def drift(column, drifted=True, end=DUE):
    return Drift(
        handmade.MODEL, 1, end - timedelta(days=7), end, column, 0.25, 0.0, 0.0, 10, 0.2, drifted, NOW
    )


def decision(outcome, as_of=DUE):
    return Decision(
        model=handmade.MODEL,
        as_of=as_of,
        decided_at=NOW,
        outcome=outcome,
        reasons=(),
        detail="better",
        based_on=1,
        champion=1,
        metric="roc_auc",
    )


def test_failures_drift_retraining_and_promotions_are_told_once_each_when_they_are_known(engine):
    registry = Registry(engine, "snowml").create()
    for run in (task("monitor_lateness"), task("retrain_lateness")):
        registry.record_task_run(run)
    # The task was run again, and found the same.
    registry.record_task_run(task("monitor_lateness", ended=LATER + timedelta(minutes=5)))
    registry.record_task_run(task("score_lateness", "failed", "no such table"))
    registry.record_monitoring([drift("speed"), drift("town", drifted=False)], [])
    registry.record_decision(decision("promoted"))
    registry.record_decision(decision("nothing", DUE + timedelta(days=1)))
    registry.record_event(VersionEvent(handmade.MODEL, 1, "registered", NOW, ""))
    registry.record_event(VersionEvent(handmade.MODEL, 1, "promoted", NOW, ""))
    found = registry.messages()
    assert [(one["kind"], one["told_at"]) for one in found] == [
        ("promotion", NOW),
        ("retraining", LATER),
        ("failure", LATER),
        ("drift", LATER + timedelta(minutes=5)),
    ]
    promotion, retraining, failure, drifted = (one["message"] for one in found)
    assert promotion == "version 1 promoted"
    assert retraining.startswith("promoted as of 2013-04-01 00:00:00")
    assert retraining.endswith(": better")
    assert failure.startswith("score_lateness, due 2013-04-01 00:00:00")
    assert failure.endswith(": no such table")
    assert drifted.startswith("speed drifted, PSI 0.250, in the window to 2013-04-01 00:00:00")
    assert {one["model"] for one in found} == {handmade.MODEL}
    assert registry.messages(model="other") == []


def test_what_was_found_by_hand_is_told_as_of_then(engine):
    registry = Registry(engine, "snowml").create()
    registry.record_monitoring([drift("speed")], [])
    registry.record_decision(decision("rejected"))
    assert {(one["kind"], one["told_at"]) for one in registry.messages()} == {
        ("drift", NOW),
        ("retraining", NOW),
    }
