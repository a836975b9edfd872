"""What the commands answer: one JSON document on standard output, and nothing else there."""

import contextlib
import re

import duckdb
import pytest
import shop

pytestmark = pytest.mark.dbt

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
WINDOW = ("--as-of", "2024-06-30", "--window", "30 days")


def document(answer: shop.Answer, code: int = 0) -> dict[str, object]:
    assert answer.code == code, answer.err
    read = answer.json
    assert isinstance(read, dict)
    return read


def test_train_answers_with_the_version_and_its_figures(built: shop.Shop) -> None:
    found = document(built.cli("train", "churn", "--json"))
    assert (found["model"], found["version"], found["status"]) == ("churn", 1, "approved")
    assert found["flavor"] == "kernel"
    assert found["as_of"] == "2024-06-30T00:00:00Z"
    assert set(found["metrics"]) == {"train", "validation", "test"}
    assert isinstance(found["metrics"]["test"]["roc_auc"], float)
    assert set(found["baselines"]) == {"constant", "best_rule"}
    assert set(found["rows"]) == {"train", "validation", "test", "embargoed", "test_window"}
    assert all(gate["passed"] is True for gate in found["gates"])


def test_train_all_answers_with_a_list(built: shop.Shop) -> None:
    answer = built.cli("train", "--all", "--json")
    assert answer.code == 0, answer.err
    assert [item["model"] for item in answer.json] == ["churn", "spend"]


def test_a_setting_of_the_command_line_is_used(built: shop.Shop) -> None:
    document(built.cli("train", "churn", "--json", "--set", "params.max_iter=3", "--set", "seed=7"))
    run = built.cli("runs", "churn", "--json").json["runs"][0]
    assert run["params"]["max_iter"] == 3
    assert run["seed"] == 7


def test_a_gate_that_fails_keeps_the_version_as_rejected_and_nobody_promotes_it(built: shop.Shop) -> None:
    built.replace("models/ml.yml", "min: 0.6", "min: 0.9999")
    answer = built.cli("train", "churn", "--json")
    assert document(answer, 1)["status"] == "rejected"
    assert "churn version 1 is kept but rejected" in answer.err
    assert "0.9999" in answer.err
    (version,) = built.cli("versions", "churn", "--json").json["versions"]
    assert (version["status"], version["aliases"]) == ("rejected", [])
    for arguments in ([], ["--version", "1"]):
        refused = built.cli("promote", "churn", *arguments)
        assert refused.code == 1
        assert "did not pass its gates and is not promoted" in refused.err
        assert "0.9999" in refused.err
        assert refused.out == ""


def test_a_rejected_version_does_not_keep_an_approved_one_from_promotion(trained: shop.Shop) -> None:
    trained.replace("models/ml.yml", "min: 0.6", "min: 0.9999")
    assert trained.cli("train", "churn").code == 1
    assert document(trained.cli("promote", "churn", "--json"))["version"] == 1


def test_promote_answers_with_the_functions_and_the_parity(trained: shop.Shop) -> None:
    found = document(trained.cli("promote", "churn", "--json"))
    assert (found["model"], found["version"], found["previous"]) == ("churn", 1, None)
    assert found["functions"] == [
        "predict_churn",
        "predict_churn_label",
        "predict_churn_proba",
        "explain_churn",
    ]
    assert found["parity"]["certified"] is True
    assert found["parity"]["max_abs_diff"] <= 1e-9
    assert found["parity"]["rows"] > 0


def test_versions_answers_as_promised(promoted: shop.Shop) -> None:
    found = document(promoted.cli("versions", "churn", "--json"))
    assert found["model"] == "churn"
    (version,) = found["versions"]
    assert (version["version"], version["status"], version["aliases"]) == (1, "approved", ["champion"])
    assert version["flavor"] == "kernel"
    assert re.fullmatch("[0-9a-f]{32}", version["run_id"])
    assert TIME.fullmatch(version["registered_at"])
    assert isinstance(version["metrics"]["test"]["roc_auc"], float)
    assert set(version["parity"]) == {"certified", "max_abs_diff", "rows"}


def test_a_version_that_its_gates_reject_is_not_compared(built: shop.Shop) -> None:
    built.replace("models/ml.yml", "min: 0.6", "min: 0.9999")
    assert document(built.cli("train", "churn", "--json"), 1)["parity"] is None
    assert built.cli("versions", "churn", "--json").json["versions"][0]["parity"] is None
    answer = built.cli("audit", "churn", "--parity", "--version", "1")
    assert answer.code == 2
    assert "has no functions in the warehouse" in answer.err


def test_versions_come_newest_first_with_one_champion(promoted: shop.Shop) -> None:
    promoted.cli("train", "churn", "--set", "params.max_iter=5")
    listed = promoted.cli("versions", "churn", "--json").json["versions"]
    assert [(item["version"], item["aliases"]) for item in listed] == [(2, []), (1, ["champion"])]


def test_all_answers_with_a_document_for_each_model(promoted: shop.Shop) -> None:
    for command, key in (("versions", "versions"), ("runs", "runs")):
        answer = promoted.cli(command, "--all", "--json")
        assert [item["model"] for item in answer.json] == ["churn", "spend"]
        assert all(item[key] for item in answer.json)


def test_runs_answers_with_how_each_was_made(promoted: shop.Shop) -> None:
    (run,) = document(promoted.cli("runs", "churn", "--json"))["runs"]
    assert run["params"]["estimator"] == "hist_gradient_boosting"
    assert run["packages"]["scikit-learn"]
    assert run["metrics"]["test"]["roc_auc"] > 0
    assert set(run["baselines"]) == {"constant", "best_rule"}
    assert run["as_of"] == "2024-06-30T00:00:00Z"


def test_show_answers_with_everything_about_a_version(promoted: shop.Shop) -> None:
    found = document(promoted.cli("show", "churn", "--json"))
    assert (found["model"], found["version"], found["aliases"]) == ("churn", 1, ["champion"])
    assert {item["name"]: item["kind"] for item in found["features"]} == {
        "visits": "number",
        "basket": "number",
        "orders": "number",
        "region": "category",
        "is_member": "number",
    }
    assert [item["event"] for item in found["events"]] == ["registered", "approved", "certified", "promoted"]
    assert found["run"]["params"]["max_iter"] == 60


def test_compare_answers_with_what_differs(promoted: shop.Shop) -> None:
    promoted.cli("train", "churn", "--set", "params.max_iter=5")
    answer = promoted.cli("compare", "churn", "1", "2", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["model"] == "churn"
    assert "params.max_iter" in answer.out


def test_a_version_compared_with_itself_has_no_difference(promoted: shop.Shop) -> None:
    answer = promoted.cli("compare", "churn", "1", "1")
    assert (answer.code, answer.out) == (0, "churn: version 1 against version 1\nno difference\n")


def test_predict_answers_with_the_rows_that_were_scored(promoted: shop.Shop) -> None:
    found = document(promoted.cli("predict", "churn", "--as-of", "2024-07-05", "--json"))
    assert (found["model"], found["version"], found["scored"], found["total"]) == ("churn", 1, 10, 70)
    assert found["relation"].endswith("churn_predictions")


def test_predict_of_everything_upstream_scores_what_came_since(promoted: shop.Shop) -> None:
    answer = promoted.cli("predict", "--all", "--upstream", "--as-of", "2024-07-05", "--json")
    assert answer.code == 0, answer.err
    assert [(item["model"], item["scored"]) for item in answer.json] == [("churn", 10), ("spend", 10)]


def test_one_model_that_cannot_be_scored_or_monitored_leaves_out_no_other(promoted: shop.Shop) -> None:
    for name in ("predictions", "drift", "performance"):
        (promoted.folder / f"models/churn_{name}.sql").unlink()
    answer = promoted.cli("predict", "--all", "--as-of", "2024-07-05", "--json")
    assert answer.code == 2
    assert "error: churn: The project has no model 'churn_predictions'" in answer.err
    assert [(one["model"], "error" in one) for one in answer.json] == [("churn", True), ("spend", False)]
    with contextlib.closing(duckdb.connect(str(promoted.folder / promoted.file))) as connection:
        connection.execute("drop table analytics.churn_predictions")
    answer = promoted.cli("monitor", "--all", *WINDOW, "--threshold", "9", "--json")
    assert answer.code == 2
    assert [(one["model"], "error" in one) for one in answer.json] == [("churn", True), ("spend", False)]


def test_predictions_that_stand_elsewhere_than_they_are_looked_for_are_told(promoted: shop.Shop) -> None:
    text = (promoted.folder / "models/churn_predictions.sql").read_text("utf-8")
    promoted.write("models/churn_predictions.sql", "{{ config(schema='scores') }}\n" + text)
    answer = promoted.cli("predict", "churn")
    assert answer.code == 2
    assert "models/churn_predictions.sql: dbt makes analytics_scores.churn_predictions, and" in answer.err


def test_monitor_answers_with_every_feature(promoted: shop.Shop) -> None:
    found = document(promoted.cli("monitor", "churn", *WINDOW, "--threshold", "9", "--json"))
    assert found["model"] == "churn"
    assert found["drifted"] is False
    assert {item["name"] for item in found["features"]} >= {
        "visits",
        "basket",
        "orders",
        "region",
        "is_member",
    }
    assert all(isinstance(item["psi"], float) for item in found["features"])
    assert found["rows"] == 60
    assert 0 < found["labelled"] < 60
    assert found["metrics"]["roc_auc"] > 0.5


def test_drift_is_the_answer_no(promoted: shop.Shop) -> None:
    promoted.replace(
        "models/churn_scoring_set.sql",
        "* exclude (noise)",
        "* exclude (noise) replace (basket + 1000 as basket)",
    )
    promoted.build("churn_scoring_set", "churn_predictions")
    answer = promoted.cli("monitor", "churn", *WINDOW, "--json")
    assert document(answer, 1)["drifted"] is True
    assert answer.json["features"][0]["name"] == "basket"
    drifted = sum(item["drifted"] for item in answer.json["features"])
    assert (
        f"error: churn: {drifted} column{'s' * (drifted > 1)} drifted beyond the threshold: basket (PSI "
        in answer.err
    )
    assert answer.err.count("churn: ") == 1


@pytest.mark.parametrize("threshold", ["nan", "inf", "-1", "0"])
def test_a_threshold_that_no_index_can_be_compared_with_is_refused(
    promoted: shop.Shop, threshold: str
) -> None:
    answer = promoted.cli("monitor", "churn", "--as-of", shop.AS_OF, f"--threshold={threshold}")
    assert (answer.code, answer.out) == (2, "")
    assert "give a positive number such as 0.2" in answer.err


def test_a_threshold_below_what_chance_gives_is_raised_and_that_is_told(promoted: shop.Shop) -> None:
    arguments = ["monitor", "churn", "--as-of", shop.AS_OF, "--threshold", "0.001"]
    assert all(row["threshold"] > 0.001 for row in promoted.cli(*arguments, "--json").json["features"])
    told = promoted.cli(*arguments).out
    assert "The threshold is 0.001, or more where chance alone moves so few rows further than that." in told


def test_a_window_without_scored_rows_is_told(promoted: shop.Shop) -> None:
    answer = promoted.cli("monitor", "churn", "--as-of", "2023-01-01T09:30")
    assert answer.code == 2
    assert "snowml predict churn --as-of 2023-01-01T09:30:00" in answer.err


def test_build_answers_with_its_nodes(built: shop.Shop) -> None:
    found = document(built.cli("build", "--select", "customers", "--json"))
    (node,) = found["nodes"]
    assert (node["name"], node["kind"], node["status"]) == ("customers", "model", "success")


def test_rollback_answers_with_the_version_that_is_champion_again(promoted: shop.Shop) -> None:
    before = promoted.rows(
        "select predict_churn_proba(* columns(* exclude (shop, customer, as_of))) from churn_scoring_set"
    )
    promoted.cli("train", "churn", "--set", "params.max_iter=20")
    promoted.cli("promote", "churn")
    found = document(promoted.cli("rollback", "churn", "--json"))
    assert (found["model"], found["version"], found["previous"]) == ("churn", 1, 2)
    query = "select predict_churn_proba(* columns(* exclude (shop, customer, as_of))) from churn_scoring_set"
    assert promoted.rows(query) == before


def test_nothing_is_trained_again_where_nothing_changed(trained: shop.Shop) -> None:
    first = trained.cli("versions", "churn", "--json").json["versions"][0]["run_id"]
    found = document(trained.cli("train", "churn", "--if-changed", "--json"))
    assert (found["version"], found["run_id"], found["status"]) == (1, first, "approved")
    assert len(trained.cli("versions", "churn", "--json").json["versions"]) == 1


@pytest.mark.parametrize(
    "change",
    [
        ("--set", "params.max_iter=5"),
        ("--as-of", "2024-06-29"),
        ("--set", "seed=1"),
        ("--set", "features.exclude=[region]"),
    ],
)
def test_a_change_is_trained(trained: shop.Shop, change: tuple[str, str]) -> None:
    assert document(trained.cli("train", "churn", "--if-changed", *change, "--json"))["version"] == 2


def test_changed_rows_are_trained(trained: shop.Shop) -> None:
    with trained.connect() as connection:
        connection.execute("update churn_training_set set basket = basket + 1 where customer = 'customer 3'")
    assert document(trained.cli("train", "churn", "--if-changed", "--json"))["version"] == 2


@pytest.mark.parametrize("command", ["runs", "versions", "show", "compare"])
def test_looking_changes_nothing_in_the_file(promoted: shop.Shop, command: str) -> None:
    before = (promoted.folder / "shop.duckdb").read_bytes()
    arguments = ["1", "1"] if command == "compare" else []
    assert promoted.cli(command, "churn", *arguments).code == 0
    assert (promoted.folder / "shop.duckdb").read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["versions", "churn"],
        ["runs", "--all"],
        ["show", "churn"],
        ["compare", "churn", "1", "1"],
        ["monitor", "spend", *WINDOW, "--threshold", "9"],
        ["promote", "churn"],
        ["predict", "spend"],
        ["train", "spend"],
        ["build", "--select", "customers"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_people_get_an_answer_in_words(promoted: shop.Shop, arguments: list[str]) -> None:
    answer = promoted.cli(*arguments)
    assert answer.code == 0, answer.err
    assert answer.out.strip()
    assert "{" not in answer.out
    assert "None" not in answer.out
