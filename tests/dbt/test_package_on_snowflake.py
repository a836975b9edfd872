"""The stand-in: the dbt package's second project and every case of its generic tests, built by dbt-snowflake."""

import json
import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import generic_cases
import pumps
import pytest
import snowflake_copy
from generic_cases import CASE_IDS, CASES, check_kept_rows
from snowflake_dbt import dbt, write_profile

pytestmark = pytest.mark.dbt

# What numbers of the two engines may differ by: doubles are summed in another order.
CLOSE = 1e-12


def plain(value: Any) -> Any:
    """A value as JSON has it, whichever client gave it."""
    if isinstance(value, Decimal):
        return float(value)
    return str(value) if isinstance(value, date | datetime) else value


def same(ours: Any, theirs: Any) -> bool:
    ours, theirs = plain(ours), plain(theirs)
    if isinstance(ours, float) and theirs is not None:
        return math.isclose(ours, theirs, rel_tol=CLOSE, abs_tol=CLOSE)
    return bool(ours == theirs)


def test_the_second_project_is_continued_to_the_same_relations(tmp_path, warehouse, ask):
    local = pumps.built(tmp_path / "local")
    project = pumps.written(tmp_path / "pumps")
    write_profile(project.folder, warehouse, "pumps")
    assert dbt(project.folder, "deps").returncode == 0
    # In two steps, so that the second continues the tables of the first.
    earlier = dbt(project.folder, "run", "-s", "+pump_failure_training_set", "--vars", "as_of: 2024-06-20")
    assert earlier.returncode == 0, earlier.stdout
    done = dbt(project.folder, "build")
    assert done.returncode == 0, done.stdout
    assert " ERROR=0 " in done.stdout
    assert " WARN=0 " in done.stdout
    with duckdb.connect(str(local.folder / local.file), read_only=True) as file:
        relations = [
            name for (name,) in file.execute("select table_name from information_schema.tables").fetchall()
        ]
        assert len(relations) > 20
        for name in relations:
            relation = file.sql(f"select * from {name} order by all")
            columns = relation.columns
            ordered = ", ".join(f"{column} nulls last" for column in columns)
            theirs = ask(f"select {', '.join(columns)} from dev.{name} order by {ordered}")
            ours = relation.fetchall()
            assert len(ours) == len(theirs) > 0, name
            wrong = [
                (column, a, b)
                for row in zip(ours, theirs, strict=True)
                for column, a, b in zip(columns, *row, strict=True)
                if not same(a, b)
            ]
            assert not wrong, (name, wrong[:5])
    later = dbt(project.folder, "run", "-s", "pump_failure_training_set", "--vars", "as_of: 2024-07-05")
    assert later.returncode == 1
    assert "these feature tables end before: pump_features (2024-06-30 06:00:00)" in later.stdout


def test_every_generic_test_passes_good_rows_and_fails_bad_ones(tmp_path, warehouse, connection):
    lab = generic_cases.project(tmp_path / "lab")
    generic_cases.load(lab)
    write_profile(lab.folder, warehouse, "lab")
    snowflake_copy.copy(lab.folder / "lab.duckdb", connection, "loaded", generic_cases.LOADED)
    built = dbt(lab.folder, "run")
    assert built.returncode == 0, built.stdout
    dbt(lab.folder, "test")
    results = json.loads((lab.folder / "target" / "run_results.json").read_text("utf-8"))["results"]
    by_name = {result["unique_id"].split(".")[2]: result for result in results}
    expected = {f"good_{test}_{n}": "pass" for test, n in CASE_IDS if CASES[test][n]["good"] is not None}
    expected |= {f"bad_{test}_{n}": "fail" for test, n in CASE_IDS}
    messages = {
        name: by_name[name]["message"] for name in expected if by_name[name]["status"] != expected[name]
    }
    assert messages == {}
    for test, number in CASE_IDS:
        relation = by_name[f"bad_{test}_{number}"]["relation_name"]
        check_kept_rows(CASES[test][number], rows(connection, relation))


def rows(connection, relation):
    """The rows of a relation as a test writes them down."""
    cursor = connection.cursor().execute(f"select * from {relation}")
    names = [column.name.lower() for column in cursor.description]
    return [dict(zip(names, map(plain, row), strict=True)) for row in cursor.fetchall()]
