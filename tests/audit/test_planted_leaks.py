"""Deliberately broken copies of the reference features: each leak is named, and no honest feature is."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import planted
import pytest
from planted import FEATURES, TRAINING_SET, Leak

pytestmark = pytest.mark.dbt

INVARIANCE = frozenset({"future_invariance"})
PATHS = frozenset({"dated_paths"})
PROXY = frozenset({"label_proxy"})

_DEPARTURE = "left join {{ ref('stg_departures') }} as %s on honest.flight_id = %s.flight_id"
_ARRIVAL = "left join {{ ref('stg_arrivals') }} as %s on honest.flight_id = %s.flight_id"
_OF_ALL = """left join (
    select f.flight_id, avg(d.dep_delay) over (%s) as value
    from {{ ref('stg_flights') }} as f
    left join {{ ref('stg_departures') }} as d on f.flight_id = d.flight_id
) as %s on honest.flight_id = %s.flight_id"""
_RAW = """left join {{ source('raw', 'flights') }} as raw_flights
    on honest.flight_id like '%-' || raw_flights.carrier || '-' || raw_flights.flight || '-' || raw_flights.origin
    and honest.as_of + interval '2 hours' = raw_flights.time_hour::timestamp + to_minutes(raw_flights.minute)"""


def departure(column: str, value: str) -> Leak:
    """What the flight's own departure tells."""
    return Leak(column, value.format(f"d_{column}"), INVARIANCE, _DEPARTURE % (f"d_{column}", f"d_{column}"))


def arrival(column: str, value: str) -> Leak:
    """What the flight's own arrival tells."""
    return Leak(column, value.format(f"a_{column}"), INVARIANCE, _ARRIVAL % (f"a_{column}", f"a_{column}"))


def over(column: str, window: str) -> Leak:
    """A mean over departures by a window that looks ahead."""
    return Leak(column, f"w_{column}.value", INVARIANCE, _OF_ALL % (window, f"w_{column}", f"w_{column}"))


IN_FEATURES = [
    departure("dep_delay", "{}.dep_delay"),
    departure("dep_time", "extract(hour from {0}.departed_at) * 100 + extract(minute from {0}.departed_at)"),
    arrival("arr_time", "epoch({0}.departed_at + to_minutes({0}.air_minutes)) % 86400"),
    arrival("air_time", "{}.air_minutes"),
    over("whole_day_mean", "partition by f.origin, cast(f.scheduled_local_at as date)"),
    over(
        "centred_window",
        "partition by f.origin order by f.scheduled_at "
        "range between interval '1 hour' preceding and interval '1 hour' following",
    ),
    over(
        "window_with_its_own_row",
        "partition by f.tail_number order by f.scheduled_at rows between 3 preceding and current row",
    ),
    Leak(
        "late_correction",
        "corrected.delay",
        INVARIANCE,
        "asof left join {{ ref('stg_corrections') }} as corrected "
        "on honest.origin = corrected.origin and honest.as_of >= corrected.known_at",
    ),
    Leak(
        "imputed_by_a_statistic",
        "coalesce(honest.plane_delay_48h, avg(honest.plane_delay_48h) over ())",
        INVARIANCE,
    ),
    Leak("raw_arr_time", "raw_flights.arr_time", PATHS, _RAW),
    Leak(
        "was_cancelled",
        "honest.flight_id in (select flight_id from {{ ref('stg_departures') }} where is_cancelled)",
        INVARIANCE,
    ),
]

# Only where training reads: a row is there because its label is, long after the facts.
IN_TRAINING_SET = [
    departure("own_dep_delay", "{}.dep_delay"),
    arrival("own_air_time", "{}.air_minutes"),
    arrival("minutes_until_known", "date_diff('minute', honest.as_of, {}.known_at)"),
    Leak("label_again", "case when honest.is_late then 1.5 else 0.5 end", PROXY),
]

CORRECTIONS = """\
-- A departure's delay as corrected: it is dated by the departure, and reaches the warehouse a day and a half later.
select
    origin,
    known_at,
    known_at + interval '36 hours' as arrived_at,
    avg(dep_delay) + 3 as delay
from {{ ref('stg_departures') }}
group by 1, 2
"""
CORRECTIONS_YML = """\
models:
  - name: stg_corrections
    config:
      event_time: known_at
      meta: {snowml: {arrived_at: arrived_at}}
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One audit of a project that has them all."""
    project = planted.flights(tmp_path_factory.mktemp("planted") / "project")
    project.write("models/staging/stg_corrections.sql", CORRECTIONS)
    project.write("models/staging/stg_corrections.yml", CORRECTIONS_YML)
    planted.plant(project, FEATURES, *IN_FEATURES)
    planted.plant(project, TRAINING_SET, *IN_TRAINING_SET)
    return project.audit()


@pytest.mark.parametrize("leak", [*IN_FEATURES, *IN_TRAINING_SET], ids=lambda leak: leak.column)
def test_a_leak_is_named_by_the_check_that_should_catch_it(found: dict[str, Any], leak: Leak) -> None:
    if leak.checks == PATHS:
        assert "flight_delay_training_set ← flight_features ← raw.flights" in found["dated_paths"]
    else:
        assert planted.named(found, leak.column) >= leak.checks


def test_no_honest_feature_is_named(found: dict[str, Any]) -> None:
    leaks = {leak.column for leak in (*IN_FEATURES, *IN_TRAINING_SET)}
    named = {match for detail in found.values() for match in re.findall(r"^(\w+): ", detail, re.MULTILINE)}
    assert named - {"Remedy"} <= leaks


def test_the_report_names_rows_the_largest_difference_and_an_example(found: dict[str, Any]) -> None:
    (line,) = [one for one in found["future_invariance"].splitlines() if one.startswith("dep_delay: ")]
    assert re.search(r"in flight_features, flight_delay_training_set|in flight_features", line)
    assert re.search(r"\d+ rows of [\d,]+ before 2013-01-\d\d \d\d:\d\d:\d\d", line)
    assert re.search(r"such as flight_id=2013\w+-\w+-\d+-\w+, as_of=2013-01-", line)
    assert "with all data, NULL with what was known at 2013-01-" in line
    assert "Remedy: " in found["future_invariance"]


def test_the_honest_project_passes_and_nothing_is_left_behind(tmp_path: Path) -> None:
    project = planted.flights(tmp_path / "project")
    assert project.audit() == {}
    assert project.audit(datetime(2013, 1, 14, 13, 37), model="arrival_delay") == {}
    with duckdb.connect(str(project.folder / "flights.duckdb")) as connection:
        schemas = {
            row[0] for row in connection.execute("select schema_name from duckdb_schemas()").fetchall()
        }
        assert not {name for name in schemas if "audit" in name}
        kept = connection.execute(
            "select model, count(*), bool_and(passed) from snowml.audits group by 1"
        ).fetchall()
    assert sorted(kept) == [("arrival_delay", 5, True), ("flight_delay", 5, True)]
