"""`snowml tasks` on a project: what is due is run once, and taken up where it stopped."""

import contextlib
import time
from datetime import datetime

import pytest
import shop

from snowml.records import TaskRun

pytestmark = pytest.mark.dbt

DAILY = "0 6 * * * UTC"
AT = "2024-06-30T08:00"
DUE = "2024-06-30T06:00:00Z"
# The first training is so weak that any is better.
WEAK = {"params": {"max_iter": 1, "learning_rate": 1e-6}, "gates": []}
ORDER = ["features", "score_churn", "monitor_churn", "retrain_churn", "finalize"]


def schedule(shop_: shop.Shop, policy: str = "on_new_rows: 50") -> shop.Shop:
    upkeep = f"monitor: {{schedule: {DAILY}, window: 30 days, threshold: 9}}\n          retrain: {{{policy}}}"
    shop_.replace("models/ml.yml", "metric: roc_auc\n", f"metric: roc_auc\n          {upkeep}\n")
    return shop_


@pytest.fixture
def kept_up(built: shop.Shop) -> shop.Shop:
    """Churn has a schedule, a policy, and a champion."""
    built.train("churn", as_of="2024-05-01", **WEAK)
    built.promote("churn")
    return schedule(built)


def states(graph: dict[str, object]) -> dict[str, str]:
    return {task["task"]: task["state"] for task in graph["tasks"]}  # type: ignore[attr-defined]


def test_all_of_what_is_due_is_run_for_its_own_moment_and_only_once(kept_up: shop.Shop) -> None:
    listed = kept_up.cli("tasks", "list", "--as-of", AT, "--json").json["graphs"]
    assert [(one["schedule"], one["models"], one["state"]) for one in listed] == [(DAILY, ["churn"], "due")]
    assert (listed[0]["due_at"], listed[0]["next_at"]) == (DUE, "2024-07-01T06:00:00Z")

    answer = kept_up.cli("tasks", "run", "--as-of", AT, "--json")
    assert answer.code == 0, answer.err
    (graph,) = answer.json["graphs"]
    assert (graph["due_at"], graph["state"]) == (DUE, "succeeded")
    assert states(graph) == dict.fromkeys(ORDER, "succeeded")
    details = {task["task"]: task["detail"] for task in graph["tasks"]}
    assert details["score_churn"].endswith("rows scored by version 1")
    assert details["monitor_churn"].endswith("drifted: nothing")
    assert details["retrain_churn"].startswith("promoted: ")
    # Everything stands for the moment that was due.
    as_of = kept_up.rows("select distinct predicted_at from analytics.churn_predictions")
    assert [str(row[0]) for row in as_of] == ["2024-06-30 06:00:00"]
    assert kept_up.rows("select distinct as_of from analytics_snowml.runs order by 1")[-1][0].hour == 6

    again = kept_up.cli("tasks", "run", "--as-of", AT, "--json")
    assert (again.code, again.json["graphs"]) == (0, [])
    assert "Nothing is due" in kept_up.cli("tasks", "run", "--as-of", AT).out
    assert kept_up.cli("tasks", "list", "--as-of", AT, "--json").json["graphs"][0]["state"] == "succeeded"

    history = kept_up.cli("tasks", "history", "--json").json["tasks"]
    assert sorted(task["task"] for task in history) == sorted(ORDER)
    assert {task["due_at"] for task in history} == {DUE}
    mine = kept_up.cli("tasks", "history", "churn", "--limit", "2", "--json").json["tasks"]
    assert len(mine) == 2
    assert all(task["model"] == "churn" for task in mine)
    for command in ("history", "messages"):
        answer = kept_up.cli("tasks", command, "chrn")
        assert (answer.code, "knows no model 'chrn'. Did you mean 'churn'?" in answer.err) == (2, True)


def test_a_model_that_nobody_trained_yet_is_trained_by_its_tasks(built: shop.Shop) -> None:
    answer = schedule(built).cli("tasks", "run", "--as-of", AT, "--json")
    assert answer.code == 0, answer.err
    details = {task["task"]: task["detail"] for task in answer.json["graphs"][0]["tasks"]}
    assert details["score_churn"] == details["monitor_churn"] == "no version is promoted yet"
    assert details["retrain_churn"].startswith("promoted: ")


def test_what_fails_stops_what_comes_after_and_is_taken_up_where_it_stopped(
    kept_up: shop.Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    working = (kept_up.folder / "models/churn_predictions.sql").read_text("utf-8")
    kept_up.write("models/churn_predictions.sql", "select no_such_column from {{ ref('customers') }}")
    answer = kept_up.cli("tasks", "run", "--as-of", AT, "--json")
    assert answer.code == 2
    (graph,) = answer.json["graphs"]
    assert states(graph) == {
        "features": "succeeded",
        "score_churn": "failed",
        "monitor_churn": "skipped",
        "retrain_churn": "skipped",
        "finalize": "failed",
    }
    assert "error: score_churn, due 2024-06-30 06:00: " in answer.err
    assert "no_such_column" in answer.err

    kept_up.write("models/churn_predictions.sql", working)
    answer = kept_up.cli("tasks", "run", "--as-of", AT, "--json")
    assert answer.code == 0, answer.err
    assert list(states(answer.json["graphs"][0])) == ORDER[1:]
    assert answer.json["graphs"][0]["state"] == "succeeded"


def test_what_failed_three_times_waits_for_the_next_moment_unless_it_is_asked_for(kept_up: shop.Shop) -> None:
    with contextlib.closing(kept_up.project().open()) as engine:
        registry = kept_up.project().registry(engine).create()
        moment = datetime(2024, 6, 30, 6)
        for _ in range(3):
            registry.record_task_run(TaskRun(DAILY, "finalize", None, moment, "failed", "", moment, moment))
    listed = kept_up.cli("tasks", "list", "--as-of", AT, "--json").json["graphs"]
    assert listed[0]["state"] == "given up"
    later = kept_up.cli("tasks", "list", "--as-of", "2024-07-01T08:00", "--json").json["graphs"]
    assert later[0]["state"] == "due"
    answer = kept_up.cli("tasks", "run", "--as-of", AT, "--json")
    assert (answer.code, answer.json["graphs"]) == (0, [])
    answer = kept_up.cli("tasks", "run", "--as-of", AT, "--again", "--json")
    assert answer.json["graphs"][0]["state"] == "succeeded"


def test_a_test_of_the_features_that_fails_keeps_them_from_being_scored(kept_up: shop.Shop) -> None:
    kept_up.write(
        "models/customers.yml",
        "models:\n  - name: customers\n    columns: [{name: region, data_tests: [not_null]}]\n",
    )
    answer = kept_up.cli("tasks", "run", "--as-of", AT, "--json")
    assert answer.code == 1
    assert states(answer.json["graphs"][0])["score_churn"] == "skipped"


def test_a_second_process_does_nothing_while_one_is_at_it(kept_up: shop.Shop) -> None:
    from snowml.workflows.tasks import alone

    with alone(kept_up.project()) as other:
        assert other is None
        answer = kept_up.cli("tasks", "run", "--as-of", AT, "--json")
    assert answer.code == 0, answer.err
    assert isinstance(answer.json["running"], int)
    assert answer.json["graphs"] == []
    assert (kept_up.folder / "shop.duckdb.tasks.lock").is_file()


def test_a_project_without_a_schedule_is_told_what_to_add(built: shop.Shop) -> None:
    answer = built.cli("tasks", "list")
    assert answer.code == 0
    assert "add 'monitor: {schedule: …}' to the settings" in answer.out
    assert built.cli("tasks", "run", "--json").json["graphs"] == []
    assert built.cli("tasks", "watch").code == 2


def test_watching_runs_what_is_due_and_waits_for_what_is_next(
    kept_up: shop.Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from snowml.workflows import moment, tasks

    clock = iter(["2024-06-30T08:00"] * 2 + ["2024-07-01T05:59:30"] + ["2024-07-01T06:00"] * 2)
    naps: list[float] = []
    asked: list[object] = []

    def run(*_: object, as_of: object, **__: object) -> list[object]:
        if asked:
            raise KeyboardInterrupt
        asked.append(as_of)
        return []

    monkeypatch.setattr(moment, "now", lambda: moment.moment(next(clock)))
    monkeypatch.setattr(tasks, "run_due", run)
    monkeypatch.setattr(time, "sleep", naps.append)
    answer = kept_up.cli("tasks", "watch")
    assert answer.code == 130
    assert [str(one) for one in asked] == ["2024-06-30 08:00:00"]
    assert naps == [60, 30]
    assert "due at 2024-07-01 06:00" in answer.err
