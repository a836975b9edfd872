"""Tasks that wait for new rows, and specifications that are recorded once whoever records them."""

from pathlib import Path

import duckdb
import pytest
import shop

from snowml.errors import SpecError
from snowml.spec.model import ModelSpec

pytestmark = pytest.mark.dbt

HOURLY = "0 * * * * UTC"
SOURCES = "sources:\n  - name: till\n    schema: till\n    tables:\n      - name: receipts\n"


def execute(folder: Path, *statements: str) -> None:
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        for statement in statements:
            connection.execute(statement)


def waiting(shop_: shop.Shop, stream: str = "till.receipts") -> shop.Shop:
    """Churn is looked after when there are new receipts."""
    shop_.write("models/sources.yml", SOURCES)
    shop_.replace(
        "models/ml.yml",
        "ref('churn_scoring_set')]",
        "ref('churn_scoring_set'), \"source('till', 'receipts')\", ref('customers')]",
    )
    settings = f"monitor: {{schedule: {HOURLY}, stream: {stream}, window: 30 days, threshold: 9}}"
    shop_.replace("models/ml.yml", "metric: roc_auc\n", f"metric: roc_auc\n          {settings}\n")
    return shop_


def standing(shop_: shop.Shop, at: str) -> str:
    return shop_.cli("tasks", "list", "--as-of", at, "--json").json["graphs"][0]["state"]


def test_without_new_rows_nothing_is_due(built: shop.Shop) -> None:
    made = waiting(built)
    execute(made.folder, "create schema till", "create table till.receipts as select 1 as n from range(5)")
    answer = made.cli("tasks", "run", "--as-of", "2024-06-30T08:00", "--json")
    assert answer.code == 0, answer.err
    features = answer.json["graphs"][0]["tasks"][0]
    assert features["detail"].endswith("; 5 new rows in till.receipts")

    assert standing(made, "2024-06-30T09:00") == "no new rows"
    assert made.cli("tasks", "run", "--as-of", "2024-06-30T09:00", "--json").json["graphs"] == []
    execute(made.folder, "insert into till.receipts values (6)")
    assert standing(made, "2024-06-30T10:00") == "due"

    # What a round did not build of is not taken.
    (made.folder / "models/customers.sql").write_text("select nonsense")
    answer = made.cli("tasks", "run", "--as-of", "2024-06-30T10:00", "--json")
    assert answer.code == 2
    assert standing(made, "2024-06-30T11:00") == "due"
    kinds = [one["kind"] for one in made.cli("tasks", "messages", "--json").json["messages"]]
    assert "failure" in kinds
    assert "features, due 2024-06-30 10:00:00: " in made.cli("tasks", "messages").out


def test_a_table_that_dbt_makes_anew_has_no_new_rows(written: shop.Shop) -> None:
    with pytest.raises(
        SpecError, match=r"ml\.yml:\d+: monitor\.stream: 'customers' is a table, which dbt makes"
    ):
        waiting(written, stream="customers").train("churn")


def test_whoever_records_a_specification_it_is_recorded_once(built: shop.Shop) -> None:
    made = waiting(built)
    execute(made.folder, "create schema till", "create table till.receipts as select 1 as n")
    made.replace("dbt_project.yml", "models:\n", 'on-run-end: "{{ snowml.record_specs() }}"\nmodels:\n')
    # A date, which JSON has not.
    made.replace("models/ml.yml", "test: 30 days}", "test: 2024-05-31}")

    def recorded() -> list[tuple[str, int]]:
        counted = "select model, count(*) from analytics_snowml.specs group by all order by 1"
        return made.rows(counted)

    made.train("churn")
    for _ in range(2):
        made.build("customers")
        made.train("churn")
    assert recorded() == [("churn", 1), ("spend", 1)]
    ((text,),) = made.rows("select spec from analytics_snowml.specs where model = 'churn'")
    stream = ModelSpec.from_json(text).stream
    assert str(stream) == "till.receipts"
    # One that changed is recorded once by dbt, and once more with nothing but the commit, where there is one.
    made.replace("models/ml.yml", "max_iter: 60", "max_iter: 61")
    made.build("customers")
    made.train("churn")
    made.build("customers")
    assert recorded() == [("churn", 2), ("spend", 1)]
