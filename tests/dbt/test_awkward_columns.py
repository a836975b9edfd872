"""Columns as other people have them: names that need quotes, names that clash, moments that are none."""

from pathlib import Path

import pytest
import yaml
from lab import Lab

pytestmark = pytest.mark.dbt

ASKED = """
select * from (values
    ('a', 1, timestamp '2024-06-10 12:00:00', 'x'),
    ('a', 2, timestamp '2024-06-10 12:00:00', 'y')
) as t("Customer Id", "Group", "Asked At", note)
"""
SALES = """
select * from (values
    ('a', 1, timestamp '2024-06-10 11:00:00', 1),
    ('a', 2, timestamp '2024-06-10 11:30:00', 2),
    ('a', 2, timestamp '2024-06-10 11:45:00', 5)
) as t("Customer Id", "Group", "Known At", "Order")
"""
SPINE = "spine=source('main', 'asked')"
SALES_BY_BOTH = """'from': source('main', 'sales'), 'by': ['"Customer Id"', '"Group"']"""
ROLLED = f"""{{{{ snowml.rolling({SPINE}, histories=[{{{SALES_BY_BOTH}, 'features': {{
    '"Select"': 'SUM("Order") over 1 Day', 'value': 'distinct("Order") over 1 day'
}}}}]) }}}}"""
JOINED = f"""{{{{ snowml.point_in_time_join({SPINE}, keep='note', histories=[
    {{{SALES_BY_BOTH}, 'columns': ['"Order"']}}
]) }}}}"""
SCORED = f"{{{{ snowml.scoring_set({SPINE}, features=[ref('rolled'), ref('joined')], over='31 days') }}}}"
ENTITY = ['"Customer Id"', '"Group"']
SOURCES = [
    {"name": "asked", "config": {"meta": {"snowml": {"entity": ENTITY, "as_of": '"Asked At"'}}}},
    {"name": "sales", "config": {"meta": {"snowml": {"known_at": '"Known At"'}}}},
]
AS_BEFORE = {"baseline": "ref('base')", "psi_at_most": 0.1}
AGREES = {"reference": "ref('rolled')", "by": ENTITY, "columns": ['"Select"']}
TESTS = [
    {"snowml.unique_combination": {"arguments": {"columns": ENTITY}}},
    {"snowml.covers": {"arguments": {"spine": "source('main', 'asked')"}}},
    {"snowml.agrees_with": {"arguments": AGREES}},
    {"snowml.distributed_as": {"column_name": '"Select"', "arguments": AS_BEFORE}},
    {"snowml.distributed_as": {"column_name": '"Customer Id"', "arguments": AS_BEFORE}},
    {"snowml.informs": {"column_name": '"Customer Id"', "arguments": {"label": '"Group"', "at_most": 0.5}}},
]


def lab_of(folder: Path, sources: list[dict[str, object]], models: dict[str, str]) -> Lab:
    lab = Lab(folder / "lab", **models)
    properties = {"sources": [{"name": "main", "schema": "main", "tables": sources}]}
    lab.write("models/sources.yml", yaml.safe_dump(properties))
    return lab


def test_names_in_quotes_go_through_macros_and_tests(tmp_path: Path) -> None:
    base = """{{ snowml.frozen_baseline(ref('rolled'), ['"Select"', '"Customer Id"']) }}"""
    lab = lab_of(tmp_path, SOURCES, {"rolled": ROLLED, "joined": JOINED, "scored": SCORED, "base": base})
    lab.write("models/tests.yml", yaml.safe_dump({"models": [{"name": "rolled", "data_tests": TESTS}]}))
    lab.load(asked=ASKED, sales=SALES)
    assert set(lab.statuses("run").values()) == {"success"}
    assert lab.query(
        'select "Customer Id", "Group", note, "Select", value, "Order" from scored order by 2'
    ) == [
        ("a", 1, "x", 1.0, 1.0, 1),
        ("a", 2, "y", 7.0, 2.0, 5),
    ]
    assert set(lab.statuses("test").values()) == {"pass"}


CLASHES = {
    "like_the_key": ROLLED.replace("'value'", """'"group"'"""),
    "twice_in_rolling": ROLLED.replace("'value'", """'"SELECT"'"""),
    "kept_twice": JOINED.replace("['\"Order\"']", "{'Note': '\"Order\"'}"),
    "side_by_side": SCORED.replace("ref('joined')", "ref('joined'), ref('again')"),
}


def test_two_columns_of_one_name_are_an_error(tmp_path: Path) -> None:
    models = {"rolled": ROLLED, "joined": JOINED, "again": JOINED.replace("keep='note', ", ""), **CLASHES}
    lab = lab_of(tmp_path, SOURCES, models)
    lab.load(asked=ASKED, sales=SALES)
    told = {name: " ".join((result.message or "").split()) for name, result in lab.run("run").items()}
    for name, column in zip(CLASHES, ('"group"', '"SELECT"', "Note", "Order"), strict=True):
        assert f"{name} would have two columns called {column}. Give one of them another name." in told[name]


@pytest.mark.parametrize(
    ("type_", "remedy"),
    [
        (
            "date",
            "cast(Known At as timestamp), plus interval '1 day' for what is known when the day is over.",
        ),
        ("timestamp with time zone", "snowml.utc('Known At')."),
    ],
)
def test_a_moment_that_is_no_timestamp_in_utc_is_an_error(tmp_path: Path, type_: str, remedy: str) -> None:
    lab = lab_of(tmp_path, SOURCES, {"rolled": ROLLED, "joined": JOINED})
    plain = SALES.replace('"Known At"', "known")
    lab.load(asked=ASKED, sales=plain.replace("select *", f'select *, known::{type_} as "Known At"'))
    results = lab.run("run")
    told = (
        f"Known At of sales is a {type_.upper()}, and moments are timestamps without a zone, in UTC. Write "
    )
    assert f"rolling: {told}{remedy}" in results["rolled"].message
    assert f"point_in_time_join: {told}{remedy}" in results["joined"].message
