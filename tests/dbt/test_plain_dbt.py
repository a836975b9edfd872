"""dbt as its users start it, a process of its own with the documented profile."""

import pytest
import shop

pytestmark = pytest.mark.dbt


def test_a_plain_build_rebuilds_everything_down_to_the_predictions(promoted: shop.Shop) -> None:
    done = promoted.dbt_command("build", "--full-refresh")
    assert done.returncode == 0, done.stdout
    assert promoted.rows(
        "select count(*), count(score), any_value(model_version) from churn_predictions"
    ) == [(60, 60, 1)]
    assert promoted.rows(
        "select count(*), count(score), any_value(model_version) from spend_predictions"
    ) == [(60, 60, 1)]


def test_a_plain_build_gives_the_same_bits_as_ours(promoted: shop.Shop) -> None:
    before = promoted.rows("select * from churn_predictions order by all")
    done = promoted.dbt_command("build", "--full-refresh", "-s", "churn_predictions")
    assert done.returncode == 0, done.stdout
    assert promoted.rows("select * from churn_predictions order by all") == before


def test_without_the_plugin_the_estimator_says_what_to_do_and_sql_predicts(promoted: shop.Shop) -> None:
    bare = shop.Shop(promoted.folder, target="bare")
    done = bare.dbt_command("build", "--full-refresh", "-s", "tag:predictions")
    assert done.returncode == 1
    assert "through dbt with the plugin snowml.engines.duckdb.dbt_plugin" in done.stdout
    assert "churn_predictions" in done.stdout.split("Completed with 1 error")[1]
    assert "OK created sql incremental model analytics.spend_predictions" in done.stdout


def test_a_fresh_target_can_be_parsed(written: shop.Shop) -> None:
    done = shop.Shop(written.folder, target="other").dbt_command("parse", "--no-partial-parse")
    assert done.returncode == 0, done.stdout


def test_an_untrained_model_is_one_sentence_in_dbts_own_words(built: shop.Shop) -> None:
    done = built.dbt_command("build", "-s", "churn_predictions")
    assert done.returncode == 1
    assert "churn has no version yet. Train it: snowml train churn" in done.stdout


def test_dbt_run_from_the_projects_folder_uses_the_file_that_snowml_uses(built: shop.Shop) -> None:
    home = built.folder.parent / "home"
    home.mkdir()
    (built.folder / "profiles.yml").rename(home / "profiles.yml")
    program = "from dbt.cli.main import cli; cli()"
    done = shop.python(
        "-c", program, "build", "-s", "customers", cwd=built.folder, DBT_PROFILES_DIR=str(home)
    )
    assert done.returncode == 0, done.stdout
    answer = shop.command("train", "spend", "--project-dir", str(built.folder), "--profiles-dir", str(home))
    assert answer.code == 0, answer.err
    assert [path.name for path in home.iterdir()] == ["profiles.yml"]
