"""The benchmarks at a tiny size: that they run, that they leave no peer out, and that they see a wrong answer."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks.harness import Runs, alternate
from benchmarks.scoring.child import _compared
from benchmarks.training_set.child import _differing
from benchmarks.training_set.peers import COLUMNS

ROOT = Path(__file__).parents[2]


def run(module: str, folder: Path, *args: str) -> Any:
    """The figures of a command, run as people run it."""
    file = folder / "figures.json"
    command = [
        sys.executable,
        "-m",
        module,
        "--runs",
        "1",
        "--cache",
        str(folder),
        "--json",
        str(file),
        *args,
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(file.read_text("utf-8")), done.stdout


def test_scoring(tmp_path: Path) -> None:
    peers = "round_trip,treelite,snowml,floor"
    args = ["--base", "generated", "--rows", "500", "--threads", "1", "--models", "logistic_regression"]
    figures, report = run("benchmarks.scoring", tmp_path, "--peers", peers, *args)

    (result,) = figures["results"]
    assert list(result["peers"]) == peers.split(",")
    assert result["rows"] == 500
    for name in ("round_trip", "snowml", "floor"):
        (measured,) = result["peers"][name]["figures"]
        assert {name: measured[name] > 0 for name in ("wall", "cpu", "memory", "first_call", "one_row")}
    assert result["peers"]["round_trip"]["figures"][0]["differing"] == 0
    assert result["peers"]["snowml"]["figures"][0]["wrong"] == 0
    assert result["peers"]["floor"]["figures"][0]["wrong"] == 500
    # No forest; or, where it is not installed, how to install it.
    reason = result["peers"]["treelite"]["unable"]
    assert "LogisticRegression" in reason or "'.[bench]'" in reason
    assert f"- treelite: {reason}" in report


def test_training_sets(tmp_path: Path) -> None:
    peers = ["asof", "macro", "macro_1gb", "merge_asof", "qualify"]
    figures, _ = run("benchmarks.training_set", tmp_path, "--spine", "300", "--peers", ",".join(peers))

    (result,) = figures["results"]
    assert {name: peer["figures"][0]["differing"] for name, peer in result["peers"].items()} == dict.fromkeys(
        peers, 0
    )


@pytest.fixture
def connection() -> Any:
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as out")
        yield connection


def test_a_wrong_prediction_is_counted(connection: Any) -> None:
    connection.execute(
        "create table answers as from (values (1, 0.5), (2, 0.5), (3, null), (4, 0.5), (5, 0.5)) as t(row, answer)"
    )
    connection.execute(
        "create table out.predictions as from (values (1, 0.5), (2, 0.5 + 1e-9), (3, 'nan'::double), (4, 0.6)) "
        "as t(row, prediction)"
    )
    found = _compared(connection, "answers")
    # The second by its last digits, the fourth by more, the fifth is missing.
    assert (found["rows"], found["differing"], found["wrong"]) == (5, 3, 2)
    assert found["max_abs_diff"] == pytest.approx(0.1)


def test_a_wrong_training_set_is_counted(connection: Any) -> None:
    values = ", ".join(f"1.0 as {column}" for column in COLUMNS)
    connection.execute(
        f"create table expected as select range as row, now()::timestamp as as_of, {values} from range(5)"
    )
    connection.execute(
        f"create table out.training_set as select * replace (if(row = 1, null, {COLUMNS[0]}) as {COLUMNS[0]}) "
        "from expected where row <> 3"
    )
    connection.execute("insert into out.training_set select * replace (9 as row) from expected where row = 0")
    assert _differing(connection) == 3


def test_a_ratio_is_the_median_of_those_of_each_turn() -> None:
    slow = Runs([{"wall": 10.0}, {"wall": 100.0}, {"wall": 10.0}])
    fast = Runs([{"wall": 1.0}, {"wall": 25.0}, {"wall": 2.0}])
    assert fast.times_as_fast_as(slow) == 5.0


def test_a_process_that_fails_is_reported_with_its_last_words() -> None:
    found = alternate("benchmarks.scoring.child", {"it": {"folder": "nowhere"}}, runs=2)
    assert found["it"].figures == []
    assert "KeyError: 'peer'" in (found["it"].unable or "")
