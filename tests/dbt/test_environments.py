"""Where the registry and the functions live, and what dbt meets there, in any file and any schema."""

import contextlib
from datetime import datetime
from pathlib import Path

import duckdb
import pytest
import shop

import snowml
from snowml.errors import ProjectError, SnowmlError
from snowml.registry.schema import columns_of

pytestmark = pytest.mark.dbt

TYPES = {"text": "VARCHAR", "int": "BIGINT", "time": "TIMESTAMP", "double": "DOUBLE", "boolean": "BOOLEAN"}
INPUTS = "visits, basket, orders, region, is_member"


def schemas(project: shop.Shop, table: str) -> list[str]:
    """The schemas that hold a table of that name."""
    found = project.rows(
        "select table_schema from information_schema.tables where table_name = ? order by 1", table
    )
    return [row[0] for row in found]


def functions(project: shop.Shop) -> dict[str, set[str]]:
    """Schema → the prediction functions in it."""
    found: dict[str, set[str]] = {}
    rows = project.rows(
        "select schema_name, function_name from duckdb_functions() "
        "where starts_with(function_name, 'predict_') and database_name = current_database()"
    )
    for schema, name in rows:
        found.setdefault(schema, set()).add(name)
    return found


@pytest.mark.parametrize("table", ["drift", "performance"])
def test_monitoring_has_the_registrys_columns_and_no_rows_where_there_is_no_registry(
    built: shop.Shop, table: str
) -> None:
    built.build(f"churn_{table}")
    expected = {name: TYPES[type_] for name, type_ in columns_of(table).items()}
    assert built.types(f"churn_{table}") == expected
    assert built.rows(f"select count(*) from churn_{table}") == [(0,)]


@pytest.mark.parametrize("table", ["drift", "performance"])
def test_monitoring_shows_what_was_found_last_with_the_same_columns(promoted: shop.Shop, table: str) -> None:
    for _ in range(2):
        promoted.cli("monitor", "churn", "--as-of", "2024-06-30", "--window", "30 days", "--threshold", "9")
    promoted.build(f"churn_{table}")
    assert promoted.types(f"churn_{table}") == {
        name: TYPES[type_] for name, type_ in columns_of(table).items()
    }
    key = "column_name" if table == "drift" else "predictor, metric"
    ((rows, distinct),) = promoted.rows(f"select count(*), count(distinct ({key})) from churn_{table}")
    assert rows == distinct > 0


def test_the_registry_stands_beside_the_targets_schema(trained: shop.Shop) -> None:
    assert schemas(trained, "model_versions") == ["analytics_snowml"]


def test_the_functions_stand_in_the_targets_schema(promoted: shop.Shop) -> None:
    kinds = {"predict_churn", "predict_churn_proba", "predict_churn_label", "predict_spend"}
    kinds |= {"predict_churn_v1", "predict_churn_v1_proba", "predict_churn_v1_label", "predict_spend_v1"}
    assert functions(promoted) == {"analytics": kinds}


def test_the_registrys_schema_can_be_named(built: shop.Shop) -> None:
    built.replace("dbt_project.yml", "vars:\n", "vars:\n  snowml_schema: models\n")
    built.train("spend")
    built.promote("spend")
    built.build("spend_predictions")
    assert schemas(built, "model_versions") == ["models"]
    assert built.rows("select count(*) from spend_predictions") == [(60,)]


def test_functions_in_a_schema_of_their_own_serve_dbt_and_sql(built: shop.Shop) -> None:
    built.replace("dbt_project.yml", "vars:\n", "vars:\n  snowml_function_schema: serving\n")
    built.train()
    built.promote()
    built.build("tag:predictions")
    assert set(functions(built)) == {"serving"}
    for model, function in (("churn", "predict_churn_proba"), ("spend", "predict_spend")):
        assert built.rows(f"select count(*), count(score) from {model}_predictions") == [(60, 60)]
        assert built.rows(
            f"select count(*), count(serving.{function}({INPUTS})) from {model}_scoring_set"
        ) == [(60, 60)]


def test_each_target_has_a_champion_of_its_own(promoted: shop.Shop) -> None:
    other = shop.Shop(promoted.folder, target="other")
    other.build(exclude=shop.AFTER_TRAINING)
    with pytest.raises(ProjectError, match="churn has no version yet"):
        other.build("churn_predictions")
    other.train("churn")
    other.promote("churn")
    other.build("churn_predictions")
    assert schemas(promoted, "model_versions") == ["analytics_snowml", "elsewhere_snowml"]
    assert set(functions(promoted)) == {"analytics", "elsewhere"}


def test_a_target_may_read_the_champion_of_another(promoted: shop.Shop) -> None:
    other = shop.Shop(promoted.folder, target="other")
    there = {"snowml_schema": "analytics_snowml", "snowml_function_schema": "analytics"}
    other.build("+churn_predictions", exclude=("churn_training_set",), **there)
    assert other.rows("select count(*), count(score) from elsewhere.churn_predictions") == [(60, 60)]


def test_everything_works_in_a_file_that_is_called_as_the_registrys_schema(written: shop.Shop) -> None:
    written.replace("profiles.yml", "shop.duckdb", "snowml.duckdb")
    written.replace("dbt_project.yml", "vars:\n", "vars:\n  snowml_schema: snowml\n")
    written.build(exclude=shop.AFTER_TRAINING)
    written.train()
    written.promote()
    written.build("tag:predictions")
    answer = written.cli("monitor", "churn", "--window", "30 days", "--threshold", "9")
    assert answer.code == 0, answer.err
    written.build("tag:monitoring")
    assert written.rows("select count(*), count(score) from churn_predictions") == [(60, 60)]
    assert written.rows("select count(*) > 0 from churn_drift") == [(True,)]
    assert written.cli("rollback", "churn").code == 2
    assert written.cli("versions", "churn").code == 0


def test_a_copy_under_the_registrys_name_still_predicts_for_any_client(
    promoted: shop.Shop, tmp_path: Path
) -> None:
    copy = tmp_path / "analytics_snowml.duckdb"
    copy.write_bytes((promoted.folder / "shop.duckdb").read_bytes())
    with duckdb.connect(str(copy)) as connection:
        query = f"select count(analytics.predict_spend({INPUTS})) from analytics.spend_scoring_set"
        assert connection.execute(query).fetchall() == [(60,)]


def test_a_file_that_is_renamed_as_the_registrys_schema_is_built_and_read_as_before(
    promoted: shop.Shop,
) -> None:
    (promoted.folder / "shop.duckdb").rename(promoted.folder / "analytics_snowml.duckdb")
    promoted.replace("profiles.yml", "shop.duckdb", "analytics_snowml.duckdb")
    promoted.build("+spend_predictions", "+churn_predictions", as_of="2024-07-05")
    assert promoted.rows("select count(*), count(score) from churn_predictions") == [(70, 70)]
    assert promoted.rows("select count(*), count(score) from spend_predictions") == [(70, 70)]
    assert promoted.cli("show", "churn").code == 0


def test_a_plain_client_is_told_how_to_run_the_estimator(promoted: shop.Shop) -> None:
    program = (
        "import duckdb, sys; duckdb.connect('shop.duckdb').sql("
        f"'select analytics.predict_churn({INPUTS}) from analytics.churn_scoring_set').fetchall()"
    )
    done = shop.python("-c", program, cwd=promoted.folder)
    assert done.returncode == 1
    assert "Open the file with snowml.connect()" in done.stderr


def test_a_function_outlives_the_connection_that_registered_it(promoted: shop.Shop) -> None:
    # In a process of its own, for what would go wrong is a crash.
    program = (
        "import gc, snowml\n"
        "first, second = snowml.connect('shop.duckdb'), snowml.connect('shop.duckdb')\n"
        "first.close(); del first; gc.collect()\n"
        "taken = [(lambda n: lambda *columns: n)(n) for n in range(1000)]\n"
        f"query = 'select count(analytics.predict_churn_proba({INPUTS})) from analytics.churn_scoring_set'\n"
        "print(second.sql(query).fetchall())"
    )
    done = shop.python("-c", program, cwd=promoted.folder)
    assert (done.returncode, done.stdout.strip()) == (0, "[(60,)]"), done.stderr


def test_a_notebook_may_ask_for_rows_and_models_while_it_is_connected(promoted: shop.Shop) -> None:
    with contextlib.closing(promoted.connect()) as connection:
        where = {"project_dir": promoted.folder, "profiles_dir": promoted.folder, "target": promoted.target}
        rows = snowml.training_set("churn", **where)
        scored = snowml.load_model("churn", **where).predict_proba(rows[INPUTS.split(", ")])
        assert len(scored) == len(rows) > 0
        query = f"select count(analytics.predict_churn_proba({INPUTS})) from analytics.churn_scoring_set"
        assert connection.sql(query).fetchall() == [(60,)]


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2024-07-03", datetime(2024, 7, 3)),
        ("2024-07-03T06:00", datetime(2024, 7, 3, 6)),
        ("2024-07-03 06:00:30", datetime(2024, 7, 3, 6, 0, 30)),
        ("2024-07-03T06:00:00Z", datetime(2024, 7, 3, 6)),
    ],
)
def test_as_of_may_be_written_as_a_date_or_a_time(promoted: shop.Shop, given: str, moment: datetime) -> None:
    promoted.build("spend_scoring_set", "spend_predictions", as_of=given)
    assert promoted.rows("select max(predicted_at) from spend_predictions") == [(moment,)]


@pytest.mark.parametrize("given", ["yesterday", "2024-7-3", "2024-07-03'; drop table customers; --"])
def test_an_as_of_that_is_no_moment_is_refused(promoted: shop.Shop, given: str) -> None:
    with pytest.raises(
        SnowmlError, match=r"The var as_of is '.*give a UTC date or time such as 2013-10-01"
    ) as raised:
        promoted.build("spend_scoring_set", as_of=given)
    assert raised.value.exit_code == 2
