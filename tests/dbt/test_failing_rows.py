"""A test that fails says which rows it found: the first few, where all of them are, and how to see them."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import shop

from snowml.errors import TerminalError
from snowml.workflows.outcome import in_words, outcome_of, with_rows

pytestmark = pytest.mark.dbt

# Every fourth customer has no region; none has more than 8 orders; 400 customers in all.
TESTS = """\
models:
  - name: customers
    data_tests:
      - snowml.row_count: {arguments: {at_least: 401}}
    columns:
      - name: region
        data_tests:
          - not_null: {config: {store_failures: true}}
          - accepted_values: {arguments: {values: [north, south]}, config: {severity: warn}}
      - name: orders
        data_tests:
          - snowml.in_range: {arguments: {max: 8}}
"""
KEPT = '"shop"."analytics_dbt_test__audit"."not_null_customers_region"'


@pytest.fixture
def tested(built: shop.Shop) -> shop.Shop:
    built.write("models/customers.yml", TESTS)
    return built


def test_the_message_has_the_first_rows_and_says_where_all_are(tested: shop.Shop) -> None:
    answer = tested.cli("build", "--select", "customers")
    assert answer.code == 1
    told = answer.err.split("error: ")[1].splitlines()
    assert told[0] == "2 of 5 dbt nodes failed their test:"
    start = next(
        n for n, line in enumerate(told) if line.startswith("  not_null_customers_region: Got 100 results")
    )
    rows = told[start + 1 : start + 4]
    assert all(row.startswith("    shop=shop ") and "region=NULL" in row for row in rows)
    assert told[start + 4] == f"    all of them: select * from {KEPT}"
    assert tested.rows(f"select count(*), count(region) from {KEPT}") == [(100, 0)]
    counted = next(n for n, line in enumerate(told) if "row_count" in line)
    assert told[counted + 1] == "    rows_in_all=400"
    assert "all of them: run target/dev/compiled/shop/models/customers.yml/" in told[counted + 2]
    assert told[counted + 2].endswith(", or keep them in a table with --store-failures")
    assert "in_range" not in answer.err


def test_the_document_has_them_too(tested: shop.Shop) -> None:
    answer = tested.cli("build", "--select", "customers", "--json")
    assert answer.code == 1
    nodes = {node["name"]: node for node in answer.json["nodes"]}
    failing = nodes["not_null_customers_region"]["failing"]
    assert failing["kept_in"] == KEPT
    assert failing["query"] == f"select * from {KEPT}"
    assert [row["region"] for row in failing["rows"]] == [None] * 3
    (warned,) = [node for node in nodes.values() if node["status"] == "warn"]
    assert warned["failing"]["rows"] == [{"value_field": "east", "n_records": 100}]
    assert nodes["customers"]["failing"] is None


def test_store_failures_keeps_the_rows_of_every_test(tested: shop.Shop) -> None:
    answer = tested.cli("build", "--select", "customers", "--store-failures")
    assert answer.code == 1
    assert '_dbt_test__audit"."snowml_row_count_customers_401"' in answer.err
    assert "--store-failures" not in answer.err


def test_a_warning_has_its_rows(tested: shop.Shop) -> None:
    tested.write("models/customers.yml", TESTS.replace("store_failures: true", "severity: warn"))
    tested.replace("models/customers.yml", "at_least: 401", "at_least: 1")
    answer = tested.cli("build", "--select", "customers")
    assert answer.code == 0, answer.err
    assert "warning: accepted_values_customers_region__north__south: Got 1 result" in answer.out
    assert "  value_field=east, n_records=100\n" in answer.out
    assert "None" not in answer.out


def test_rows_that_cannot_be_read_hide_no_failure() -> None:
    class Engine:
        def query(self, sql: str) -> None:
            raise TerminalError("Out of memory.\nMore lines.")

        def close(self) -> None:
            pass

    node = SimpleNamespace(
        unique_id="test.shop.a", name="a", relation_name=None, compiled_code="select 1", compiled_path="a.sql"
    )
    result = SimpleNamespace(node=node, status="fail", message="Got 1 result", failures=1, execution_time=0.1)
    project = SimpleNamespace(folder=Path("/shop"), open=lambda **_: Engine())
    (found,) = with_rows(outcome_of([result]), [result], project).nodes  # type: ignore[arg-type]
    assert in_words(found) == [
        "a: Got 1 result",
        "  its rows could not be read: Out of memory.",
        "  all of them: run a.sql, or keep them in a table with --store-failures",
    ]
