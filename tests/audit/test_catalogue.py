"""The catalogue of feature tables, and the doctor."""

from pathlib import Path

import meters
import pytest
import shop

pytestmark = pytest.mark.dbt


def test_the_catalogue_tells_what_is_in_a_feature_table_and_who_reads_it(tmp_path: Path) -> None:
    project = meters.meters(tmp_path / "meters")
    project.build(as_of="2024-03-01")
    answer = project.cli("features", "--json")
    assert answer.code == 0, answer.err
    (table,) = answer.json["tables"]
    assert table["name"] == "meter_features"
    assert table["description"] == "What is known of a meter each morning."
    assert table["owner"] == "The readers"
    assert (table["entity"], table["as_of"]) == (["meter"], "as_of")
    assert (table["rows"], table["newest"]) == (480, "2024-03-03T07:00:00Z")
    assert table["models"] == ["failing"]
    columns = {column["name"]: column for column in table["columns"]}
    assert columns["value_3d"] == {
        "name": "value_3d",
        "type": "DOUBLE",
        "description": "Mean reading of three days.",
        "models": ["failing"],
    }
    assert columns["newest_fact_at"]["models"] == []
    text = project.cli("features").out
    assert "meter_features: What is known of a meter each morning." in text
    assert "480 rows, the newest of 2024-03-03 07:00" in text


def test_before_a_build_the_catalogue_says_what_is_declared(tmp_path: Path) -> None:
    project = meters.meters(tmp_path / "meters")
    project.replace(
        "models/dated.yml",
        "    columns:\n",
        "    columns:\n      - {name: meter}\n      - {name: as_of}\n",
    )
    (table,) = project.cli("features", "--json").json["tables"]
    assert (table["rows"], table["newest"]) == (None, None)
    assert [column["name"] for column in table["columns"]] == ["value_3d"]


@pytest.fixture
def promoted(tmp_path: Path) -> shop.Shop:
    return shop.shop(tmp_path / "shop", "promoted")


def checks(answer: shop.Answer) -> dict[str, tuple[bool, str]]:
    return {check["name"]: (check["passed"], check["detail"]) for check in answer.json["checks"]}


def test_a_project_in_order_passes(promoted: shop.Shop) -> None:
    answer = promoted.cli("doctor", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["passed"]
    assert list(checks(answer)) == [
        *("versions", "project", "dbt", "connection", "registry"),
        *("model churn", "model spend"),
    ]
    assert "version 1 is champion and has all that it reads" in checks(answer)["model churn"][1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("* exclude (noise, region)", "has no column 'region', which churn version 1 reads"),
        (
            "* exclude (noise) replace (orders::varchar as orders)",
            "The column 'orders' of analytics.churn_scoring_set was a number when churn version 1 was trained",
        ),
    ],
    ids=["removed", "retyped"],
)
def test_a_column_that_a_model_reads_may_not_go_or_change_its_type(
    promoted: shop.Shop, change: str, words: str
) -> None:
    promoted.replace("models/churn_scoring_set.sql", "* exclude (noise)", change)
    promoted.build("churn_scoring_set")
    answer = promoted.cli("doctor", "--json")
    assert answer.code == 1
    assert checks(answer)["model churn"][0] is False
    assert words in checks(answer)["model churn"][1]
    assert checks(answer)["model spend"][0] is True
    assert "model churn" in answer.err


def test_a_contract_that_drops_such_a_column_fails_before_anything_is_built(promoted: shop.Shop) -> None:
    kept = {
        "shop": "varchar",
        "customer": "varchar",
        "as_of": "timestamp",
        "visits": "double",
        "orders": "utinyint",
    }
    columns = "".join(f"      - {{name: {name}, data_type: {type_}}}\n" for name, type_ in kept.items())
    promoted.write(
        "models/contract.yml",
        f"models:\n  - name: churn_scoring_set\n    config: {{contract: {{enforced: true}}}}\n    columns:\n{columns}",
    )
    answer = promoted.cli("doctor", "--json")
    assert answer.code == 1
    said = checks(answer)["model churn"][1]
    assert "the contract of churn_scoring_set has no column 'basket', which churn version 1 reads" in said
    assert "'visits'" not in said


def test_what_is_wrong_with_the_project_is_a_check_that_failed(promoted: shop.Shop, tmp_path: Path) -> None:
    answer = promoted.cli("doctor", "--json", "--target", "nowhere")
    assert answer.code == 1
    assert checks(answer)["project"][0] is False
    assert "no target 'nowhere'" in checks(answer)["project"][1]
    promoted.replace("models/ml.yml", "task: regression", "task: regresion")
    answer = promoted.cli("doctor", "--json")
    assert answer.code == 1
    assert "ml.yml:" in checks(answer)["model spend"][1]
    assert checks(answer)["model churn"][0] is True
    (promoted.folder / "shop.duckdb").unlink()
    answer = promoted.cli("doctor")
    assert answer.code == 1
    assert "FAILED  connection: " in answer.out
    assert "Build it: snowml build" in answer.out


def test_a_package_out_of_its_bounds_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from snowml.workflows import doctor

    monkeypatch.setattr(
        doctor, "requires", lambda _: ["duckdb>=99", "no-such-package>=1", "ruff; extra == 'dev'"]
    )
    with pytest.raises(
        doctor.DataError, match=r"duckdb is .*; snowml needs >=99; no-such-package is not installed"
    ):
        doctor._versions()
