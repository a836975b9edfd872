"""`snowml deploy`: a plan without an account, its application on the stand-in, and what it refuses."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import meters
import pytest
import shop

pytest.importorskip("dbt.adapters.snowflake", reason="the extra 'snowflake' is not installed")

from snowflake_target import PASSWORD

pytestmark = pytest.mark.dbt

# As its users start it, in a process of its own.
COMMAND = [sys.executable, "-c", "from snowml.cli import main; main()", "deploy", "--target", "snow"]
SCHEDULE = "monitor: {schedule: 0 6 * * * Europe/Berlin}"


def with_target(folder: shop.Shop, **settings: object) -> shop.Shop:
    """Churn has a schedule, and the profile a target of type snowflake."""
    add_target(folder, **settings)
    folder.replace("models/ml.yml", "metric: roc_auc\n", f"metric: roc_auc\n          {SCHEDULE}\n")
    return folder


def add_target(folder: shop.Shop, **settings: object) -> None:
    target = {
        "type": "snowflake",
        "account": "nobody",
        "user": "me",
        "password": PASSWORD,
        "threads": 1,
        "database": "SHOP",
        "schema": "analytics",
        "warehouse": "TRANSFORMING",
        **settings,
    }
    lines = (folder.folder / "profiles.yml").read_text("utf-8") + f"    snow: {json.dumps(target)}\n"
    folder.write("profiles.yml", lines)


def test_a_plan_needs_no_account(written: shop.Shop) -> None:
    made = with_target(written)
    answer = made.cli("deploy", "--dry-run", "--target", "snow", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["applied"] is False
    steps = [(step["action"], step["kind"], step["name"]) for step in answer.json["steps"]]
    assert {action for action, _, _ in steps} == {"create"}
    assert ("create", "task", "snowml_0_6_x_x_x_europe_berlin_score_churn") in steps
    assert [name for _, kind, name in steps if kind == "specification"] == ["churn", "spend"]
    (cost,) = answer.json["estimate"]
    assert (cost["runs_a_month"], cost["minutes_a_run"]) == (30, [4, 26])
    assert PASSWORD not in answer.out + answer.err

    answer = made.cli("deploy", "--dry-run", "--target", "snow", "--sql")
    assert "schedule = 'USING CRON 0 6 * * * Europe/Berlin'" in answer.out
    assert re.search(r"\d+ to create, 0 to replace, 0 to keep, 0 to remove", answer.out)
    assert "credits an hour (XSMALL)" in answer.out
    assert PASSWORD not in answer.out + answer.err

    made.write("snowml.yml", "deploy:\n  roles: [ANALYST]\n  warehose: X\n")
    answer = made.cli("deploy", "--dry-run", "--target", "snow")
    assert (answer.code, answer.out) == (2, "")
    assert "snowml.yml:3: unknown key 'warehose'. Did you mean 'warehouse'?" in answer.err

    made.write("snowml.yml", "deploy: {warehouse: OTHER}\n")
    answer = made.cli("deploy", "--setup", "--target", "snow")
    assert answer.code == 0
    assert 'grant usage, operate on warehouse "OTHER" to role "SNOWML_DEPLOYER";' in answer.out

    answer = made.cli("deploy", "--dry-run", "--destroy", "--target", "snow")
    assert answer.code == 2
    assert "--compare" in answer.err


def test_it_stands_on_snowflake_alone(written: shop.Shop) -> None:
    answer = written.cli("deploy", "--dry-run")
    assert (answer.code, answer.out) == (2, "")
    assert "is of type duckdb" in answer.err
    assert "snowml tasks run" in answer.err


@pytest.mark.parametrize(
    ("missing", "told"), [("database", "names no database"), ("warehouse", "need a warehouse")]
)
def test_what_the_target_lacks_is_told(written: shop.Shop, missing: str, told: str) -> None:
    answer = with_target(written, **{missing: None}).cli("deploy", "--dry-run", "--target", "snow")
    assert answer.code == 2
    assert told in answer.err


@pytest.mark.standin_loop
def test_it_is_applied_compared_and_destroyed(written: shop.Shop, warehouse: object) -> None:
    settings = {key: value for key, value in warehouse.parameters.items() if key != "session_parameters"}  # type: ignore[attr-defined]
    made = with_target(
        written, **{**settings, "schema": "analytics", "password": PASSWORD, "warehouse": "WH"}
    )
    answer = made.cli("deploy", "--target", "snow")
    assert answer.code == 0, answer.err
    assert "create task snowml_0_6_x_x_x_europe_berlin_features" in answer.err
    answer = made.cli("deploy", "--target", "snow", "--dry-run", "--compare", "--json")
    assert answer.code == 0, answer.err
    assert {step["action"] for step in answer.json["steps"]} == {"keep"}
    answer = made.cli("deploy", "--target", "snow", "--destroy", "--json")
    assert answer.code == 0, answer.err
    assert {step["kind"] for step in answer.json["steps"]} == {"task", "procedure", "stage"}
    assert made.cli("deploy", "--target", "snow", "--destroy", "--json").json["steps"] == []
    assert PASSWORD not in answer.out + answer.err


@pytest.mark.standin_loop
def test_of_two_at_once_each_ends_well_or_says_that_the_other_is_running(
    written: shop.Shop, warehouse: object
) -> None:
    settings = {key: value for key, value in warehouse.parameters.items() if key != "session_parameters"}  # type: ignore[attr-defined]
    made = with_target(
        written, **{**settings, "schema": "analytics", "password": PASSWORD, "warehouse": "WH"}
    )
    # Parsed once beforehand, so that both reach the account at about the same time.
    assert made.cli("deploy", "--target", "snow", "--dry-run").code == 0
    both = [
        subprocess.Popen(COMMAND, cwd=made.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [(one.communicate(timeout=120)[1], one.returncode) for one in both]
    assert 0 in [code for _, code in told], told
    for text, code in told:
        assert code == 0 or (code == 3 and "Another deployment to this schema" in text), text
    answer = made.cli("deploy", "--target", "snow", "--json")
    assert answer.code == 0, answer.err
    assert {step["action"] for step in answer.json["steps"]} == {"keep"}


@pytest.mark.standin_loop
def test_a_deployment_that_was_killed_is_gone_on_with(written: shop.Shop, warehouse: object) -> None:
    settings = {key: value for key, value in warehouse.parameters.items() if key != "session_parameters"}  # type: ignore[attr-defined]
    made = with_target(
        written, **{**settings, "schema": "analytics", "password": PASSWORD, "warehouse": "WH"}
    )
    with subprocess.Popen(
        COMMAND, cwd=made.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as one:
        assert one.stderr
        for line in one.stderr:
            if "create procedure" in line:
                one.kill()
                break
        one.communicate(timeout=60)
    assert one.returncode == -signal.SIGKILL
    answer = made.cli("deploy", "--target", "snow")
    assert answer.code == 3
    assert f"process {one.pid}, since" in answer.err
    answer = made.cli("deploy", "--target", "snow", "--take-over", "--json")
    assert answer.code == 0, answer.err
    assert {step["action"] for step in answer.json["steps"] if step["kind"] in ("stage", "file")} == {"keep"}
    answer = made.cli("deploy", "--target", "snow", "--json")
    assert {step["action"] for step in answer.json["steps"]} == {"keep"}


@pytest.mark.parametrize(
    "declared",
    [
        ("    columns:\n", "    columns:\n      - {name: meter}\n      - {name: as_of}\n"),
        # As the macros of features read it: the columns themselves need not be listed.
        ("snowml: {known_at: newest", "snowml: {entity: meter, as_of: as_of, known_at: newest"),
    ],
    ids=["columns", "settings"],
)
def test_feature_tables_are_in_the_plan_before_they_are_built(
    tmp_path: Path, declared: tuple[str, str]
) -> None:
    made = meters.meters(tmp_path / "meters")
    add_target(made)
    made.replace("models/dated.yml", *declared)
    made.write("snowml.yml", "deploy: {feature_store: true}\n")
    answer = made.cli("deploy", "--dry-run", "--target", "snow", "--json")
    assert answer.code == 0, answer.err
    steps = [(step["action"], step["kind"], step["name"]) for step in answer.json["steps"]]
    assert steps[-2:] == [("create", "entity", "meter"), ("skip", "feature view", "meter_features")]
    told = made.cli("deploy", "--dry-run", "--target", "snow").out
    assert "Not made yet: meter_features. Deploy again when they are built." in told
    setup = made.cli("deploy", "--setup", "--target", "snow").out
    assert 'grant select on "SHOP"."ANALYTICS"."METER_FEATURES" to role "SNOWML_DEPLOYER";' in setup
