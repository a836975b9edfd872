"""What the commands say of a version's parity certificate, and how they end without one."""

import pytest
import shop

from snowml.serving import functions
from snowml.serving.sql import encoding

pytestmark = pytest.mark.dbt

KINDS = {"held_out", "threshold", "number", "category", "mixed", "missing", "integer"}


@pytest.fixture
def wrong_tie(monkeypatch):
    right = functions._label_of
    monkeypatch.setattr(functions, "_label_of", lambda *args: right(*args).replace(" >= ", " > "))


def test_train_tells_of_the_certificate(built: shop.Shop) -> None:
    parity = built.cli("train", "churn", "--json").json["parity"]
    assert parity["certified"] is True
    assert parity["rows"] > 500
    assert (
        "certified: its function answers what scikit-learn answers on 41 held-out and"
        in built.cli("train", "spend").out
    )


def test_what_differs_ends_train_and_promote_with_exit_code_1(built: shop.Shop, wrong_tie: None) -> None:
    # The positive class is the first, to which scikit-learn gives a tie.
    answer = built.cli("train", "churn", "--json")
    assert answer.code == 1
    assert answer.json["status"] == "approved"
    assert answer.json["parity"] == {
        "certified": False,
        "max_abs_diff": None,
        "rows": answer.json["parity"]["rows"],
    }
    told = "probability=0.5: 'stayed' by predict_churn_v1_label, 'left' by scikit-learn"
    for refused in (answer, built.cli("promote", "churn")):
        assert refused.code == 1
        assert told in refused.err
        assert "snowml train churn --set serving=estimator" in refused.err
    (version,) = built.cli("versions", "churn", "--json").json["versions"]
    assert (version["aliases"], version["parity"]["certified"]) == ([], False)
    assert "DIFFERENT" in built.cli("versions", "churn").out


def test_all_models_are_trained_though_one_gets_no_certificate(
    built: shop.Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = encoding._ask
    monkeypatch.setattr(encoding, "_ask", lambda *args: [*ask(*args)[:-1], ask(*args)[0]])
    answer = built.cli("train", "--all", "--json")
    assert answer.code == 1
    assert [item["parity"]["certified"] for item in answer.json] == [False, False]
    assert answer.err.count("gets no parity certificate") == 2


def test_show_tells_all_of_it(promoted: shop.Shop) -> None:
    found = promoted.cli("show", "churn", "--json").json["parity"]
    assert found["certified"] is True
    assert found["engine"] == "duckdb"
    assert {len(found[name]) for name in ("functions", "code")} == {64}
    checks = found["checks"]
    assert {check["kind"] for check in checks if check["way"] == "handler"} == KINDS
    assert {check["kind"] for check in checks if check["way"] == "function"} == {*KINDS, "label"}
    assert all(check["differing_count"] == 0 for check in checks)
    words = promoted.cli("show", "churn").out
    assert "Snowflake's handler, run outside of it" in words
    assert "churn version 1: certified" in words


def test_an_audit_of_parity_answers_as_an_audit(promoted: shop.Shop) -> None:
    answer = promoted.cli("audit", "churn", "--parity", "--json")
    assert answer.code == 0, answer.err
    assert (answer.json["model"], answer.json["version"], answer.json["passed"]) == ("churn", 1, True)
    assert {"name", "passed", "detail"} == set(answer.json["checks"][0])
    assert all(check["passed"] for check in answer.json["checks"])
    assert {check["name"] for check in answer.json["checks"]} >= {
        "function.held_out",
        "champion.number",
        "handler.threshold",
    }
    both = promoted.cli("audit", "--all", "--parity", "--json")
    assert [item["model"] for item in both.json] == ["churn", "spend"]


def test_an_audit_of_parity_finds_a_function_that_someone_replaced(promoted: shop.Shop) -> None:
    arguments = "visits, basket, orders, region, is_member"
    promoted.rows(
        f"create or replace macro analytics.predict_spend({arguments}) as round({arguments.split(',')[0]}, 3)"
    )
    answer = promoted.cli("audit", "spend", "--parity", "--json")
    assert answer.code == 1
    assert answer.json["passed"] is False
    failed = {check["name"].partition(".")[0] for check in answer.json["checks"] if not check["passed"]}
    assert failed == {"champion"}
    assert "the function of the champion differs from scikit-learn" in answer.err
    assert "visits=" in answer.err
    (version,) = promoted.cli("versions", "spend", "--json").json["versions"]
    assert version["parity"]["certified"] is False


@pytest.mark.parametrize(
    "options",
    [("--parity", "--cut", "2024-02-01"), ("--parity", "--as-of", "2024-02-01"), ("--version", "1")],
)
def test_options_that_do_not_go_together(promoted: shop.Shop, options: tuple[str, ...]) -> None:
    answer = promoted.cli("audit", "churn", *options)
    assert answer.code == 2
    assert "--parity" in answer.err
