"""The stand-in: dbt-snowflake builds on it, a small project and the reference project on a sample of its flights."""

import math
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import flights_sample
import pytest
import snowflake_copy
from fixtures import Warehouse
from snowflake_dbt import dbt, write_profile

from snowml.shipped import dbt_package

pytestmark = pytest.mark.dbt

PROJECT = """
name: tiny
version: 1.0.0
config-version: 2
profile: tiny
"""
MODELS = {
    "orders.sql": "{{ config(materialized='table') }} select 1 as id, 2.5::float as paid union all select 2, null",
    "seen.sql": """
        {{ config(materialized='view') }}
        select * from {{ ref('orders') }}
    """,
    "kept.sql": """
        {{ config(materialized='incremental', incremental_strategy=var('strategy', 'append'), unique_key='id') }}
        select id, paid, current_timestamp() as built_at from {{ ref('seen') }}
    """,
    "models.yml": """
        models:
          - name: orders
            config: {contract: {enforced: true}}
            columns:
              - {name: id, data_type: int, data_tests: [not_null, unique]}
              - {name: paid, data_type: float}
    """,
}


@pytest.fixture
def tiny(tmp_path: Path, warehouse: Warehouse) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text(PROJECT)
    for name, text in MODELS.items():
        (tmp_path / "models" / name).write_text(textwrap.dedent(text))
    write_profile(tmp_path, warehouse, "tiny")
    return tmp_path


@pytest.mark.parametrize(("strategy", "rows"), [("append", 4), ("merge", 2), ("delete+insert", 2)])
def test_dbt_builds_a_project_again_and_again(tiny, ask, warehouse, strategy, rows):
    for _ in range(2):
        done = dbt(tiny, "build", "--vars", f"{{strategy: {strategy}}}")
        assert done.returncode == 0, done.stdout
    assert ask("select count(*), count(paid) from dev.kept") == [(rows, rows // 2)]
    # dbt names a tag, a role and a warehouse at most: nothing that it needs is only accepted.
    assert {r.sql.split()[0].lower() for r in warehouse.records if r.kind == "accepted"} <= {"alter", "use"}


def test_snowml_build_shows_the_rows_that_a_test_found(tiny, warehouse):
    found = "{values: [1], quote: false}"
    (tiny / "models" / "models.yml").write_text(
        "models:\n  - name: orders\n    columns:\n      - name: paid\n        data_tests: [not_null, {accepted_values: "
        f"{{arguments: {found}, config: {{store_failures: true}}}}}}]\n"
    )
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    program = [sys.executable, "-c", "from snowml.cli import main; main()", "build", "-s", "orders"]
    done = subprocess.run(program, cwd=tiny, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "    paid=NULL\n    all of them: run target/snowflake/compiled/" in done.stderr
    kept = f"{warehouse.database}.DEV_dbt_test__audit.accepted_values_orders_paid__False__1"
    assert f"    value_field=2.5, n_records=1\n    all of them: select * from {kept}\n" in done.stderr


@pytest.fixture
def flights(tmp_path: Path) -> Path:
    return flights_sample.project_in(tmp_path)


@pytest.mark.loop
def test_the_reference_project_is_the_same_on_both_engines(flights, connection, ask, warehouse):
    snowflake_copy.copy(flights / "flights.duckdb", connection, "raw", flights_sample.ROWS)
    write_profile(flights, warehouse, "flights")
    done = dbt(flights, "build", "--vars", flights_sample.VARS)
    assert done.returncode == 0, done.stdout
    # Building fetches no table: what comes to dbt are answers about relations, and counts.
    assert max(record.rows for record in warehouse.records) < 200
    (flights / "profiles.yml").write_text((dbt_package().parents[1] / "profiles.yml.example").read_text())
    # A profile's own folder is where a relative path of DuckDB's starts; dbt runs there.
    local = dbt(flights, "run", "--vars", flights_sample.VARS, "--exclude", "tag:predictions")
    assert local.returncode == 0, local.stdout
    with duckdb.connect(str(flights / "flights.duckdb"), read_only=True) as file:
        for table in ("flight_delay_training_set", "flight_delay_scoring_set", "arrival_delay_training_set"):
            relation = file.sql(f"select * from {table} order by flight_id")
            columns = ", ".join(f'"{column.upper()}"' for column in relation.columns)
            rows = relation.fetchall()
            assert len(rows) > 100
            found = ask(f"select {columns} from dev.{table} order by flight_id")
            for ours, theirs in zip(rows, found, strict=True):
                wrong = [c for c, a, b in zip(relation.columns, ours, theirs, strict=True) if not _same(a, b)]
                assert not wrong, (table, wrong, ours, theirs)


def _same(ours: object, theirs: object) -> bool:
    if isinstance(ours, float) and theirs is not None:
        return math.isclose(ours, float(theirs), rel_tol=1e-12, abs_tol=1e-12)
    return ours == theirs
