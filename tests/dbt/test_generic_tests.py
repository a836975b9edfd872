"""Each generic test passes on good rows and fails on bad ones, and the rows that it returns say why."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from lab import Lab

pytestmark = pytest.mark.dbt

# A reading every six hours of two pumps; the second of pump 2 is missing, arrives late or is wrong, by column.
ROWS = """
select
    pump,
    timestamp '2024-06-25' + to_hours(6 * n) as read_at,
    timestamp '2024-06-25' + to_hours(6 * n) + case when pump = 2 and n = 5 then to_hours(30) else to_minutes(5) end
        as arrived_at,
    pump * 100 + n as number,
    case when pump = 2 and n = 5 then null else 1.5 end as gappy,
    case when pump = 2 and n = 5 then 'x1' else cast(n as varchar) end as text_number,
    case when pump = 2 and n = 5 then 'odd' else 'even' end as kind,
    case when n % 2 = 0 then 'fails' else 'holds' end as outcome,
    n % 2 as label_again,
    case when n % 2 = 0 then 'zero' else 'one' end as label_text,
    (n * 7919) % 23 as noise
from range(24) as hours(n) cross join (values (1), (2)) as pumps(pump)
where not (pump = 2 and n = 10)
"""

OTHER = """
select * replace (case when number = 205 then 999 else number end as number)
from rows_here where number <> 103
"""

# 40 days with 10 rows each; yesterday, half a load.
LOADS = """
select timestamp '2024-05-22' + to_days(day::integer) + to_minutes(row::integer) as loaded_at
from range(40) as days(day) cross join range(10) as rows(row)
where not (day = 39 and row >= 4)
"""

# By test: arguments with which it passes, arguments with which it fails, and the rows returned then. `on` is a column.
CASES: dict[str, list[dict[str, Any]]] = {
    "expected_rows": [
        {
            "good": {"by": "pump", "at_least": 23},
            "bad": {"by": "pump", "at_least": 24},
            "rows": [{"pump": 2, "rows_in_group": 23}],
        },
        {
            "good": {"by": ["pump"], "at_most": 24, "groups": "ref('rows_here')"},
            "bad": {"by": ["pump"], "at_least": 1, "groups": "ref('pumps')"},
            "rows": [{"pump": 3, "rows_in_group": 0}],
        },
    ],
    "no_time_gaps": [
        {
            "on": "read_at",
            "good": {"longest": "12 hours", "by": "pump"},
            "bad": {"longest": "6 hours", "by": ["pump"]},
            "rows": [{"pump": 2, "gap_begins": "2024-06-27 06:00:00", "gap_ends": "2024-06-27 18:00:00"}],
        },
        {"on": "read_at", "good": {"longest": "6 hours"}, "bad": {"longest": "359 minutes"}, "count": 23},
    ],
    "arrives_within": [
        {
            "on": "read_at",
            "good": {"arrived_at": "arrived_at", "longest": "1 day", "late_at_most": 0.03},
            "bad": {"arrived_at": "arrived_at", "longest": "29 hours"},
            "rows": [{"pump": 2, "number": 205}],
        }
    ],
    "fresh_as_of": [
        {
            "on": "read_at",
            "good": {"hours": 7},
            "bad": {"hours": 5},
            "rows": [{"newest": "2024-06-30 18:00:00"}],
        },
        {"on": "read_at", "good": {"hours": 7, "by": "pump"}, "bad": {"hours": 5, "by": "pump"}, "count": 2},
        {
            "on": "read_at",
            "good": {"hours": 1, "as_of": "2024-06-25 00:30:00"},
            "bad": {"hours": 1, "as_of": "2024-06-24 23:00:00"},
            "rows": [{"newest": None}],
        },
    ],
    "agrees_with": [
        {
            "good": {
                "reference": "ref('rows_here')",
                "by": ["pump", "read_at"],
                "columns": ["number", "gappy", "kind"],
            },
            "bad": {
                "reference": "ref('others')",
                "by": ["pump", "read_at"],
                "columns": ["number"],
                "tolerance": 10,
            },
            "rows": [
                {"pump": 1, "in_column": "number", "here": "103", "there": None, "problem": "missing there"},
                {"pump": 2, "in_column": "number", "here": "205", "there": "999", "problem": "differs"},
            ],
        },
        {
            "good": {
                "reference": "ref('others')",
                "by": ["pump", "read_at"],
                "columns": "number",
                "tolerance": 794,
                "missing": "passes",
            },
            "bad": {
                "reference": "ref('others')",
                "by": ["pump", "read_at"],
                "columns": "number",
                "missing": "passes",
            },
            "count": 1,
        },
    ],
    "same_total": [
        {
            "good": {"expression": "count(*)", "as": "ref('rows_here')"},
            "bad": {"expression": "sum(number)", "as": "ref('others')", "by": "pump"},
            "rows": [{"pump": 1, "here": 2676, "there": 2573}, {"pump": 2, "here": 4866, "there": 5660}],
        },
        {
            "good": {"expression": "count(*)", "as": "ref('others')", "tolerance": 1},
            "bad": {"expression": "count(*)", "as": "ref('pumps')", "as_expression": "count(distinct pump)"},
            "rows": [{"here": 47, "there": 3}],
        },
    ],
    "accepted": [
        {
            "on": "kind",
            "good": {"values": ["even"], "other_at_most": 0.03},
            "bad": {"values": ["even"], "other_at_most": 0.02},
            "rows": [{"other_value": "odd", "rows_with_it": 1, "rows_in_all": 47}],
        },
        {
            "on": "pump",
            "good": {"values": [1, 2]},
            "bad": {"values": [1]},
            "rows": [{"other_value": 2, "rows_with_it": 23}],
        },
    ],
    "parses_as": [
        {"on": "number", "good": {"type": "whole number"}, "bad": {"type": "date"}, "count": 47},
        {
            "on": "text_number",
            "good": None,
            "bad": {"type": "number"},
            "rows": [{"text_number": "x1", "rows_with_it": 1}],
        },
        {
            "on": "gappy",
            "good": {"type": "number"},
            "bad": {"type": "whole number"},
            "rows": [{"rows_with_it": 46}],
        },
    ],
    "has_columns": [
        {
            "good": {"columns": {"pump": "number", "read_at": "timestamp", "kind": "text"}},
            "bad": {"columns": {"pump": "text", "reading": "number", "KIND": "text"}},
            "rows": [
                {"in_column": "pump", "expected": "text", "found": "number"},
                {"in_column": "reading", "expected": "number", "found": "missing"},
            ],
        },
        {"good": None, "bad": {"columns": {"pump": "number"}, "only": True}, "count": 10},
    ],
    "usual_volume": [
        {
            "model": "loads",
            "on": "loaded_at",
            "good": {"at_least": 0.4},
            "bad": {"at_least": 0.41},
            "rows": [{"period_begins": "2024-06-30 00:00:00", "rows_in_period": 4, "rows_usual": 10.0}],
        },
        {
            "model": "loads",
            "on": "loaded_at",
            "good": {"period": "week", "last": 2},
            "bad": {"at_most": 0.9},
            "count": 7,
        },
    ],
    "informs": [
        {
            "on": "label_again",
            "good": {"label": "outcome", "positive": "fails", "at_least": 0.9},
            "bad": {"label": "outcome", "positive": "fails", "at_most": 0.9},
            "rows": [{"bins": 2, "rows_in_all": 47, "explained": 1.0}],
        },
        {
            "on": "label_text",
            "good": {"label": "label_again", "at_least": 1},
            "bad": {"label": "label_again", "at_most": 0.99},
            "count": 1,
        },
        {
            "on": "noise",
            "good": {"label": "outcome", "positive": "fails", "at_most": 0.3, "bins": 4},
            "bad": {"label": "outcome", "positive": "fails", "at_least": 0.3, "bins": 4},
            "count": 1,
        },
    ],
    "distributed_as": [
        {
            "on": "number",
            "good": {"baseline": "ref('baseline')", "psi_at_most": 0.000001, "ks_at_most": 0.000001},
            "bad": {"baseline": "ref('moved_baseline')", "ks_at_most": 0.15},
            "count": 1,
        },
        {
            "on": "kind",
            "good": {"baseline": "ref('baseline')", "psi_at_most": 0.000001},
            "bad": {"baseline": "ref('moved_baseline')", "psi_at_most": 0.5},
            "count": 1,
        },
        {
            "on": "gappy",
            "good": {"baseline": "ref('baseline')", "psi_at_most": 0.000001},
            "bad": {"baseline": "ref('moved_baseline')", "psi_at_most": 0.005},
            "count": 1,
        },
        {
            "on": "noise",
            "good": None,
            "bad": {"baseline": "ref('baseline')", "psi_at_most": 9},
            "rows": [{"rows_before": None}],
        },
    ],
    "covers": [
        {
            "model": "answers",
            "good": {"spine": "ref('asked_by_answers')"},
            "bad": {"spine": "ref('asked')"},
            "rows": [{"pump": 3, "rows_of_it": 0}, {"pump": 2, "rows_of_it": 2}],
        }
    ],
}

MODELS = {
    "rows_here": ROWS,
    "others": OTHER.replace("rows_here", "{{ ref('rows_here') }}"),
    "pumps": "select * from (values (1), (2), (3)) as g(pump)",
    "loads": LOADS,
    "baseline": "{{ snowml.frozen_baseline(ref('rows_here'), ['number', 'kind', 'gappy']) }}",
    "moved": "select number + 10 as number, 'odd' as kind, 1.5 as gappy from {{ ref('rows_here') }}",
    "moved_baseline": "{{ snowml.frozen_baseline(ref('moved'), ['number', 'kind', 'gappy']) }}",
    # Pump 4 will be asked about tomorrow.
    "asked": "select * from (values (1, timestamp '2024-06-30'), (2, timestamp '2024-06-30'),"
    " (3, timestamp '2024-07-01'),"
    " (4, timestamp '2024-07-02')) as g(pump, as_of)",
    "asked_by_answers": "select distinct pump, as_of from {{ ref('asked') }} where pump = 1",
    "answers": "select pump, as_of from {{ ref('asked') }} where pump < 3 union all"
    " select pump, as_of from {{ ref('asked') }} where pump = 2",
}


def definition(test: str, case: dict[str, Any], kind: str, number: int) -> dict[str, Any]:
    return {
        f"snowml.{test}": {
            "name": f"{kind}_{test}_{number}",
            "arguments": case[kind],
            **({"column_name": case["on"]} if "on" in case else {}),
            "config": {"store_failures": True, "alias": f"{kind}_{test}_{number}"},
        }
    }


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Lab]:
    """Every case, tested in one build."""
    lab = Lab(tmp_path_factory.mktemp("tests") / "lab", **MODELS)
    tests: dict[str, list[Any]] = {name: [] for name in MODELS}
    for test, cases in CASES.items():
        for number, case in enumerate(cases):
            for kind in ("good", "bad"):
                if case[kind] is not None:
                    tests[case.get("model", "rows_here")].append(definition(test, case, kind, number))
    meta = {"meta": {"snowml": {"entity": "pump", "as_of": "as_of"}}}
    models = [
        {"name": name, "data_tests": listed, "config": meta if name.startswith("asked") else {}}
        for name, listed in tests.items()
    ]
    lab.write("models/models.yml", yaml.safe_dump({"models": models}))
    assert set(lab.statuses("run").values()) == {"success"}
    return lab.statuses("test"), lab


CASE_IDS = [(test, number) for test, cases in CASES.items() for number in range(len(cases))]


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
    case = CASES[test][number]
    text = f"select to_json(kept)::varchar from main_dbt_test__audit.bad_{test}_{number} as kept"
    kept = [json.loads(row[0]) for row in lab.query(text)]
    if "count" in case:
        assert len(kept) == case["count"]
        return
    assert len(kept) == len(case["rows"]), kept
    for expected in case["rows"]:
        assert any(all(row[name] == value for name, value in expected.items()) for row in kept), kept


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
    lab = Lab(tmp_path / "lab", **{name: MODELS[name] for name in ("rows_here", "pumps", "baseline")})
    for test, (given, told) in WRONG.items():
        case = {"wrong": given}
        if test not in {"expected_rows", "agrees_with", "same_total", "has_columns", "covers"}:
            case["on"] = "number"
        tests = [definition(test, case, "wrong", 0)]
        lab.write(
            "models/models.yml", yaml.safe_dump({"models": [{"name": "rows_here", "data_tests": tests}]})
        )
        with pytest.raises(Exception, match="Compilation Error") as raised:
            lab.run("compile")
        assert told in " ".join(str(raised.value).split()), test
