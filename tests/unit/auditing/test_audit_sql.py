"""What the audits ask of the warehouse: figures against plain Python, and text that Snowflake's parser reads."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from snowml.auditing import cuts, invariance, overlap, proxy, visibility
from snowml.auditing.invariance import ROW, Pair, differences
from snowml.auditing.lineage import History
from snowml.names import Relation
from snowml.records import Feature
from snowml.spec.split import Windows

START = datetime(2024, 1, 1)
CUT = START + timedelta(hours=50, microseconds=1)


def frame(**columns):
    rows = len(next(iter(columns.values())))
    as_of = pd.to_datetime(START) + pd.to_timedelta(np.arange(rows), unit="h")
    return pd.DataFrame({"id": np.arange(rows), "as_of": as_of.astype("datetime64[us]"), **columns})


def pair(load, whole, cut, **given):
    kinds = {"a": "DOUBLE", "b": "VARCHAR", "c": "BOOLEAN"}
    columns = tuple((name, kinds[name]) for name in ("a", "b", "c") if name in whole)
    return Pair(
        "t",
        load("whole", whole).within("memory"),
        load("cut", cut).within("memory"),
        ("id", "as_of"),
        columns,
        **given,
    )


def test_only_rows_before_the_cut_are_compared(engine, load):
    whole, cut = frame(a=np.arange(99.0)), frame(a=np.arange(99.0))
    cut.loc[51:, "a"] = -1.0
    assert differences(engine, pair(load, whole, cut), CUT) == []
    cut.loc[50, "a"] = -1.0
    (found,) = differences(engine, pair(load, whole, cut), CUT)
    assert (found.column, found.rows, found.of, found.largest) == ("a", 1, 51, 51.0)
    assert found.example["id"] == 50


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        (1.0, 1.0 + 1e-12, False),
        (1e9, 1e9 + 0.1, False),
        (1.0, 1.0 + 1e-6, True),
        (np.nan, np.nan, False),
        (None, None, False),
        (None, 0.0, True),
        (0.0, None, True),
        (np.nan, 0.0, True),
    ],
)
def test_numbers_are_equal_to_the_last_digits_and_missing_only_with_missing(
    engine, load, one, other, differs
):
    whole, cut = (frame(a=pd.array([value, 5.0], dtype=object)) for value in (one, other))
    whole["a"], cut["a"] = whole["a"].astype(float), cut["a"].astype(float)
    assert bool(differences(engine, pair(load, whole, cut), CUT)) == differs


def test_texts_and_booleans_are_compared_too(engine, load):
    whole = frame(b=["x", None, "z"], c=[True, False, None])
    cut = frame(b=["x", "y", "z"], c=[True, False, True])
    found = differences(engine, pair(load, whole, cut), CUT)
    assert [(one.column, one.rows, one.largest) for one in found] == [("b", 1, None), ("c", 1, None)]


def test_a_row_that_only_one_of_them_has_is_a_finding_where_rows_count(engine, load):
    whole, cut = frame(a=np.arange(60.0)), frame(a=np.arange(60.0)).drop(index=[3, 55])
    (found,) = differences(engine, pair(load, whole, cut), CUT)
    assert (found.column, found.rows) == (ROW, 1)
    assert found.example["id"] == 3
    assert differences(engine, pair(load, whole, cut, rows_too=False), CUT) == []


def test_a_labelled_row_is_due_once_its_label_is_known(engine, load):
    whole = frame(a=np.arange(60.0))
    whole["label_at"] = whole["as_of"] + pd.Timedelta(hours=10)
    cut = whole[whole["label_at"] < CUT]
    assert differences(engine, pair(load, whole, cut, known_by="label_at"), CUT) == []
    (found,) = differences(engine, pair(load, whole, cut.iloc[1:], known_by="label_at"), CUT)
    assert found.rows == 1


def test_the_report_has_each_feature_once_where_it_is_seen_first_and_worst():
    def difference(table, rows):
        example = {"id": 1, "snowml_whole": 2.5, "snowml_cut": None}
        return invariance.Difference(table, "a", CUT, rows, 100, 2.5, example)

    found = [difference("first", 3), difference("last", 9), difference("first", 4)]
    check = invariance.judge(found, [CUT], 2)
    assert not check.passed
    assert check.detail.startswith(
        "a: in first, last: 4 rows of 100 before 2024-01-03 02:00:00, largest difference 2.5; "
    )
    assert "such as id=1: 2.5 with all data, NULL with what was known at" in check.detail
    assert invariance.judge([], [CUT], 2).passed


def test_cuts_come_a_moment_after_a_row(engine, load):
    rows = load("sets", frame(a=np.arange(1000.0))).within("memory")
    found = cuts.choose(engine, rows, "as_of", 5)
    assert len(found) == 5
    assert found == sorted(found)
    assert all((one - START) % timedelta(hours=1) == timedelta(microseconds=1) for one in found)
    assert found[0] < START + timedelta(hours=110)
    assert found[-1] > START + timedelta(hours=890)


@pytest.mark.parametrize("rows", [1, 2, 4])
def test_few_rows_have_few_cuts(engine, load, rows):
    found = cuts.choose(engine, load("sets", frame(a=np.arange(float(rows)))).within("memory"), "as_of", 5)
    assert 1 <= len(found) <= rows


def facts(load):
    data = pd.DataFrame(
        {
            "id": [1, 2, 3, 4],
            "told": ["a", "b", "c", "d"],
            "known_at": pd.to_datetime([START, START, CUT, None]).astype("datetime64[us]"),
            "came_at": pd.to_datetime([START, CUT, CUT, None]).astype("datetime64[us]"),
        }
    )
    return load("facts", data).sql("duckdb")


def test_a_fact_counts_from_the_later_of_known_and_arrived(engine, load):
    source = facts(load)

    def ids(history):
        return engine.query(visibility.removed(source, history, CUT, "duckdb"))["id"].to_pylist()

    assert ids(History("known_at")) == [1, 2]
    assert ids(History("known_at", "came_at")) == [1]


def test_a_hidden_fact_is_there_and_says_nothing(engine, load):
    source = facts(load)
    columns = [("id", "BIGINT"), ("told", "VARCHAR"), ("known_at", "TIMESTAMP"), ("came_at", "TIMESTAMP")]
    query = visibility.hidden(source, columns, {"id"}, History("known_at", "came_at"), CUT, "duckdb")
    rows = engine.query(query).to_pylist()
    assert [row["id"] for row in rows] == [1, 2, 3, 4]
    assert [row["told"] for row in rows] == ["a", None, None, None]
    assert [row["known_at"] for row in rows] == [START, CUT, CUT, None]


def strength(engine, load, data, task="classification", kind="number"):
    relation = load("sets", data).within("memory")
    target = proxy.Target("y", task, None)
    engine.execute(
        f"create or replace table sample as {proxy.sample(relation, target, ('as_of', 'id'), len(data), 'duckdb')}"
    )
    sample = Relation("main", "sample", "memory")
    return proxy.strength(engine, sample, Feature(name="x", kind=kind), task)


@settings(max_examples=15)
@given(noise=st.floats(0.01, 0.8), seed=st.integers(0, 99))
def test_the_strength_of_a_telling_number_is_its_auc(noise, seed):
    # A weak one would be told the less, for its bins are learned from few rows.
    from snowml.engines.duckdb.connection import DuckDBFile
    from snowml.engines.duckdb.engine import DuckDBEngine

    engine = DuckDBEngine(DuckDBFile(":memory:").open())
    random = np.random.default_rng(seed)
    y = random.random(4000) < 0.3
    data = frame(y=y, x=y + noise * random.normal(size=4000))

    def load(name, rows):
        engine.connection.register("rows_to_load", rows)
        engine.execute(f"create or replace table main.{name} as select * from rows_to_load")
        return Relation("main", name)

    try:
        found = strength(engine, load, data)
    finally:
        engine.close()
    assert found.value == pytest.approx(roc_auc_score(y, data["x"]), abs=0.05)


@pytest.mark.parametrize("period", [2, 3, 7])
@pytest.mark.parametrize("rows", [40, 400])
def test_a_copy_of_the_label_is_found_in_a_small_training_set_too(engine, load, rows, period):
    y = np.arange(rows) % period == 0
    assert strength(engine, load, frame(y=y, x=y.astype(float))).value == 1.0
    halves = engine.query("select snowml_half, count(*) as n from sample group by 1").to_pylist()
    assert min(half["n"] for half in halves) > rows / 3


def test_a_category_that_no_two_rows_share_tells_nothing(engine, load):
    y = np.arange(2000) % 3 == 0
    assert (
        strength(engine, load, frame(y=y, x=[f"row {i}" for i in range(2000)]), kind="category").value == 0.5
    )


def test_a_feature_of_an_amount_is_judged_by_its_share_of_the_variance(engine, load):
    random = np.random.default_rng(0)
    y = random.normal(size=4000)
    assert strength(engine, load, frame(y=y, x=np.exp(y)), "regression").value > 0.9
    assert abs(strength(engine, load, frame(y=y, x=random.normal(size=4000)), "regression").value) < 0.1


def test_a_function_of_an_amount_is_found_however_weak(engine, load):
    y = (np.arange(3000) * 7919 % 211).astype(float)
    found = strength(engine, load, frame(y=y, x=y * 31 % 7), "regression")
    assert found.is_function
    assert not proxy.judge([found], "regression", 0.9).passed
    assert not strength(engine, load, frame(y=y, x=np.arange(3000.0) % 5), "regression").is_function
    assert not strength(engine, load, frame(y=y, x=np.ones(3000)), "regression").is_function


def overlapped(engine, load, data, unseen=False):
    windows = Windows(START + timedelta(hours=60), START + timedelta(hours=80), START + timedelta(hours=100))
    relation = load("sets", data).within("memory")
    return overlap.overlap(engine, relation, ("id", "as_of"), ["x"], windows, unseen_entities=unseen)


def test_splits_of_unlike_rows_pass(engine, load):
    assert overlapped(engine, load, frame(x=np.arange(100.0))).passed


def test_copies_of_trained_rows_are_found_where_rows_are_unlike(engine, load):
    check = overlapped(engine, load, frame(x=np.arange(100.0) % 90))
    assert "10 rows of the test split are copies of rows of the training split" in check.detail
    assert overlapped(engine, load, frame(x=np.arange(100.0) % 3)).passed


def test_shared_entities_fail_only_where_they_may_not_be(engine, load):
    data = frame(x=np.arange(100.0))
    data["id"] = data["id"] % 20
    assert overlapped(engine, load, data).passed
    assert (
        "20 rows of 20 of the test split are of an entity"
        in overlapped(engine, load, data, unseen=True).detail
    )


def test_the_queries_are_snowflakes_too():
    class Snowflake:
        name, database = "snowflake", "DB"

        def __init__(self):
            self.asked = []

        def query(self, sql, params=()):
            self.asked.append(sql)
            raise StopIteration

    relation, history = Relation("s", "t", "db"), History("known_at", "came_at")
    texts = [
        visibility.removed("t", history, CUT, "snowflake"),
        visibility.hidden(
            "t", [("a", "NUMBER"), ("known_at", "TIMESTAMP_NTZ")], {"b"}, history, CUT, "snowflake"
        ),
        proxy.sample(relation, proxy.Target("y", "classification", "it's"), ("id",), 10**6, "snowflake"),
    ]
    engine = Snowflake()
    compared = Pair(
        "t", relation, relation, ("id", "as_of"), (("a", "NUMBER(10,2)"), ("b", "TEXT")), "label_at"
    )
    for ask in (
        lambda: differences(engine, compared, CUT),
        lambda: cuts.choose(engine, relation, "as_of", 5),
        lambda: proxy.strength(engine, relation, Feature(name="x", kind="number"), "classification"),
        lambda: proxy.strength(engine, relation, Feature(name="x", kind="category"), "regression"),
        lambda: overlap.overlap(
            engine, relation, ("id", "as_of"), ["x"], Windows(START, CUT, CUT), unseen_entities=True
        ),
    ):
        with pytest.raises(StopIteration):
            ask()
    for text in [*texts, *engine.asked]:
        assert sqlglot.parse_one(text, dialect="snowflake") is not None
