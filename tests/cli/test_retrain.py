"""`snowml retrain`: what it answers, and its exit codes."""

import pytest
import shop

pytestmark = pytest.mark.dbt

EARLIER = "2024-05-01"
POLICY = "metric: roc_auc\n          retrain: {schedule: 0 3 * * 1 Europe/Berlin, on_new_rows: 50}\n"
# Worse than anything: two leaves, and hardly a step.
WEAK = {"params": {"max_iter": 1, "learning_rate": 1e-6}, "gates": []}


@pytest.fixture
def kept_up(built: shop.Shop) -> shop.Shop:
    """Churn has a policy, and a champion that nearly any version is better than."""
    built.replace("models/ml.yml", "metric: roc_auc\n", POLICY)
    built.train("churn", as_of=EARLIER, **WEAK)
    built.promote("churn")
    return built


def test_it_answers_why_it_was_due_and_what_came_of_it(kept_up: shop.Shop) -> None:
    answer = kept_up.cli("retrain", "churn", "--json")
    assert answer.code == 0, answer.err
    found = answer.json
    assert (found["model"], found["outcome"], found["as_of"]) == ("churn", "promoted", "2024-06-30T00:00:00Z")
    assert (found["based_on"], found["version"], found["champion"]) == (1, 2, 1)
    assert found["challenger_value"] > found["champion_value"]
    assert [(reason["reason"], reason["due"]) for reason in found["reasons"]] == [
        ("schedule", True),
        ("new_rows", True),
    ]
    kept = kept_up.rows("select outcome, version, reasons from analytics_snowml.retrain_decisions")
    assert [row[:2] for row in kept] == [("promoted", 2)]
    assert '"due": true' in kept[0][2]


def test_nothing_due_is_done_and_says_why(kept_up: shop.Shop) -> None:
    answer = kept_up.cli("retrain", "churn", "--as-of", "2024-05-02")
    assert answer.code == 0, answer.err
    assert "churn, as of 2024-05-02 00:00: nothing to do" in answer.out
    assert "new labels since the training as of 2024-05-01 00:00, of 50 that are asked" in answer.out
    assert kept_up.cli("versions", "churn", "--json").json["versions"][-1]["version"] == 1


def test_a_champion_that_stays_is_the_answer_no(kept_up: shop.Shop) -> None:
    kept_up.replace("models/ml.yml", "params: {max_iter: 60}", "params: {max_iter: 1, learning_rate: 1.0e-6}")
    kept_up.replace("models/ml.yml", "min: 0.6", "min: 0.1")
    answer = kept_up.cli("retrain", "churn", "--json")
    assert answer.code == 1
    assert answer.json["outcome"] == "kept"
    assert "churn version 2 is not promoted: roc_auc on test: " in answer.err
    versions = kept_up.cli("versions", "churn", "--json").json["versions"]
    assert [version["aliases"] for version in versions if version["version"] == 1] == [["champion"]]


def test_all_is_every_model_with_a_policy(kept_up: shop.Shop) -> None:
    answer = kept_up.cli("retrain", "--all", "--json")
    assert answer.code == 0, answer.err
    assert [(item["model"], item["outcome"]) for item in answer.json] == [("churn", "promoted")]


def test_a_project_without_a_policy_is_told_what_to_add(built: shop.Shop) -> None:
    answer = built.cli("retrain", "--all")
    assert (answer.code, answer.out) == (2, "")
    assert "add 'retrain' to the settings" in answer.err
    answer = built.cli("retrain", "churn")
    assert answer.code == 2
    assert "models/ml.yml:" in answer.err
    assert "churn has no policy for retraining" in answer.err


def test_it_may_be_forced(built: shop.Shop) -> None:
    answer = built.cli("retrain", "churn", "--force", "--json")
    assert answer.code == 0, answer.err
    assert [reason["reason"] for reason in answer.json["reasons"]] == ["forced", "untrained"]


def test_a_policy_that_cannot_be_read_is_told_with_its_line(built: shop.Shop) -> None:
    built.replace(
        "models/ml.yml", "metric: roc_auc\n", "metric: roc_auc\n          retrain: {on_drft: true}\n"
    )
    answer = built.cli("retrain", "churn")
    assert answer.code == 2
    assert "unknown key 'on_drft' in 'retrain'. Did you mean 'on_drift'?" in answer.err
    assert "models/ml.yml:" in answer.err


def test_the_procedure_reads_the_policy_in_the_registry(kept_up: shop.Shop) -> None:
    assert kept_up.cli("retrain", "churn", "--as-of", "2024-05-02").code == 0
    # What the training recorded is the specification of then, overridden; the project's own is recorded by a training.
    kept_up.train("churn", as_of="2024-05-03")
    answer = kept_up.cli("call", "retrain_model", "churn", "2024-06-30")
    assert answer.code == 0, answer.err
    assert (answer.json["outcome"], answer.json["based_on"]) == ("promoted", 2)


def test_the_specification_says_how_monitoring_looks_unless_the_command_does(promoted: shop.Shop) -> None:
    promoted.replace(
        "models/ml.yml",
        "metric: roc_auc\n",
        "metric: roc_auc\n          monitor: {window: 30 days, threshold: 9}\n",
    )
    promoted.train("churn", as_of="2024-06-29")
    found = promoted.cli("monitor", "churn", "--as-of", shop.AS_OF, "--json").json
    assert (found["window_start"], found["drifted"]) == ("2024-05-31T00:00:00Z", False)
    other = promoted.cli(
        "monitor", "churn", "--as-of", shop.AS_OF, "--json", "--window", "20 days", "--threshold", "1e-6"
    )
    assert other.json["window_start"] == "2024-06-10T00:00:00Z"
    assert {item["threshold"] for item in found["features"]} == {9}
    assert max(item["threshold"] for item in other.json["features"]) < 9
