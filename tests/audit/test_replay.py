"""A past training set is rebuilt identically, whatever has been loaded since."""

from datetime import datetime
from pathlib import Path
from typing import Any

import meters
import pytest

pytestmark = pytest.mark.dbt

T = datetime(2024, 2, 20)
ROWS = "select * from {} order by all"


def load_until(project: meters.Meters, moment: datetime) -> None:
    """Take back what had not arrived by then, into a table beside it."""
    for table in ("readings", "failures"):
        project.execute(
            f"create or replace table raw.later_{table} as from raw.{table} where loaded_at > timestamp '{moment}'; "
            f"delete from raw.{table} where loaded_at > timestamp '{moment}'"
        )


def load_the_rest(project: meters.Meters) -> None:
    """What arrived later, and a correction of what was there."""
    project.execute(
        "insert into raw.readings from raw.later_readings; insert into raw.failures from raw.later_failures; "
        f"insert into raw.readings select meter, read_at, value + 50, timestamp '{T}' + interval '3 days' "
        "from raw.readings where read_at < timestamp '2024-02-10'"
    )


def trained_at(project: meters.Meters, moment: datetime) -> Any:
    project.build("+failing_training_set", "+failing_scoring_set", as_of=f"{moment}")
    (trained,) = project.train("failing", as_of=f"{moment}")
    return trained


@pytest.fixture
def project(tmp_path: Path) -> meters.Meters:
    return meters.meters(tmp_path / "meters")


def test_a_training_set_is_rebuilt_as_it_was(project: meters.Meters) -> None:
    # By when it was read: so a plain build takes in whatever came later.
    project.replace("models/meter_features.sql", "greatest(read_at, loaded_at) as", "read_at as")
    load_until(project, T)
    trained = trained_at(project, T)
    then = project.rows(ROWS.format("analytics.failing_training_set"))
    load_the_rest(project)
    answer = project.cli("replay", "failing", "--as-of", f"{T}", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["versions"] == [{"version": 1, "identical": True}]
    assert answer.json["fingerprint"] == trained.run.fingerprint
    assert answer.json["rows"] == len(then) > 100
    assert project.rows(ROWS.format(answer.json["relation"])) == then
    # What a plain build makes of it today is another.
    project.build("+failing_training_set", as_of=f"{T}")
    assert project.rows(ROWS.format("analytics.failing_training_set")) != then


def test_it_says_so_where_a_version_was_trained_on_other_rows(project: meters.Meters) -> None:
    load_until(project, T)
    trained_at(project, T)
    load_the_rest(project)
    project.replace("models/meter_features.sql", "interval '3 days'", "interval '2 days'")
    answer = project.cli("replay", "failing", "--as-of", f"{T}")
    assert answer.code == 0, answer.err
    assert "version 1 of that moment was trained on OTHER rows" in answer.out


def test_without_arrival_times_there_is_no_replay(project: meters.Meters) -> None:
    project.replace(
        "models/dated.yml",
        "config: {event_time: failed_at, meta: {snowml: {arrived_at: loaded_at}}}",
        "config: {event_time: failed_at}",
    )
    answer = project.cli("replay", "failing", "--as-of", f"{T}")
    assert answer.code == 2
    assert "nothing says when the rows of stg_failures arrived" in answer.err
    assert "arrived_at: …" in answer.err


def test_nor_where_a_path_has_no_date_at_all(project: meters.Meters) -> None:
    project.replace(
        "models/dated.yml",
        "config: {event_time: failed_at, meta: {snowml: {arrived_at: loaded_at}}}",
        "config: {}",
    )
    answer = project.cli("replay", "failing", "--as-of", f"{T}")
    assert answer.code == 2
    assert "nothing says anything on failing_training_set ← stg_failures ← raw.failures" in answer.err


def test_before_any_label_there_is_nothing_to_replay(project: meters.Meters) -> None:
    answer = project.cli("replay", "failing", "--as-of", "2023-01-01")
    assert answer.code == 2
    assert "has no row with a label known by 2023-01-01" in answer.err
