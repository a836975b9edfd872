"""`snowml call`: the files of stored_procs/ run in the warehouse, and read nothing but the registry."""

import contextlib
import json
from typing import Any

import pytest
import shop

pytestmark = pytest.mark.dbt

COLUMNS = "shop, customer, as_of, prediction, score, model_version"


def call(project: shop.Shop, *args: str) -> dict[str, Any]:
    answer = project.cli("call", *args, "--json")
    assert answer.code == 0, answer.err
    found = answer.json
    assert json.dumps(found)
    return dict(found)


@pytest.fixture
def bare(promoted: shop.Shop) -> shop.Shop:
    """The promoted shop without a single model file: what a procedure has."""
    for file in (promoted.folder / "models").iterdir():
        file.unlink()
    return promoted


def test_training_reads_the_specification_from_the_registry(bare: shop.Shop) -> None:
    found = call(bare, "train_model", "churn", "2024-06-30")
    assert (found["model"], found["version"], found["status"]) == ("churn", 2, "approved")
    first, second = (
        item["run"] for item in (bare.cli("show", "churn", "--version", n, "--json").json for n in "12")
    )
    assert first["spec_hash"] == second["spec_hash"]
    assert first["fingerprint"] == second["fingerprint"]
    assert first["metrics"]["model"] == second["metrics"]["model"]


def test_promotion_takes_the_newest_or_the_one_that_is_named(bare: shop.Shop) -> None:
    call(bare, "train_model", "churn", "2024-06-30")
    assert call(bare, "promote_model", "churn")["version"] == 2
    assert call(bare, "promote_model", "churn", "1")["version"] == 1


def test_monitoring_answers_as_the_command_does(bare: shop.Shop) -> None:
    found = call(bare, "monitor_model", "spend", "2024-06-30", "30 days")
    same = bare.cli("monitor", "spend", "--as-of", "2024-06-30", "--window", "30 days", "--json").json
    assert found == same


@pytest.mark.parametrize("model", ["churn", "spend"])
def test_scoring_appends_to_dbts_table_what_dbt_would_have(promoted: shop.Shop, model: str) -> None:
    expected = promoted.rows(f"select {COLUMNS}, predicted_at from {model}_predictions order by all")
    types = promoted.types(f"{model}_predictions")
    with promoted.connect() as connection:
        connection.execute(f"delete from {model}_predictions where hash(customer) % 2 = 0")
        ((kept,),) = connection.execute(f"select count(*) from {model}_predictions").fetchall()
    found = call(promoted, "predict_batch", model, "2024-06-30")
    assert (found["scored"], found["total"]) == (60 - kept, 60)
    assert promoted.types(f"{model}_predictions") == types
    assert promoted.rows(f"select {COLUMNS}, predicted_at from {model}_predictions order by all") == expected
    assert call(promoted, "predict_batch", model, "2024-06-30")["scored"] == 0


def test_dbt_appends_to_the_table_that_scoring_made(promoted: shop.Shop) -> None:
    types = promoted.types("churn_predictions")
    with promoted.connect() as connection:
        connection.execute("drop table churn_predictions")
    assert call(promoted, "predict_batch", "churn", "2024-06-30")["scored"] == 60
    assert promoted.types("churn_predictions") == types
    promoted.build("churn_scoring_set", "churn_predictions", as_of="2024-07-05")
    assert promoted.rows("select count(*) from churn_predictions") == [(70,)]


@pytest.mark.parametrize(
    ("column", "words"),
    [("* exclude (region)", "region"), ("* replace (orders::varchar as orders)", "orders")],
    ids=["missing", "retyped"],
)
def test_scoring_refuses_a_column_that_is_missing_or_of_another_type(
    bare: shop.Shop, column: str, words: str
) -> None:
    with bare.connect() as connection:
        connection.execute(
            f"create or replace table churn_scoring_set as select {column} from churn_scoring_set"
        )
    answer = bare.cli("call", "predict_batch", "churn")
    assert answer.code == 2, answer.err
    assert f"'{words}'" in answer.err
    assert bare.rows("select count(*) from churn_predictions") == [(60,)]


@pytest.mark.parametrize("key", ["null as as_of", "'customer 350' as customer, '2024-06-24' as as_of"])
def test_scoring_refuses_rows_without_keys_of_their_own(promoted: shop.Shop, key: str) -> None:
    with contextlib.closing(promoted.connect()) as connection:
        connection.execute(
            f"create or replace table churn_scoring_set as select * replace ({key}) from churn_scoring_set"
        )
    answer = promoted.cli("call", "predict_batch", "churn")
    assert answer.code == 2
    assert "A row is known by these columns" in answer.err


def test_an_unknown_model_has_a_suggestion(bare: shop.Shop) -> None:
    answer = bare.cli("call", "train_model", "chrun")
    assert answer.code == 2
    assert "Did you mean 'churn'?" in answer.err


def test_the_answer_is_the_same_document_without_the_option(bare: shop.Shop) -> None:
    answer = bare.cli("call", "predict_batch", "spend", "2024-06-30")
    assert answer.code == 0
    assert answer.json == call(bare, "predict_batch", "spend", "2024-06-30")
