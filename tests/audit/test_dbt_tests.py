"""The audits that are dbt tests: known_at, label_proxy, split_overlap."""

from pathlib import Path

import pytest
import shop
import sqlglot

from snowml.errors import AnswerIsNo, SnowmlError

pytestmark = pytest.mark.dbt

# a: harmless; b: the label in other words; c: a text that tells it; told_at, came_at: when the newest fact was known.
TABLE = """\
select
    i as id,
    timestamp '2024-01-01' + to_hours(i) as as_of,
    'shop ' || (i % {shops}) as shop,
    (i * 7919) % 997 as a,
    case when i % 2 = 0 then 1.5 else (i * 31 % 17) / 100.0 end as b,
    case when i % 2 = 0 then 'x' end as c,
    {label} as label,
    timestamp '2024-01-01' + to_hours(i) - interval '1 minute' as told_at,
    timestamp '2024-01-01' + to_hours(i) + to_minutes(case when i = 7 then 5 else -1 end) as came_at
from range(2000) as numbers(i)
"""


def told(
    folder: Path, test: str, arguments: str, *, column: str = "", label: str = "i % 2 = 0", shops: int = 5
) -> str:
    """What `dbt build` says of a table with one test on it; an empty text where it passes."""
    project = shop.shop(folder / "shop", "written")
    project.write("models/rows.sql", TABLE.format(label=label, shops=shops))
    written = f"{{name: rows, data_tests: [{{snowml.{test}: {{arguments: {arguments}}}}}]}}"
    if column:
        inner = f"{{name: {column}, data_tests: [{{snowml.{test}: {{arguments: {arguments}}}}}]}}"
        written = f"{{name: rows, columns: [{inner}]}}"
    project.write("models/rows.yml", f"models: [{written}]\n")
    try:
        project.build("rows")
    except AnswerIsNo as answer:
        return str(answer)
    finally:
        for compiled in (project.folder / "target" / "dev" / "compiled").rglob("rows.yml/*.sql"):
            assert sqlglot.parse_one(compiled.read_text("utf-8"), dialect="snowflake")
    return ""


def test_known_at_passes_where_nothing_is_newer_than_as_of(tmp_path: Path) -> None:
    assert told(tmp_path, "known_at", "{}", column="told_at") == ""


def test_known_at_counts_the_arrival_too(tmp_path: Path) -> None:
    assert "Got 1 result" in told(tmp_path, "known_at", "{arrived_at: came_at}", column="told_at")


@pytest.mark.parametrize(
    "label", ["i % 2 = 0", "case when i % 2 = 0 then 'yes' else 'no' end", "3.5 * (i % 2) + 1"]
)
def test_label_proxy_finds_numbers_and_texts_that_tell_any_kind_of_label(tmp_path: Path, label: str) -> None:
    arguments = "{entity: id, apart_from: [told_at]}"
    assert "Got 2 results" in told(tmp_path, "label_proxy", arguments, column="label", label=label)


def test_label_proxy_passes_without_them(tmp_path: Path) -> None:
    assert told(tmp_path, "label_proxy", "{entity: [id], apart_from: [b, c]}", column="label") == ""


def test_an_identifier_is_no_proxy(tmp_path: Path) -> None:
    # Learned by heart it would tell all; on rows it was not learned from it tells nothing.
    arguments = "{entity: as_of, apart_from: [b, c]}"
    label = "(i * 7919) % 13 < 6"
    assert told(tmp_path, "label_proxy", arguments, column="label", label=label, shops=1999) == ""


def test_split_overlap_finds_entities_on_both_sides(tmp_path: Path) -> None:
    assert "Got 5 results" in told(tmp_path, "split_overlap", "{entity: shop, at: '2024-02-01'}")


def test_split_overlap_passes_where_each_is_on_one(tmp_path: Path) -> None:
    assert told(tmp_path, "split_overlap", "{entity: [id, shop], at: '2024-02-01 12:00'}") == ""


@pytest.mark.parametrize(
    ("test", "column", "arguments", "words"),
    [
        ("split_overlap", "", "{entity: shop, at: soon}", "needs the moment at which the later split begins"),
        ("label_proxy", "label", "{entity: id, at_most: 2}", "needs at_most above 0 and up to 1"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(
    tmp_path: Path, test: str, column: str, arguments: str, words: str
) -> None:
    with pytest.raises(SnowmlError, match=words):
        told(tmp_path, test, arguments, column=column)
