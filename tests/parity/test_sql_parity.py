"""The SQL of what `training` trains against scikit-learn, on a real DuckDB."""

import math
import warnings

import duckdb
import messy
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import Pipeline
from sqlglot import exp

from snowml.errors import DataError
from snowml.names import quoted
from snowml.records import Feature, Signature
from snowml.serving.sql.columns import Number, Parameter
from snowml.serving.sql.compiled import is_small
from snowml.serving.sql.compiled import score as expression
from snowml.serving.sql.expressions import Unsupported, balanced, double
from snowml.serving.sql.functions import minus, over
from snowml.training.estimators import ESTIMATORS
from snowml.training.pipeline import build, fit

REGRESSIONS = [name for name, kind in ESTIMATORS.items() if kind.preparation == "linear" and kind.regressor]
CASES = [(name, "regression") for name in REGRESSIONS] + [("logistic_regression", "classification")]


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        yield connection


def create(con, pipeline, sig, name="predict_m"):
    parameters = ", ".join(quoted(feature.name, "duckdb") for feature in sig.features)
    con.execute(f"create or replace macro {name}({parameters}) as {expression(pipeline, sig, 'duckdb')}")
    return f"select {name}({parameters}) from batch"


def ask(con, pipeline, sig, rows, subset="all"):
    con.register("batch", messy.arrow(rows, subset))
    return [row[0] for row in con.execute(create(con, pipeline, sig)).fetchall()]


def agree(found, expected):
    assert len(found) == len(expected)
    for got, want in zip(found, expected, strict=True):
        if want is None or got is None:
            assert got is want
        elif math.isfinite(want):
            assert abs(got - want) <= 1e-9 + 1e-9 * abs(want)
        else:
            assert got == want or (math.isnan(got) and math.isnan(want))


@pytest.mark.parametrize("subset", messy.SUBSETS)
@pytest.mark.parametrize(("name", "task"), CASES)
def test_held_out_rows(con, name, task, subset):
    pipeline, rows = messy.trained(name, task, subset), messy.frame(3000, 1)
    found = ask(con, pipeline, messy.signature(task, subset), rows, subset)
    agree(found, messy.bulk(pipeline, rows))


@pytest.mark.parametrize(("name", "task"), CASES)
def test_adversarial_rows(con, name, task):
    pipeline, rows = messy.trained(name, task), messy.adversarial()
    expected = messy.answers(pipeline, rows)
    assert None in expected
    agree(ask(con, pipeline, messy.signature(task), rows), expected)


@pytest.mark.parametrize("positive", [True, False])
def test_either_class_may_be_the_positive_one(con, positive):
    pipeline, rows = messy.trained("logistic_regression", "classification"), messy.frame(300, 1)
    found = ask(con, pipeline, messy.signature("classification", positive=positive), rows)
    agree(found, messy.bulk(pipeline, rows, positive))


def test_a_positive_class_that_the_model_does_not_know():
    pipeline = messy.trained("logistic_regression", "classification")
    with pytest.raises(DataError, match="'yes' is not one of"):
        expression(pipeline, messy.signature("classification", positive="yes"), "duckdb")


def test_a_model_that_is_not_written_says_so():
    pipeline = messy.trained("ridge", "regression")
    other = Pipeline([("prepare", pipeline[0]), ("estimator", KNeighborsRegressor())])
    with pytest.raises(Unsupported, match="KNeighborsRegressor is not written as SQL"):
        expression(other, messy.signature("regression"), "duckdb")
    assert is_small(pipeline)
    assert not is_small(messy.trained("decision_tree", "regression"))


def wide(numbers, categories, names="x{}"):
    rng = np.random.default_rng(3)
    columns = {names.format(i): rng.normal(size=50) for i in range(numbers)}
    features = [Feature(name=name, kind="number") for name in columns]
    if categories:
        columns["c"] = np.array([f"k{i}" for i in range(categories)], dtype=object)
        columns = {k: np.resize(v, max(50, categories)) for k, v in columns.items()}
        features.append(Feature(name="c", kind="category"))
    rows = pd.DataFrame(columns)
    sig = Signature(
        features=tuple(features), entity=("id",), as_of="t", task="regression", label_type="DOUBLE"
    )
    target = rng.normal(size=len(rows))
    return fit(build("ridge", "regression", {}, 0, features), rows, target), sig, rows


@pytest.mark.parametrize(("numbers", "categories"), [(1500, 0), (2, 1000), (1, 50), (1, 51)])
def test_many_terms_and_many_categories(con, numbers, categories):
    pipeline, sig, rows = wide(numbers, categories)
    con.register("batch", rows)
    found = [row[0] for row in con.execute(create(con, pipeline, sig)).fetchall()]
    agree(found, pipeline.predict(rows))


def test_parameters_are_untyped_and_names_are_quoted(con):
    pipeline, sig, _ = wide(2, 3, 'the "{}" column')
    query = create(con, pipeline, sig).split(" from ")[0]
    names = [feature.name for feature in sig.features]
    con.execute(f"create table batch ({quoted(names[0], 'duckdb')} integer, "
                f"{quoted(names[1], 'duckdb')} decimal(9, 2), c varchar)")  # fmt: skip
    con.execute("insert into batch values (2, 0.25, 'k1'), (null, null, null)")
    given_rows = pd.DataFrame([[2.0, 0.25, "k1"], [np.nan, np.nan, None]], columns=names)
    agree([row[0] for row in con.execute(query + " from batch").fetchall()], pipeline.predict(given_rows))


def test_a_logistic_far_out_is_nought_or_one(con):
    pipeline = messy.trained("logistic_regression", "classification")
    rows = pd.concat([messy.frame(1, 0)] * 6, ignore_index=True)
    rows["plain"] = [-1e9, -1e4, -300.0, 300.0, 1e4, 1e9]
    found = ask(con, pipeline, messy.signature("classification"), rows)
    agree(found, messy.bulk(pipeline, rows))
    assert found[0] == 0
    assert found[-1] == 1


def test_a_diverged_model_is_refused():
    pipeline, sig, _ = wide(2, 0)
    pipeline.named_steps["estimator"].coef_[0] = np.inf
    with pytest.raises(DataError, match="diverged"):
        expression(pipeline, sig, "duckdb")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_doubles_read_back_exactly(values):
    items = ", ".join(double(value).sql(dialect="duckdb") for value in values)
    assert duckdb.execute(f"select [{items}]").fetchone()[0] == values
    assert "np." not in double(np.float64(1.5)).sql(dialect="duckdb")
    assert duckdb.execute("select typeof(" + double(1.5).sql(dialect="duckdb") + ")").fetchone() == (
        "DOUBLE",
    )


@settings(max_examples=60, deadline=None)
@given(st.floats(min_value=1e-290, max_value=1e300), st.floats(min_value=-1e9, max_value=1e9))
def test_what_is_accepted_ends_with_the_last_finite_quotient(scale, mean):
    column = Number(Parameter("x")).apply(minus(mean)).apply(over(scale)).finite(missing=False)
    with np.errstate(over="ignore"):
        for end, outside in ((column.low, -math.inf), (column.high, math.inf)):
            assert math.isfinite((np.float64(end) - mean) / scale)
            beyond = np.nextafter(end, outside)
            assert math.isinf(beyond) or math.isinf((beyond - mean) / scale)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=2, unique=True))
def test_any_text_may_be_a_category(texts):
    rows = pd.DataFrame({"c": np.array([*texts, None], dtype=object)})
    features = (Feature(name="c", kind="category"),)
    with warnings.catch_warnings():
        pipeline = fit(build("ridge", "regression", {}, 0, features), rows, np.arange(len(rows)))
    sig = Signature(features=features, entity=("id",), as_of="t", task="regression", label_type="DOUBLE")
    with duckdb.connect() as con:
        query = create(con, pipeline, sig).replace("from batch", "from (select unnest(?) as c)")
        found = [row[0] for row in con.execute(query, [list(rows.c)]).fetchall()]
    agree(found, pipeline.predict(rows))


def test_a_sum_is_a_tree_of_logarithmic_depth():
    total = balanced([exp.column(f"x{i}") for i in range(1000)])
    assert sum(1 for _ in total.find_all(exp.Column)) == 1000
    assert max(node.depth for node in total.find_all(exp.Column)) <= 2 * 10
