"""The stand-in: dbt-snowflake builds a small project on it. test_thin_loop.py builds the reference project."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from fixtures import Warehouse
from snowflake_dbt import dbt, write_profile

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
