"""Cases of the package's generic tests: rows that they pass and rows that they fail, for any engine."""

from pathlib import Path
from typing import Any

import yaml
from lab import Lab

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
            "good_where": "pump = 2",
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
            "good_where": "pump = 2",
            "bad": {"label": "outcome", "positive": "fails", "at_most": 0.9},
            "rows": [{"bins": 2, "rows_in_all": 47, "explained": 1.0}],
        },
        {
            "on": "label_text",
            "good": {"label": "label_again", "at_least": 1},
            "good_where": "pump = 1",
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
            "good_where": "noise >= 0",
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
    "in_range": [
        {
            "on": "number",
            "good": {"min": 100, "max": 223},
            "bad": {"min": 101, "max": 222},
            "rows": [{"number": 100}, {"number": 223}],
        },
        {"on": "number", "good": {"max": 223}, "bad": {"min": 201}, "count": 25},
    ],
    "holds": [
        {
            "good": {"expression": "arrived_at > read_at"},
            "bad": {"expression": "gappy is not null and number < 223"},
            "rows": [{"pump": 2, "number": 205}, {"pump": 2, "number": 223}],
        }
    ],
    "matches": [
        {"on": "kind", "good": {"pattern": "[a-z]{4}|odd"}, "bad": {"pattern": "even|od"}, "count": 1},
        # A part is not enough, and a backslash is the pattern's own.
        {"on": "text_number", "good": {"pattern": r"x?\d{1,2}"}, "bad": {"pattern": r"\d"}, "count": 28},
    ],
    "row_count": [
        {
            "good": {"at_least": 47, "at_most": 47},
            "bad": {"at_most": 46},
            "rows": [{"rows_in_all": 47}],
        }
    ],
    "same_row_count": [
        {
            "good": {"as": "ref('rows_here')"},
            "bad": {"as": "ref('others')"},
            "rows": [{"here": 47, "there": 46}],
        }
    ],
    "same_features": [
        {
            "good": {"as": "ref('asked_by_answers')"},
            "good_where": "pump = 1",
            "bad": {"as": "ref('pumps')"},
            "model": "answers",
            "rows": [{"position": 2, "in_the_other": "nothing"}],
        }
    ],
    "unique_combination": [
        {"good": {"columns": ["pump", "read_at"]}, "bad": {"columns": ["pump", "outcome"]}, "count": 4}
    ],
    "not_null_ratio": [
        {
            "on": "gappy",
            "good": {"at_least": 0.97},
            "bad": {"at_least": 0.98},
            "rows": [{"rows_in_all": 47, "rows_with_value": 46}],
        }
    ],
    "references": [
        {
            "on": "pump",
            "good": {"to": "ref('pumps')", "field": "pump"},
            "bad": {"to": "ref('asked_by_answers')", "field": "pump", "missing_at_most": 0.4},
            "rows": [{"rows_in_all": 47, "rows_missing": 23}],
        }
    ],
    "no_nan": [
        {"model": "doubles", "good": {}, "good_where": "n in (1, 4)", "bad": {}, "count": 2},
    ],
    "known_at": [
        {
            "on": "read_at",
            "good": {"as_of": "arrived_at"},
            "bad": {"as_of": "read_at", "arrived_at": "arrived_at"},
            "count": 47,
        },
    ],
    "label_proxy": [
        {
            "on": "outcome",
            "good": {
                "entity": "pump",
                "as_of": "read_at",
                "apart_from": ["number", "text_number", "noise", "label_again", "label_text"],
            },
            "good_where": "pump > 0",
            "bad": {"entity": ["pump"], "as_of": "read_at", "apart_from": ["number", "text_number", "noise"]},
            "count": 2,
        }
    ],
    "split_overlap": [
        {
            "good": {"entity": ["pump", "read_at"], "at": "2024-06-28", "as_of": "read_at"},
            "bad": {"entity": "pump", "at": "2024-06-28", "as_of": "read_at"},
            "rows": [
                {"pump": 1, "rows_before": 12, "rows_after": 12},
                {"pump": 2, "rows_before": 11, "rows_after": 12},
            ],
        }
    ],
}

# What a loader would bring, in DuckDB's words.
LOADED = {
    "rows": ROWS,
    "loads": LOADS,
    "pumps": "select * from (values (1), (2), (3)) as g(pump)",
    # Pump 4 will be asked about tomorrow.
    "asked": "select * from (values (1, timestamp '2024-06-30'), (2, timestamp '2024-06-30'),"
    " (3, timestamp '2024-07-01'), (4, timestamp '2024-07-02')) as g(pump, as_of)",
}

MODELS = {
    "rows_here": "select * from {{ source('loaded', 'rows') }}",
    "others": "select pump, read_at, kind, case when number = 205 then 999 else number end as number"
    " from {{ ref('rows_here') }} where number <> 103",
    "pumps": "select * from {{ source('loaded', 'pumps') }}",
    "loads": "select * from {{ source('loaded', 'loads') }}",
    "baseline": "{{ snowml.frozen_baseline(ref('rows_here'), ['number', 'kind', 'gappy']) }}",
    "moved": "select number + 10 as number, 'odd' as kind, 1.5 as gappy from {{ ref('rows_here') }}",
    "moved_baseline": "{{ snowml.frozen_baseline(ref('moved'), ['number', 'kind', 'gappy']) }}",
    "asked": "select * from {{ source('loaded', 'asked') }}",
    "asked_by_answers": "select distinct pump, as_of from {{ ref('asked') }} where pump = 1",
    "answers": "select pump, as_of from {{ ref('asked') }} where pump < 3 union all"
    " select pump, as_of from {{ ref('asked') }} where pump = 2",
    "doubles": "select 1 as n, cast(1.5 as double) as x union all select 2, cast('nan' as double)"
    " union all select 3, cast('inf' as double) union all select 4, null",
}

CASE_IDS = [(test, number) for test, cases in CASES.items() for number in range(len(cases))]


def definition(test: str, case: dict[str, Any], kind: str, number: int) -> dict[str, Any]:
    """A generic test as a model's properties have it; its failing rows are kept in a table of its name."""
    name = f"{kind}_{test}_{number}"
    config = {"store_failures": True, "alias": name}
    if kind == "good" and "good_where" in case:
        config["where"] = case["good_where"]
    column = {"column_name": case["on"]} if "on" in case else {}
    return {f"snowml.{test}": {"name": name, "arguments": case[kind], "config": config, **column}}


def project(folder: Path) -> Lab:
    """A project with every case; its sources are not loaded."""
    lab = Lab(folder, **MODELS)
    tests: dict[str, list[Any]] = {name: [] for name in MODELS}
    for test, number in CASE_IDS:
        case = CASES[test][number]
        for kind in ("good", "bad"):
            if case[kind] is not None:
                tests[case.get("model", "rows_here")].append(definition(test, case, kind, number))
    meta = {"meta": {"snowml": {"entity": "pump", "as_of": "as_of"}}}
    models = [
        {"name": name, "data_tests": listed, "config": meta if name.startswith("asked") else {}}
        for name, listed in tests.items()
    ]
    sources = [{"name": "loaded", "schema": "loaded", "tables": [{"name": name} for name in LOADED]}]
    lab.write("models/models.yml", yaml.safe_dump({"models": models, "sources": sources}))
    return lab


def load(lab: Lab) -> None:
    """Load the sources into the project's DuckDB file."""
    lab.query("create schema loaded")
    lab.load(**{f"loaded.{name}": sql for name, sql in LOADED.items()})


def check_kept_rows(case: dict[str, Any], kept: list[dict[str, Any]]) -> None:
    """The rows that the failing test kept are those that the case expects; more columns are no matter."""
    if "count" in case:
        assert len(kept) == case["count"], kept
        return
    assert len(kept) == len(case["rows"]), kept
    for expected in case["rows"]:
        assert any(all(row[name] == value for name, value in expected.items()) for row in kept), kept
