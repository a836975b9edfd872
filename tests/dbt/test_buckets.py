"""`bucket` and `split` deal alike in SQL and Python."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab import Lab

import snowml

TEXTS = [
    "",
    "n",
    "v",
    "|",
    "||",
    "a|b",
    "v|n",
    "O'Hara",
    "Zürich",
    "東京",
    "🦆",
    "e\u0301",
    "é",
    " a",
    "a ",
    "\\",
    "\n",
]
NUMBERS = [0, 1, -1, 7, 10**15, -(2**63), 2**63 - 1]

DEALT = """\
select
    t,
    n,
    b,
    {{ snowml.bucket('t', 1000000) }} as of_text,
    {{ snowml.bucket(['t', 'n', 'b'], 97, 'salt_1') }} as of_all,
    {{ snowml.split(by=['t', 'n'], validation=0.15, test=0.25, salt='x') }} as part
from given_values
"""

BY_TIME = """\
select id, {{ snowml.split(validation='10 days', test='5 days', as_of='asked_at', label_at='known_at') }} as part
from given_rows
"""


@pytest.mark.dbt
def test_sql_and_python_deal_alike(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab", dealt=DEALT)
    rows = [(t, n, b) for t in [*TEXTS, None] for n in [*NUMBERS, None] for b in (True, False, None)]
    listed = ", ".join(
        "("
        + ", ".join(
            (
                "null" if t is None else "'" + t.replace("'", "''") + "'",
                "null" if n is None else str(n),
                "null" if b is None else str(b),
            )
        )
        + ")"
        for t, n, b in rows
    )
    lab.load(given_values=f"select t, n::bigint as n, b::boolean as b from (values {listed}) as g(t, n, b)")
    assert lab.statuses("run") == {"dealt": "success"}
    found = lab.query("select * from dealt")
    assert len(found) == len(rows)
    for t, n, b, of_text, of_all, part in found:
        assert of_text == snowml.bucket(t, buckets=1_000_000)
        assert of_all == snowml.bucket(t, n, b, buckets=97, salt="salt_1")
        place = snowml.bucket(t, n, buckets=10_000, salt="x")
        assert part == ("test" if place < 2500 else "validation" if place < 4000 else "train")


@pytest.mark.dbt
def test_a_split_by_time_leaves_out_whose_label_came_too_late(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab", parts=BY_TIME)
    lab.load(
        given_rows="select * from (values "
        "(1, timestamp '2024-06-15 23:59:59', timestamp '2024-06-16'),"
        "(2, timestamp '2024-06-15 23:59:59', timestamp '2024-06-16 00:00:01'),"
        "(3, timestamp '2024-06-16', timestamp '2024-06-26'),"
        "(4, timestamp '2024-06-16', timestamp '2024-06-26 00:00:01'),"
        "(5, timestamp '2024-06-26', timestamp '2024-07-01'),"
        "(6, timestamp '2024-06-26', timestamp '2024-07-02'),"
        "(7, timestamp '2024-07-01', timestamp '2024-07-01')) as g(id, asked_at, known_at)"
    )
    lab.run("run")
    assert dict(lab.query("select * from parts")) == {
        1: "train", 2: None, 3: "validation", 4: None, 5: "test", 6: None, 7: None,
    }  # fmt: skip


def test_a_number_once_given_never_changes() -> None:
    # md5('|vSnowflake'), its first 64 bits.
    assert snowml.bucket("Snowflake", buckets=2**64) == 7621959593014449157


def test_buckets_are_about_even() -> None:
    counts = Counter(snowml.bucket("customer", n, buckets=10) for n in range(20_000))
    assert set(counts) == set(range(10))
    assert max(abs(count - 2000) for count in counts.values()) < 250


@given(
    st.lists(st.none() | st.text(max_size=4), min_size=1),
    st.lists(st.none() | st.text(max_size=4), min_size=1),
)
def test_other_values_have_another_number(ours: list[str | None], theirs: list[str | None]) -> None:
    same = snowml.bucket(*ours, buckets=2**64) == snowml.bucket(*theirs, buckets=2**64)
    assert same == (ours == theirs)


def test_another_salt_deals_anew() -> None:
    dealt = [[snowml.bucket(n, salt=salt) for n in range(100)] for salt in ("", "a", "b")]
    assert sum(a == b for a, b in zip(dealt[1], dealt[2], strict=True)) < 10
    assert dealt[0] != dealt[1]


@pytest.mark.parametrize(
    ("values", "options", "error", "told"),
    [
        ((1.5,), {}, TypeError, "1.5 is a float; cast it to a text"),
        ((), {}, ValueError, "needs a value"),
        (("a",), {"buckets": 0}, ValueError, "buckets is 0"),
        (("a",), {"salt": "a|b"}, ValueError, r"The salt is 'a\|b'"),
    ],
)
def test_what_cannot_be_dealt_is_told(values: tuple, options: dict, error: type, told: str) -> None:
    with pytest.raises(error, match=told):
        snowml.bucket(*values, **options)
