"""The stand-in: dbt-snowflake builds on it, a small project and the reference project on a sample of its flights."""

import shutil
import textwrap
from pathlib import Path

import pytest
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
