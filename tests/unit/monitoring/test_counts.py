import math

import duckdb
import numpy as np
import pandas as pd
import pytest
import sqlglot
from hypothesis import example, given
from hypothesis import strategies as st

from snowml.monitoring.bins import freeze
from snowml.monitoring.counts import counts_query
from snowml.names import Relation, literal

ODD = ["it's", 'a "quote"', "back\\slash", "\\' or 1=1 --", "", " ", "é", "a\nb", "?", "null"]


def _counts(engine, source, bins):
    answer = engine.query(counts_query(source, bins, "duckdb"))
    assert answer.num_rows == 1
    return [column[0].as_py() for column in answer.columns]


def test_numbers_are_counted_as_they_were_frozen(engine, load):
    values = np.array([0.1, 0.3, 0.1 + 0.2, math.inf, -math.inf, math.nan, 5e-324, -0.0, 1.7e308])
    load("scored", pd.DataFrame({"x": values}))
    bins = freeze("x", "number", values)
    rows, *counts, missing = _counts(engine, Relation("main", "scored"), {"x": bins})
    assert (rows, missing) == (9, 1)
    assert counts == [round(one.share * 8) for one in bins]


def test_null_and_nan_are_missing(engine):
    bins = {"x": freeze("x", "number", np.array([1.0, 2.0]))}
    source = "select * from (values (1.0::double), (null), ('nan'::double), (2)) t(x)"
    assert _counts(engine, source, bins) == [4, 1, 1, 2]


def test_categories_to_the_letter(engine, load):
    bins = freeze("x", "category", np.array(ODD, dtype=object))
    load("scored", pd.DataFrame({"x": [*ODD, "new", None]}))
    assert _counts(engine, Relation("main", "scored"), {"x": bins}) == [12, *[1] * len(ODD), 1, 1]


def test_a_boolean_column_is_counted_by_its_text(engine):
    bins = {"late": freeze("late", "category", np.array([True, False, False]))}
    assert _counts(engine, "select * from (values (true), (false), (true)) t(late)", bins) == [3, 1, 2, 0, 0]


def test_columns_are_quoted(engine, load):
    name = 'Wind "gust", m/s?'
    load("scored", pd.DataFrame({name: [1.0, 2.0]}))
    bins = {name: freeze(name, "number", np.array([1.0, 2.0]))}
    assert _counts(engine, Relation("main", "scored"), bins) == [2, 1, 1, 0]


def test_two_hundred_columns(engine, load):
    frame = pd.DataFrame(
        np.random.default_rng(0).normal(size=(500, 200)), columns=[f"x{i}" for i in range(200)]
    )
    load("scored", frame)
    bins = {name: freeze(name, "number", frame[name].to_numpy()) for name in frame}
    rows, *counts = _counts(engine, Relation("main", "scored"), bins)
    assert rows == 500
    assert counts == [*[50] * 10, 0] * 200


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(1e16)
@example(0.1)
@example(5e-324)
def test_doubles_read_back_exactly(value):
    (answer,) = duckdb.sql(
        f"select {literal(value, 'duckdb')}, typeof({literal(value, 'duckdb')})"
    ).fetchall()
    assert answer == (value, "DOUBLE")


@pytest.mark.parametrize("value", ODD)
def test_text_reads_back_in_snowflakes_own_grammar(value):
    select = sqlglot.parse_one(f"select {literal(value, 'snowflake')}", read="snowflake")
    assert select.expressions[0].name == value


def test_both_dialects_parse():
    bins = {
        "x": freeze("x", "number", np.arange(100.0)),
        "Odd name": freeze("Odd name", "category", np.array(ODD, dtype=object)),
        "empty": freeze("empty", "number", np.array([math.nan])),
        "none": freeze("none", "category", np.array([None], dtype=object)),
    }
    for dialect in ("duckdb", "snowflake"):
        sql = counts_query(Relation("s", "scored", "db"), bins, dialect, "as_of >= ? and as_of < ?")
        (statement,) = sqlglot.parse(sql, read=dialect)
        assert len(statement.expressions) == 1 + 11 + 12 + 2 + 2
    assert '"DB"."S"."SCORED"' in sql
    assert '"X"' in sql
    assert '"Odd name"' in sql
