"""The whole loop through Snowflake's own clients: dbt builds, procedures train, promote and monitor, dbt predicts."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import flights_sample
import pytest
import snowflake_copy
from fixtures import Warehouse
from snowflake_dbt import dbt, write_profile
from snowflake_procedures import deploy
from snowflake_target import open_standin

from snowml.engines.base import Engine
from snowml.engines.duckdb.connection import DuckDBFile
from snowml.engines.duckdb.engine import DuckDBEngine
from snowml.names import Relation, quoted
from snowml.records import Version
from snowml.registry.store import Registry
from snowml.serving.functions import functions_of
from snowml.shipped import shipped
from snowml.workflows.champion import load_artifact
from snowml.workflows.repair import create_versioned

pytestmark = [pytest.mark.dbt, pytest.mark.loop, pytest.mark.standin_loop]

FLAVORS = {"flight_delay": "kernel", "arrival_delay": "sql"}
# More rows than answers about relations have, and fewer than any table that is scored.
MOST_ROWS = 200
SETS = ("flight_delay_training_set", "flight_delay_scoring_set", "arrival_delay_training_set")
# A month has no room for windows of thirty days, nor a sample for gates.
SMALLER = {
    "validation: 30 days, test: 30 days": "validation: 4 days, test: 5 days",
    "max_iter: 100": "max_iter: 20",
    "{metric: roc_auc, split: test, min: 0.65}": "{metric: roc_auc, split: test, min: 0.1}",
    "{metric: r2, split: test, min: 0.05}": "{metric: rmse, split: test, max: 1000}",
    "            - {better_than: baseline}\n": "",
}


@pytest.fixture
def project(tmp_path: Path, warehouse: Warehouse) -> Path:
    project = flights_sample.project_in(tmp_path)
    for model in FLAVORS:
        file = project / "models" / "ml" / f"{model}.yml"
        text = file.read_text()
        for whole, small in SMALLER.items():
            text = text.replace(whole, small)
        file.write_text(text)
    write_profile(project, warehouse, "flights")
    return project


@pytest.fixture
def engine(warehouse: Warehouse, connection: Any) -> Iterator[Any]:
    # Procedures are called in the schema that a session was opened with, so it must be there.
    connection.cursor().execute("create schema dev")
    engine = open_standin(warehouse, schema="DEV")
    yield engine
    engine.close()


@pytest.fixture
def duckdb_engine() -> Iterator[Engine]:
    engine = DuckDBEngine(DuckDBFile(":memory:").open())
    yield engine
    engine.close()


def build(project: Path, *selection: str) -> None:
    done = dbt(project, "build", "--vars", flights_sample.VARS, *selection)
    assert done.returncode == 0, done.stdout


def test_the_loop_runs_through_snowflakes_own_clients(project, engine, connection, warehouse, duckdb_engine):
    snowflake_copy.copy(project / "flights.duckdb", connection, "raw", flights_sample.ROWS)
    # Where there is a registry, dbt records the specifications that procedures read.
    registry = Registry(engine, "snowml").create()
    build(project)
    # Building fetches no table: what comes to dbt are answers about relations, and counts.
    assert max(record.rows for record in warehouse.records) < MOST_ROWS
    assert_the_sets_are_those_of_duckdb(project, engine)
    deploy(engine, "dev")
    for model, flavor in FLAVORS.items():
        trained = engine.call("train_model", [model, flights_sample.AS_OF])
        assert (trained["status"], trained["flavor"]) == ("approved", flavor)
        promoted = engine.call("promote_model", [model])
        assert promoted["parity"]["certified"]
        home = Relation(registry.schema, model)
        assert [(one.name, one.is_champion) for one in engine.models.versions(home)] == [("V1", True)]
    before = len(warehouse.records)
    build(project, "--select", "tag:predictions")
    for model in FLAVORS:
        monitored = engine.call("monitor_model", [model, flights_sample.AS_OF, "3 days"])
        assert monitored["rows"] > MOST_ROWS
        assert 0 < monitored["labelled"] < monitored["rows"]
        assert len(monitored["features"]) > 20
    asked = warehouse.records[before:]
    assert {record.kind for record in asked} <= {"executed", "accepted"}
    # No table comes to a client or into a procedure: what comes are counts, answers about relations, and the bins that
    # were frozen at training.
    large = [record.sql for record in asked if record.rows >= MOST_ROWS]
    assert all('."BASELINES" where model = ?' in sql for sql in large), large
    for model in FLAVORS:
        scored = duckdb_answers(registry, registry.champion(model), duckdb_engine)
        assert len(scored) > MOST_ROWS
        for predicted, answered in scored:
            assert predicted == pytest.approx(answered, rel=1e-9, abs=1e-9)


def assert_the_sets_are_those_of_duckdb(project: Path, engine: Engine) -> None:
    """dbt-duckdb makes of the same raw tables what dbt-snowflake made."""
    profile = project / "profiles.yml"
    ours, example = profile.read_text(), shipped("profiles.yml.example")
    # A profile's own folder is where a relative path of DuckDB's starts; dbt runs there.
    profile.write_text(example.read_text())
    done = dbt(project, "run", "--vars", flights_sample.VARS, "--select", *(f"+{table}" for table in SETS))
    assert done.returncode == 0, done.stdout
    profile.write_text(ours)
    with duckdb.connect(str(project / "flights.duckdb"), read_only=True) as file:
        for table in SETS:
            relation = file.sql(f"select * from {table} order by flight_id")
            expected = relation.fetchall()
            assert len(expected) > 100
            found = engine.query(f"select * from {_name(engine, 'dev', table)} order by flight_id")
            assert found.column_names == [name.lower() for name in relation.columns]
            for one, other in zip(expected, zip(*found.to_pydict().values(), strict=True), strict=True):
                wrong = [c for c, a, b in zip(relation.columns, one, other, strict=True) if not _same(a, b)]
                assert not wrong, (table, wrong, one, other)


def _same(one: object, other: Any) -> bool:
    if isinstance(one, float) and other is not None:
        return math.isclose(one, float(other), rel_tol=1e-12, abs_tol=1e-12)
    return one == other


def duckdb_answers(
    registry: Registry, version: Version, duckdb_engine: Any
) -> list[tuple[float | None, float | None]]:
    """For each row that dbt scored on Snowflake: its score, and what the same artifact answers on DuckDB."""
    engine, features = registry.engine, version.signature.features
    schema, key = "dev", version.signature.entity[0]
    inputs = engine.query(f"select * from {_name(engine, schema, f'{version.model}_scoring_set')}")
    scores = engine.query(f"select {key}, score from {_name(engine, schema, f'{version.model}_predictions')}")
    store = Registry(duckdb_engine, "snowml").create().table("artifacts")
    artifact = load_artifact(registry, version)
    functions = functions_of(version, artifact, schema="main", store=store, dialect="duckdb")
    create_versioned(duckdb_engine, functions)
    duckdb_engine.connection.register("inputs", inputs)
    duckdb_engine.connection.register("scores", scores)
    arguments = ", ".join(quoted(feature.name, "duckdb") for feature in features)
    found = duckdb_engine.query(
        f"select score, {functions.versioned[0].name.sql('duckdb')}({arguments}) as answer "
        f"from inputs inner join scores using ({key})"
    )
    return list(zip(found["score"].to_pylist(), found["answer"].to_pylist(), strict=True))


def _name(engine: Engine, schema: str, name: str) -> str:
    return Relation(schema, name, engine.database).sql(engine.name)
