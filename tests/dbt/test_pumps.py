"""The package's second project: it builds alone, and increments give what a rebuild gives."""

from collections.abc import Iterator
from pathlib import Path

import pumps
import pytest
import shop

from snowml.errors import ProjectError

pytestmark = pytest.mark.dbt

FEATURES = (
    "reading_features",
    "repair_features",
    "latest_features",
    "pump_features",
)
TABLES = (*FEATURES, "pump_failure_training_set")


@pytest.fixture(scope="module", autouse=True)
def _made() -> Iterator[None]:
    yield
    pumps.remove()


@pytest.fixture
def project(tmp_path: Path) -> shop.Shop:
    return pumps.built(tmp_path / "pumps")


def rows(project: shop.Shop) -> dict[str, list[tuple[object, ...]]]:
    return {table: project.rows(f"select * from {table} order by all") for table in TABLES}


def write(project: shop.Shop, *statements: str) -> None:
    connection = project.connect()
    for statement in statements:
        connection.execute(statement)
    connection.close()


def continued(
    project: shop.Shop, as_of: str, *, refresh: bool = False
) -> dict[str, list[tuple[object, ...]]]:
    """The feature and training tables after a build as of a moment."""
    project.build(*TABLES, exclude=("test_type:data", "test_type:unit"), refresh=refresh, as_of=as_of)
    return rows(project)


def test_dbt_build_alone_builds_and_tests_it(tmp_path: Path) -> None:
    project = pumps.written(tmp_path / "pumps")
    assert project.dbt_command("deps").returncode == 0
    done = project.dbt_command("build")
    assert done.returncode == 0, done.stdout
    assert " ERROR=0 " in done.stdout
    assert " WARN=0 " in done.stdout


def test_both_plans_and_every_feature_have_something_to_say(project: shop.Shop) -> None:
    for table in FEATURES:
        assert project.rows(f"select count(*) from {table}") == [(151 * 24,)]
    silent = [
        column
        for column in project.types("pump_features")
        if project.rows(f"select count(distinct {column}) from pump_features") == [(1,)]
    ]
    assert silent == []


def test_a_row_is_sound_or_in_quarantine_with_the_reason(project: shop.Shop) -> None:
    assert project.rows(
        "select (select count(*) from stg_readings) - (select count(*) from sound_readings)"
        " - (select count(*) from readings_quarantine)"
    ) == [(0,)]
    assert project.rows(
        "select distinct broken, vibration < 0, temperature is null from readings_quarantine order by 1"
    ) == [("temperature_is_there", False, True), ("vibration_is_possible, temperature_is_there", True, True)]


def test_increments_with_late_rows_give_what_a_rebuild_gives(project: shop.Shop) -> None:
    # What reached the warehouse by each build: a bill two days after it was paid, the others at once. Readings tell
    # themselves when they arrived.
    write(
        project,
        "create table every_repair as select * from raw_repairs",
        "create table every_reading as select * from raw_readings",
        "create table late as select * from every_repair"
        " where paid_at between timestamp '2024-06-13 06:00:01' and timestamp '2024-06-15 06:00:00'",
    )
    assert project.rows("select count(*) > 2 from late") == [(True,)]

    def arrived(by: str, apart_from_late: str = "") -> None:
        write(
            project,
            f"create or replace table raw_repairs as from every_repair where paid_at <= timestamp '{by}' "
            + apart_from_late,
            f"create or replace table raw_readings as from every_reading where arrived_at <= timestamp '{by}'",
        )

    arrived("2024-06-16", "and paid_at not in (select paid_at from late)")
    first = continued(project, "2024-06-16", refresh=True)
    assert max(row[2] for row in first["pump_features"]).isoformat() == "2024-06-15T06:00:00"
    arrived("2024-06-16 12:00:00")
    continued(project, "2024-06-16 12:00:00")
    arrived("2024-06-23")
    continued(project, "2024-06-23")
    arrived("2024-07-01")
    increments = continued(project, "2024-07-01")
    rebuilt = continued(project, "2024-07-01", refresh=True)
    assert increments == rebuilt
    # The late bills did change rows of the time before they came.
    known = {row[:3]: row for row in first["repair_features"]}
    assert any(known.get(row[:3], row) != row for row in rebuilt["repair_features"])


def test_what_comes_after_the_lookback_waits_for_a_rebuild(project: shop.Shop) -> None:
    before = rows(project)["repair_features"]
    write(
        project,
        "insert into raw_repairs select site, pump_number, timestamp '2024-05-01', timestamp '2024-05-02', cause, cost"
        " from raw_repairs where site = 'site N' and pump_number = 1 limit 1",
    )
    after = continued(project, "2024-07-01")["repair_features"]
    changed = [new[2] for old, new in zip(before, after, strict=True) if old != new]
    assert changed
    assert min(moment.isoformat() for moment in changed) == "2024-06-28T06:00:00"
    rebuilt = continued(project, "2024-07-01", refresh=True)["repair_features"]
    assert (
        min(new[2] for old, new in zip(before, rebuilt, strict=True) if old != new).isoformat() < "2024-05-04"
    )


def test_a_build_of_an_earlier_moment_takes_back_what_is_later(project: shop.Shop) -> None:
    assert continued(project, "2024-06-15") == continued(project, "2024-06-15", refresh=True)


def test_an_increment_leaves_alone_what_lies_before_its_lookback(project: shop.Shop) -> None:
    write(
        project,
        "update repair_features set repairs_60d = -1 where as_of < timestamp '2024-06-28 06:00:00'",
        "update pump_failure_training_set set price = -1 where label_known_at < timestamp '2024-06-28'",
    )
    continued(project, "2024-07-01")
    assert project.rows(
        "select max(as_of) filter (repairs_60d = -1)::varchar, min(as_of) filter (repairs_60d >= 0)::varchar"
        " from repair_features"
    ) == [("2024-06-27 06:00:00", "2024-06-28 06:00:00")]
    assert project.rows("select count(*) > 1000 from pump_failure_training_set where price = -1") == [(True,)]


def test_a_set_of_a_later_moment_than_its_features_is_an_error_that_names_them(project: shop.Shop) -> None:
    dbt, untested = project.dbt(as_of="2024-07-05"), ["test_type:data", "test_type:unit"]
    with pytest.raises(ProjectError) as raised:
        dbt.build(select=["pump_failure_training_set"])
    assert (
        "pump_failure_training_set would have no features for its newest rows. As of 2024-07-05 00:00:00, inspections "
        "has questions up to 2024-07-04 06:00:00, and these feature tables end before: pump_features (2024-06-30 "
        "06:00:00). Build them for the same moment, with all that it is made of: -s +pump_failure_training_set."
    ) in str(raised.value)
    with pytest.raises(
        ProjectError, match=r"-s \+pump_failure_scoring_set, as snowml predict --upstream does\."
    ):
        dbt.build(select=["pump_failure_scoring_set"])
    write(project, "delete from reading_features")
    with pytest.raises(
        ProjectError, match=r"end before: reading_features \(no rows\), latest_features \(2024-06-30"
    ):
        dbt.build(select=["repair_features", "pump_features"], exclude=untested)
    dbt.build(select=["+pump_failure_training_set"], exclude=untested)
    assert project.rows("select max(as_of)::varchar from pump_features") == [("2024-07-04 06:00:00",)]


def test_an_incremental_model_must_say_how_late_a_row_may_come(project: shop.Shop) -> None:
    project.replace("dbt_project.yml", "increment: {by: as_of, lookback: 2 days}", "increment: {by: as_of}")
    with pytest.raises(Exception, match="does not say how late a row may come") as raised:
        continued(project, "2024-07-01")
    assert "increment: {lookback: 3 days}" in str(raised.value)


def test_a_baseline_is_frozen(project: shop.Shop) -> None:
    before = project.rows("select * from failure_baseline order by all")
    write(project, "update pump_failure_training_set set vibration_7d = 0")
    project.build("failure_baseline", refresh=True)
    assert project.rows("select * from failure_baseline order by all") == before


def test_its_model_is_trained_and_promoted_like_any_other(project: shop.Shop) -> None:
    answer = project.cli("train", "pump_failure", "--as-of", "2024-07-01", "--json")
    assert answer.code == 0, answer.err
    assert 0.65 < answer.json["metrics"]["test"]["roc_auc"] < 0.95
