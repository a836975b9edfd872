"""A command is killed before each of its statements; nothing is ever half done, and it can be repeated."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import snowml

KILLER = Path(__file__).parent / "killer.py"
REPOSITORY = Path(snowml.__file__).parent.parent

# The champions and the number of versions before a command and after it.
BEFORE = {
    "train": ([1], 1),
    "promote": ([1], 2),
    "rollback": ([1, 2], 2),
    "retrain": ([1], 1),
    "tasks": ([1], 1),
}
AFTER = {
    "train": ([1], 2),
    "promote": ([1, 2], 2),
    "rollback": ([1], 2),
    "retrain": ([1, 2], 2),
    "tasks": ([1, 2], 2),
}
# A retraining is a training and a promotion, each of them whole.
BETWEEN = {"retrain": ([1], 2), "tasks": ([1], 2)}
TASKS = ("features", "finalize", "monitor_lateness", "retrain_lateness", "score_lateness")


def run(folder, command, estimator):
    done = subprocess.run(
        [sys.executable, str(KILLER), str(folder), command, estimator],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def whole(found):
    """Whether each version has all that belongs to it, and the function is the champion's."""
    count = len(found["versions"])
    assert found["versions"] == list(range(1, count + 1))
    assert len(found["statuses"]) == count
    for name in (
        "runs",
        "runs_with_all",
        "artifacts",
        "artifacts_of_versions",
        "with_baselines",
        "with_rules",
    ):
        assert found[name] == count, name
    assert found["seqs"] == list(range(1, len(found["seqs"]) + 1))
    assert found["champions"][-1] == found["champion"]
    assert set(found["champions"]) <= set(found["certified"])
    assert found["agree"]
    return found["champions"], count


@pytest.mark.parametrize(
    ("command", "estimator"),
    [
        ("train", "logistic_regression"),
        ("promote", "decision_tree"),
        ("rollback", "decision_tree"),
        ("retrain", "decision_tree"),
        ("tasks", "decision_tree"),
    ],
)
def test_killed_before_any_statement_the_old_or_the_new_state_is_whole(tmp_path, command, estimator):
    *attempts, last = run(tmp_path, command, estimator)
    assert whole(last["done"]) == AFTER[command]
    assert len(attempts) >= 5
    for attempt in attempts:
        states = (BEFORE[command], BETWEEN.get(command), AFTER[command])
        assert whole(attempt["found"]) in states, attempt
        if "repeated" in attempt:
            # A training that died between its version and that one's certificate is repeated as a training.
            more = command == "train" and whole(attempt["found"]) == AFTER[command]
            champions, count = AFTER[command]
            assert whole(attempt["repeated"]) == (champions, count + more), attempt
            for name in ("decisions", "tasks", "scored"):
                assert attempt["repeated"][name] == last["done"][name], attempt
            assert attempt["repeated"]["drift_twice"] == [[0]]
    assert last["done"]["decisions"] == ([["promoted", 2]] if command in BETWEEN else [])
    assert last["done"]["tasks"] == [[task, "succeeded", 1] for task in TASKS if command == "tasks"]
    (scored,) = last["done"]["scored"]
    assert scored == ([150, 150] if command == "tasks" else [0, 0])


def test_of_two_processes_that_promote_at_once_both_finish_and_one_is_last(tmp_path):
    (outcome,) = run(tmp_path, "race", "decision_tree")
    assert set(outcome["statuses"]) <= {0, 75}
    assert 0 in outcome["statuses"]
    champions, _ = whole(outcome["found"])
    assert champions in ([1], [1, 2], [1, 2, 1])
