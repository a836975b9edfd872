"""The whole loop on the real flights: what the demonstration promises, asserted on one run of it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shop

import snowml

pytestmark = pytest.mark.loop

MODELS = ("arrival_delay", "flight_delay")
# Higher is better for one, lower for the other.
BETTER: dict[str, Callable[[float, float], bool]] = {
    "roc_auc": lambda one, other: one > other,
    "rmse": lambda one, other: one < other,
}
METRIC = {"flight_delay": "roc_auc", "arrival_delay": "rmse"}
FEATURES = "columns(* exclude (flight_id, as_of))"


def run(*args: str, cwd: Path, code: int = 0) -> Any:
    """A command of snowml in a process of its own; its one JSON document."""
    program = "from snowml.cli import main; main()"
    done = shop.python("-c", program, *args, "--json", cwd=cwd)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code < 2 and done.stdout else done.stderr


class Demo:
    """A folder with the demonstration in it, and what the command answered."""

    def __init__(self, folder: Path, answer: dict[str, Any]) -> None:
        self.folder, self.answer = folder, answer
        self.file = folder / "flights.duckdb"
        self.models = {item["trained"]["model"]: item for item in answer["models"]}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with snowml.connect(self.file, read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """One run of the demonstration; tests read it and take a copy to write."""
    folder = tmp_path_factory.mktemp("flights")
    return Demo(folder / "demo", run("demo", "demo", cwd=folder))


def copy_of(demo: Demo, folder: Path) -> Demo:
    shutil.copytree(demo.folder, folder, symlinks=True)
    return Demo(folder, demo.answer)


@pytest.fixture(scope="module")
def later(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demonstration with a second version: trained on January to August, tested on October to December."""
    made = copy_of(demo, tmp_path_factory.mktemp("later") / "demo")
    run("build", "--select", "+flight_delay_training_set", "--as-of", "2014-01-02", cwd=made.folder)
    settings = ["--set", "split.validation=2013-09-01", "--set", "split.test=2013-10-01"]
    trained = run("train", "flight_delay", "--as-of", "2014-01-02", *settings, cwd=made.folder)
    return Demo(made.folder, {"models": [{"trained": trained}]})


def test_every_flight_is_loaded(demo: Demo) -> None:
    assert demo.answer["rows"]["flights"] == 336_776
    assert set(demo.models) == set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_the_model_beats_every_baseline_in_september_and_as_scored_in_october(demo: Demo, model: str) -> None:
    found, metric = demo.models[model], METRIC[model]
    trained, monitored = found["trained"], found["monitored"]
    assert trained["as_of"].startswith("2013-10-01")
    assert (monitored["window_start"][:10], monitored["window_end"][:10]) == ("2013-10-01", "2013-11-01")
    assert monitored["labelled"] > 25_000
    assert set(trained["baselines"]) == set(monitored["baselines"]) == {"constant", "best_rule"}
    for name in ("constant", "best_rule"):
        assert BETTER[metric](trained["metrics"]["test"][metric], trained["baselines"][name]["test"][metric])
        assert BETTER[metric](monitored["metrics"][metric], monitored["baselines"][name][metric])


def test_the_classifier_is_good_and_not_too_good(demo: Demo) -> None:
    found = demo.models["flight_delay"]
    for auc in (found["trained"]["metrics"]["test"]["roc_auc"], found["monitored"]["metrics"]["roc_auc"]):
        assert 0.68 <= auc <= 0.80


@pytest.mark.parametrize("model", MODELS)
def test_every_scored_row_has_scikit_learns_score(demo: Demo, model: str) -> None:
    pipeline = snowml.load_model(model, project_dir=demo.folder)
    with snowml.connect(demo.file, read_only=True) as connection:
        rows = connection.sql(
            f"select s.*, p.score from {model}_scoring_set as s inner join {model}_predictions as p "
            "using (flight_id, as_of) order by flight_id"
        ).df()
        ((scored,),) = connection.sql(f"select count(*) from {model}_predictions").fetchall()
    inputs = rows.drop(columns=["flight_id", "as_of", "score"])
    expected = pipeline.predict_proba(inputs)[:, 1] if model == "flight_delay" else pipeline.predict(inputs)
    assert len(rows) == scored == demo.models[model]["predicted"]["total"] > 28_000
    assert float(np.abs(rows["score"].to_numpy() - expected).max()) <= 1e-9


@pytest.mark.parametrize("name", ["flights.duckdb", "snowml.duckdb"])
def test_a_new_process_calls_both_functions(demo: Demo, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    shutil.copyfile(demo.file, file)
    ours = (
        "import snowml, sys; c = snowml.connect(sys.argv[1]); "
        f"print(c.sql('select count(*), count(predict_flight_delay_proba(*{FEATURES})), "
        f"count(predict_flight_delay(*{FEATURES})) from flight_delay_scoring_set').fetchall())"
    )
    anyones = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); "
        f"print(c.sql('select count(*), count(predict_arrival_delay(*{FEATURES})) "
        "from arrival_delay_scoring_set').fetchall()); "
        "assert not [m for m in sys.modules if m.startswith(('snowml', 'sklearn'))]"
    )
    rows = demo.models["flight_delay"]["predicted"]["total"]
    for program, expected in ((ours, (rows, rows, rows)), (anyones, (rows, rows))):
        done = shop.python("-c", program, str(file))
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == str([expected])


def test_a_plain_client_is_told_how_to_call_the_other_model(demo: Demo) -> None:
    program = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); "
        f"c.sql('select predict_flight_delay(*{FEATURES}) from flight_delay_scoring_set limit 1').fetchall()"
    )
    done = shop.python("-c", program, str(demo.file))
    assert done.returncode == 1
    assert "snowml.connect()" in done.stderr


def test_both_versions_are_certified_champions(demo: Demo) -> None:
    for document in run("versions", "--all", cwd=demo.folder):
        (version,) = document["versions"]
        assert version["status"] == "approved"
        assert version["aliases"] == ["champion"]
        assert version["parity"]["certified"]
        assert version["parity"]["max_abs_diff"] <= 1e-9
        assert version["parity"]["rows"] > 20_000
    assert {item["trained"]["flavor"] for item in demo.answer["models"]} == {"sql", "kernel"}


def test_a_second_run_trains_nothing_and_scores_nothing(demo: Demo, tmp_path: Path) -> None:
    again = copy_of(demo, tmp_path / "demo")
    counts = "select model_version, count(*) from flight_delay_predictions group by all order by all"
    before = again.query(counts)
    answer = run("demo", "demo", cwd=tmp_path)
    for one, other in zip(demo.answer["models"], answer["models"], strict=True):
        assert one["trained"]["run_id"] == other["trained"]["run_id"]
        assert other["predicted"]["scored"] == 0
        assert other["predicted"]["total"] == one["predicted"]["total"]
        assert other["monitored"]["features"] == one["monitored"]["features"]
        # A sum of doubles depends on the order of the threads, in the last digits.
        assert other["monitored"]["metrics"] == pytest.approx(one["monitored"]["metrics"], rel=1e-9)
    assert again.query(counts) == before
    assert again.query("select count(*) from snowml.model_versions") == [(2,)]


def test_a_plain_dbt_build_rebuilds_everything(demo: Demo, tmp_path: Path) -> None:
    again = copy_of(demo, tmp_path / "demo")
    expected = again.query("select * from flight_delay_predictions order by all")
    done = subprocess.run(
        [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "build", "--full-refresh"],
        cwd=again.folder,
        env={**os.environ, "PYTHONPATH": str(shop.ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert " ERROR=0 " in done.stdout
    assert again.query("select * from flight_delay_predictions order by all") == expected


def test_tested_on_the_last_three_months_it_ranks_as_well_as_it_should(later: Demo) -> None:
    trained = later.models["flight_delay"]["trained"]
    assert trained["version"] == 2
    assert trained["rows"]["test"] > 78_000
    # Above 0.80 something would have leaked.
    assert 0.70 <= trained["metrics"]["test"]["roc_auc"] <= 0.78


def test_a_roll_back_gives_the_old_answers_back(demo: Demo, later: Demo) -> None:
    answer = f"select sum(predict_flight_delay_proba(*{FEATURES})) from flight_delay_scoring_set"
    before = demo.query(answer)
    assert run("promote", "flight_delay", cwd=later.folder)["version"] == 2
    assert later.query(answer) != before
    rolled = run("rollback", "flight_delay", cwd=later.folder)
    assert (rolled["version"], rolled["previous"]) == (1, 2)
    assert later.query(answer) == before
    aliases = {
        item["version"]: item["aliases"]
        for item in run("versions", "flight_delay", cwd=later.folder)["versions"]
    }
    assert aliases == {1: ["champion"], 2: []}


def test_old_data_fail_the_build(demo: Demo, tmp_path: Path) -> None:
    again = copy_of(demo, tmp_path / "demo")
    found = run("build", "--select", "stg_arrivals", "--as-of", "2014-02-01", cwd=again.folder, code=1)
    (failed,) = [node for node in found["nodes"] if node["status"] == "fail"]
    assert "fresh_as_of" in failed["name"]
    assert failed["failing"]["rows"][0]["newest"].startswith("2014-01-0")
