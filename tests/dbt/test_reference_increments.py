"""The reference project on a sample of its data: a sequence of increments gives what a rebuild gives."""

from pathlib import Path

import pytest
from lab import Lab

from snowml.engines.duckdb.connection import DuckDBFile
from snowml.engines.duckdb.engine import DuckDBEngine
from snowml.progress import Silent
from snowml.scaffold.files import write_project
from snowml.scaffold.load import load
from snowml.scaffold.tour import read_tour
from snowml.workflows.moment import moment

pytestmark = pytest.mark.dbt

TABLES = ("flight_features", "flight_delay_training_set", "arrival_delay_training_set")
EVERYTHING = ("-s", *(f"+{table}" for table in TABLES))


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """The project with the flights of six weeks from one airport."""
    folder = tmp_path / "flights"
    write_project(folder)
    engine = DuckDBEngine(DuckDBFile(str(folder / "lab.duckdb")).open())
    load(engine, read_tour(folder).data, now=moment("2024-01-01"), progress=Silent())
    engine.close()
    lab = Lab.at(folder)
    profile = (folder / "profiles.yml").read_text("utf-8")
    lab.write("profiles.yml", profile.replace("'flights.duckdb'", "'lab.duckdb'"))
    lab.query(
        "delete from raw.flights where origin <> 'LGA' or time_hour >= timestamptz '2013-02-12 00:00:00+00'"
    )
    return lab


def built(lab: Lab, as_of: str, *more: str) -> dict[str, list[tuple[object, ...]]]:
    statuses = lab.statuses("run", *EVERYTHING, *more, as_of=as_of)
    assert set(statuses.values()) == {"success"}, statuses
    return {table: lab.query(f"select * from {table} order by all") for table in TABLES}


def test_increments_give_what_a_rebuild_gives(lab: Lab) -> None:
    # The departures of an afternoon reach the warehouse a day late.
    lab.query("create table every_flight as from raw.flights")
    late = "time_hour between timestamptz '2013-01-20 18:00:00+00' and timestamptz '2013-01-20 22:00:00+00'"
    lab.query(f"delete from raw.flights where {late}")
    first = built(lab, "2013-01-21")
    lab.query(f"insert into raw.flights from every_flight where {late}")
    built(lab, "2013-01-22")
    built(lab, "2013-01-29 07:30:00")
    continued = built(lab, "2013-02-06")
    assert continued == built(lab, "2013-02-06", "--full-refresh")
    assert 0 < len(first["flight_features"]) < len(continued["flight_features"])
    missed = {row[0]: row for row in first["flight_features"]}
    assert any(missed.get(row[0], row) != row for row in continued["flight_features"])
