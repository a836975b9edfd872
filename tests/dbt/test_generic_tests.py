"""Each generic test passes on good rows and fails on bad ones, and the rows that it returns say why."""

import json
from pathlib import Path

import generic_cases
import pytest
import yaml
from generic_cases import CASE_IDS, CASES, check_kept_rows, definition
from lab import Lab

from snowml.shipped import dbt_package

pytestmark = pytest.mark.dbt


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Lab]:
    """Every case, tested in one build."""
    lab = generic_cases.project(tmp_path_factory.mktemp("tests") / "lab")
    generic_cases.load(lab)
    assert set(lab.statuses("run").values()) == {"success"}
    return lab.statuses("test"), lab


@pytest.mark.parametrize(("test", "number"), CASE_IDS)
def test_good_rows_pass_and_bad_ones_fail(
    outcome: tuple[dict[str, str], Lab], test: str, number: int
) -> None:
    statuses, _ = outcome
    case = CASES[test][number]
    if case["good"] is not None:
        assert statuses[f"good_{test}_{number}"] == "pass"
    assert statuses[f"bad_{test}_{number}"] == "fail"


@pytest.mark.parametrize(("test", "number"), CASE_IDS)
def test_the_rows_that_are_kept_say_why(outcome: tuple[dict[str, str], Lab], test: str, number: int) -> None:
    _, lab = outcome
    text = f"select to_json(kept)::varchar from main_dbt_test__audit.bad_{test}_{number} as kept"
    check_kept_rows(CASES[test][number], [json.loads(row[0]) for row in lab.query(text)])


def test_every_generic_test_has_a_case() -> None:
    files = (dbt_package() / "macros" / "tests").glob("*.sql")
    assert set(CASES) == {file.stem for file in files} - {"_arguments"}


WRONG = {
    "expected_rows": ({"by": "pump"}, "needs at_least, at_most or both"),
    "no_time_gaps": ({"longest": "long"}, "longest is 'long'; give a number and a unit"),
    "arrives_within": (
        {"arrived_at": "a", "longest": "1 day", "late_at_most": 1},
        "needs a ratio from 0 to below 1",
    ),
    "agrees_with": (
        {"reference": "others", "by": "pump", "columns": "kind"},
        "needs a relation, such as reference",
    ),
    "same_total": ({"expression": "count(*)", "as": "others"}, "needs a relation, such as as: ref('bills')"),
    "accepted": ({"values": "even"}, "needs a list of values"),
    "parses_as": ({"type": "float"}, "needs a type: number, whole number, date"),
    "has_columns": ({"columns": {"pump": "integer"}}, "and not 'integer' (pump)"),
    "usual_volume": ({"period": "minute"}, "counts by hour, day, week or month, and not by 'minute'"),
    "informs": ({"label": "outcome", "at_least": 2}, "needs shares from 0 to 1"),
    "distributed_as": ({"baseline": "ref('baseline')"}, "needs psi_at_most, ks_at_most or both"),
    "covers": ({"spine": "ref('pumps')"}, "covers: pumps declares no entity"),
}


def test_arguments_that_cannot_be_used_are_told_in_a_sentence(tmp_path: Path) -> None:
    lab = generic_cases.project(tmp_path / "lab")
    properties = yaml.safe_load((lab.folder / "models/models.yml").read_text("utf-8"))
    for test, (given, told) in WRONG.items():
        case = {"wrong": given}
        if test not in {"expected_rows", "agrees_with", "same_total", "has_columns", "covers"}:
            case["on"] = "number"
        tests = [definition(test, case, "wrong", 0)]
        given_to = {"models": [{"name": "rows_here", "data_tests": tests}], "sources": properties["sources"]}
        lab.write("models/models.yml", yaml.safe_dump(given_to))
        with pytest.raises(Exception, match="Compilation Error") as raised:
            lab.run("compile")
        assert told in " ".join(str(raised.value).split()), test
