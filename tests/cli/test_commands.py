"""The commands: their help, their exit codes, their errors and what they import."""

import errno
import os
import re
from pathlib import Path

import click
import pytest
import shop

from snowml.cli import cli

EXPECTED = {
    *("init", "demo", "build", "train", "promote", "rollback", "predict", "monitor", "retrain"),
    *("runs", "versions", "show", "compare", "call"),
    *("audit", "replay", "features", "doctor", "tasks", "deploy"),
}
# Each command by its full name, those of a group among them.
COMMANDS: dict[str, click.Command] = {
    f"{name} {inner}" if inner else name: one
    for name, command in cli.commands.items()
    for inner, one in (command.commands.items() if isinstance(command, click.Group) else [("", command)])
}
# Snowpark's installation puts the empty package `snowflake` into every process; its clients are what is heavy.
CLIENTS = ("snowflake.connector", "snowflake.snowpark", "snowflake.ml")
HEAVY = ("sklearn", "pandas", "numba", "dbt", *CLIENTS, "pyarrow", "duckdb", "numpy", "scipy", "sqlglot")
IMPORTS = f"found = sorted(set(sys.modules) & set({HEAVY!r})); sys.exit(' '.join(found))"


def test_every_promised_command_is_there() -> None:
    assert set(cli.commands) >= EXPECTED


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_listed_with_help_and_explains_each_of_its_options(name: str) -> None:
    *group, last = name.split()
    listed, own = shop.command(*group, "--help"), shop.command(*group, last, "--help")
    assert listed.code == own.code == 0
    assert re.search(rf"^  {last} +[A-Z]", listed.out, re.MULTILINE)
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"--{parameter.name} says nothing"


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"demo", "init"}))
def test_every_command_takes_dbts_options_and_answers_as_json(name: str) -> None:
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert options >= {"--project-dir", "--profiles-dir", "--target", "--vars"}
    # What never ends has no one document.
    assert ("--json" in options) == (name != "tasks watch")


def test_the_exit_codes_are_explained() -> None:
    text = " ".join(shop.command("--help").out.split())
    assert "0 done; 1 the answer is no" in text
    assert "3 the warehouse failed" in text


def test_the_version_is_told() -> None:
    answer = shop.command("--version")
    assert answer.code == 0
    assert re.match(r"snowml, version \S+", answer.out)


@pytest.mark.parametrize("argument", ["--help", "--version", "train --help"])
def test_starting_imports_nothing_heavy(argument: str) -> None:
    program = (
        "import sys, snowml.cli\n"
        f"sys.argv = ['snowml', *{argument.split()!r}]\n"
        "try:\n    snowml.cli.main()\nexcept SystemExit:\n    pass\n" + IMPORTS
    )
    assert shop.python("-c", program).stderr.strip() == ""


def test_importing_the_command_line_imports_nothing_heavy() -> None:
    assert shop.python("-c", f"import sys, snowml, snowml.cli\n{IMPORTS}").stderr.strip() == ""


def one_sentence(answer: shop.Answer, code: int, *words: str) -> None:
    """An error as promised: nothing on standard output, no traceback, the exit code, and the words."""
    assert answer.code == code, answer.err
    assert answer.out == ""
    assert "Traceback" not in answer.err
    assert len(re.findall("^error: ", answer.err, re.MULTILINE | re.IGNORECASE)) == 1
    for word in words:
        assert word in answer.err


def test_a_defect_is_not_taken_for_the_answer_no(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def defect(*_: object, **__: object) -> None:
        raise ZeroDivisionError("nobody thought of this")

    monkeypatch.setattr("snowml.workflows.project.Project.load", defect)
    answer = shop.command("versions", "churn", "--project-dir", str(tmp_path))
    assert (answer.code, answer.out) == (70, "")
    assert "ZeroDivisionError" in answer.err
    assert "a defect of snowml" in answer.err


@pytest.mark.parametrize(("number", "named"), [(errno.ENOSPC, None), (errno.EROFS, "logs/dbt.log")])
def test_a_disk_that_is_full_or_read_only_is_no_defect(
    number: int, named: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), named)

    monkeypatch.setattr("snowml.workflows.project.Project.load", refused)
    answer = shop.command("versions", "churn", "--project-dir", str(tmp_path))
    one_sentence(answer, 2, os.strerror(number), named or "", "run the command again")


def test_what_the_locale_cannot_write_comes_out_as_an_escape() -> None:
    program = (
        "import snowml.cli; from snowml.cli.console import say\n"
        "snowml.cli.cli.main = lambda **_: say('gr\\u00f6\\u00dfe')\n"
        "snowml.cli.main()\n"
    )
    done = shop.python("-c", program, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout.strip()) == (0, r"gr\xf6\xdfe"), done.stderr


def test_an_unknown_command_is_refused() -> None:
    one_sentence(shop.command("trian"), 2, "trian")


def test_a_folder_without_a_project_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    one_sentence(shop.command("versions", "churn"), 2, "has no dbt_project.yml", "--project-dir")


def test_a_folder_that_is_not_there_is_told_apart(tmp_path: Path) -> None:
    one_sentence(
        shop.command("versions", "churn", "--project-dir", str(tmp_path / "no")), 2, "dbt_project.yml"
    )


@pytest.mark.dbt
class TestInAProject:
    """Errors that need a project, none of which runs dbt for long."""

    def test_a_missing_profile_names_the_file_to_write(self, written: shop.Shop) -> None:
        (written.folder / "profiles.yml").unlink()
        one_sentence(written.cli("train", "churn"), 2, "profiles.yml", "profiles.yml.example")

    def test_an_unknown_target_has_a_suggestion(self, written: shop.Shop) -> None:
        one_sentence(
            written.cli("train", "churn", "--target", "othr"), 2, "no target 'othr'", "Did you mean 'other'?"
        )

    @pytest.mark.parametrize("given", ["as_of", "[1, 2]", "{as_of: ", "7"])
    def test_vars_that_are_no_mapping_are_refused(self, written: shop.Shop, given: str) -> None:
        one_sentence(written.cli("train", "churn", "--vars", given), 2, "--vars")

    @pytest.mark.parametrize("given", ["yesterday", "2024-13-01", ""])
    @pytest.mark.parametrize("command", ["train", "build", "predict", "monitor", "retrain"])
    def test_an_as_of_that_is_no_moment_is_refused(
        self, trained: shop.Shop, command: str, given: str
    ) -> None:
        arguments = [] if command == "build" else ["churn"]
        one_sentence(
            trained.cli(command, *arguments, "--as-of", given), 2, "is no date or time", "2013-10-01"
        )

    @pytest.mark.parametrize("given", ["max_iter", "=5", "params.max_iter"])
    def test_a_setting_without_a_value_is_refused(self, written: shop.Shop, given: str) -> None:
        one_sentence(written.cli("train", "churn", "--set", given), 2, "KEY=VALUE")

    def test_a_setting_that_is_no_yaml_is_refused(self, written: shop.Shop) -> None:
        one_sentence(written.cli("train", "churn", "--set", "params.max_iter=[1"), 2, "params.max_iter")

    def test_a_setting_of_an_unknown_key_is_refused(self, written: shop.Shop) -> None:
        one_sentence(written.cli("train", "churn", "--set", "parms.max_iter=5"), 2, "parms", "params")

    def test_an_estimator_without_such_a_parameter_is_told(self, built: shop.Shop) -> None:
        one_sentence(
            built.cli("train", "churn", "--set", "params.max_itr=5"), 2, "max_itr", "Did you mean 'max_iter'?"
        )

    def test_one_model_that_cannot_be_trained_does_not_stop_the_others(self, built: shop.Shop) -> None:
        built.replace("models/ml.yml", "params: {max_iter: 60}", "params: {max_itr: 10}")
        answer = built.cli("train", "--all", "--json")
        assert answer.code == 2
        failed, done = answer.json
        assert (failed["model"], done["model"], done["status"]) == ("churn", "spend", "approved")
        line = (built.folder / "models/ml.yml").read_text("utf-8").splitlines().index(
            "          params: {max_itr: 10}"
        ) + 1
        assert failed["error"].startswith(f"models/ml.yml:{line}: params.max_itr: ")
        assert f"error: churn: {failed['error']}" in answer.err

    @pytest.mark.parametrize("given", ["tomorrow", "0 days", "-7 days"])
    def test_a_window_that_is_no_length_is_refused(self, promoted: shop.Shop, given: str) -> None:
        one_sentence(promoted.cli("monitor", "churn", f"--window={given}"), 2, "is no length of time")

    @pytest.mark.parametrize("command", ["train", "promote", "predict", "monitor", "runs", "versions"])
    def test_neither_a_model_nor_all_lists_the_models(self, trained: shop.Shop, command: str) -> None:
        one_sentence(trained.cli(command), 2, "Which model?", "--all", "Models: churn, spend")

    def test_both_a_model_and_all_are_refused(self, trained: shop.Shop) -> None:
        one_sentence(trained.cli("versions", "churn", "--all"), 2, "not both")

    @pytest.mark.parametrize("command", ["promote", "predict", "monitor", "runs", "versions", "show"])
    def test_an_unknown_model_has_a_suggestion(self, trained: shop.Shop, command: str) -> None:
        one_sentence(trained.cli(command, "chrun"), 2, "chrun", "Did you mean 'churn'?")

    @pytest.mark.parametrize("command", ["promote", "predict", "monitor", "runs", "versions", "show"])
    def test_before_anything_is_trained_each_command_says_so(self, built: shop.Shop, command: str) -> None:
        one_sentence(built.cli(command, "churn"), 2, "Train a model: snowml train")

    @pytest.mark.parametrize("command", ["promote", "runs", "versions", "show"])
    def test_before_anything_is_built_each_command_says_so(self, written: shop.Shop, command: str) -> None:
        (written.folder / "shop.duckdb").unlink(missing_ok=True)
        answer = written.cli(command, "churn")
        one_sentence(answer, 2)
        assert "snowml build" in answer.err or "snowml train" in answer.err

    @pytest.mark.parametrize("command", ["predict", "monitor", "rollback"])
    def test_before_anything_is_promoted_each_command_says_so(self, trained: shop.Shop, command: str) -> None:
        one_sentence(trained.cli(command, "churn"), 2, "snowml promote churn")

    def test_there_is_nothing_to_roll_back_to_after_one_promotion(self, promoted: shop.Shop) -> None:
        one_sentence(promoted.cli("rollback", "churn"), 2, "no champion before version 1")

    def test_an_unknown_version_lists_those_there_are(self, trained: shop.Shop) -> None:
        one_sentence(trained.cli("show", "churn", "--version", "7"), 2, "no version 7", "1")
        one_sentence(trained.cli("promote", "churn", "--version", "7"), 2, "no version 7")

    def test_an_unknown_procedure_has_a_suggestion(self, trained: shop.Shop) -> None:
        one_sentence(trained.cli("call", "train_modle", "churn"), 2, "Did you mean 'train_model'?")

    @pytest.mark.parametrize("arguments", [[], ["churn", "2024-06-30", "7 days", "and", "more"]])
    def test_a_procedure_with_the_wrong_number_of_arguments_is_refused(
        self, trained: shop.Shop, arguments: list[str]
    ) -> None:
        one_sentence(trained.cli("call", "train_model", *arguments), 2, "train_model")

    def test_a_version_that_is_no_number_is_refused_by_the_procedure(self, trained: shop.Shop) -> None:
        one_sentence(trained.cli("call", "promote_model", "churn", "newest"), 2, "newest")

    def test_a_selection_of_nothing_is_an_error(self, built: shop.Shop) -> None:
        one_sentence(built.cli("build", "--select", "custmers"), 2, "custmers")

    @pytest.mark.parametrize(
        "arguments",
        [
            ["-s", "customers", "churn_training_set", "--exclude", "churn_training_set", "test_type:data"],
            ["-s", "customers churn_training_set", "--exclude=churn_training_set"],
            ["--select", "customers", "-s", "churn_training_set", "--exclude", "churn_training_set"],
        ],
    )
    def test_several_nodes_are_selected_as_with_dbt(self, built: shop.Shop, arguments: list[str]) -> None:
        answer = built.cli("build", *arguments, "--json")
        assert answer.code == 0, answer.err
        assert [node["name"] for node in answer.json["nodes"]] == ["customers"]

    def test_a_word_after_an_option_that_takes_one_value_is_refused(self, written: shop.Shop) -> None:
        one_sentence(written.cli("build", "--as-of", "2024-06-30", "customers"), 2, "customers")

    def test_a_file_that_is_no_database_is_the_users_to_mend(self, trained: shop.Shop) -> None:
        (trained.folder / "shop.duckdb").write_bytes(b"not a database" * 1000)
        one_sentence(trained.cli("versions", "churn"), 2, "is not a DuckDB file")

    def test_a_damaged_file_is_the_warehouses_failure(self, trained: shop.Shop) -> None:
        file = trained.folder / "shop.duckdb"
        data = bytearray(file.read_bytes())
        data[4096 : 4096 + 2048] = b"\xff" * 2048
        file.write_bytes(data[: len(data) // 2])
        one_sentence(trained.cli("versions", "churn"), 3, "shop.duckdb")

    def test_a_statement_that_the_warehouse_refuses_is_its_failure(self, trained: shop.Shop) -> None:
        with trained.connect() as connection:
            connection.execute("drop table analytics_snowml.run_metrics")
        one_sentence(trained.cli("runs", "churn"), 3, "run_metrics")

    def test_a_model_that_dbt_cannot_build_is_named(self, built: shop.Shop) -> None:
        built.write("models/customers.sql", "select 1 as")
        answer = built.cli("build", "--select", "customers")
        assert answer.code == 2
        assert "customers: " in answer.err
        assert "Traceback" not in answer.err

    def test_a_test_that_fails_is_the_answer_no(self, built: shop.Shop) -> None:
        tests = "models:\n  - name: customers\n    columns: [{name: region, data_tests: [not_null]}]\n"
        built.write("models/customers.yml", tests)
        one_sentence(built.cli("build", "--select", "customers"), 1, "not_null_customers_region")

    def test_output_that_is_no_terminal_has_no_control_characters(self, built: shop.Shop) -> None:
        program = "from snowml.cli import main; main()"
        done = shop.python("-c", program, "train", "--all", cwd=built.folder, FORCE_COLOR="", NO_COLOR="1")
        assert done.returncode == 0, done.stderr
        assert "churn version 1" in done.stdout
        assert "fit hist_gradient_boosting" in done.stderr
        for text in (done.stdout, done.stderr):
            assert re.findall(r"[^\n\x20-\x7e\u00a0-\uffff]", text) == []


def test_a_command_that_is_stopped_while_dbt_runs_is_stopped(written, monkeypatch):
    from dbt.task.build import BuildTask

    def stopped(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(BuildTask, "run", stopped)
    answer = written.cli("build")
    assert (answer.code, answer.out) == (130, "")
    assert answer.err.strip().endswith("stopped.")
    assert "error" not in answer.err
