"""The estimator function, called as DuckDB calls it, against scikit-learn."""

import inspect

import duckdb
import messy
import numpy as np
import pyarrow as pa
import pytest

from snowml.registry.trusted import Artifact
from snowml.serving.estimator import load
from snowml.serving.inputs import Codes, inputs_for
from snowml.serving.structs import struct_of
from snowml.training.estimators import ESTIMATORS

CASES = [
    (name, task)
    for name, kind in ESTIMATORS.items()
    for task, able in (("classification", kind.classifier), ("regression", kind.regressor))
    if able
]


def function(pipeline, sig):
    return load(Artifact(sig, pipeline).dumps())


def struct(columns):
    return struct_of([column.combine_chunks() for column in columns])


def ask(pipeline, sig, rows, subset="all"):
    """Register it, and select it from the rows."""
    predict = function(pipeline, sig)

    def called(rows):
        return predict(rows.combine_chunks())

    names = [feature.name for feature in sig.features]
    types = ["double" if feature.kind == "number" else "varchar" for feature in sig.features]
    kind = f"struct({', '.join(map(' '.join, zip(names, types, strict=True)))})"
    fields = ", ".join(f"{name}: {name}" for name in names)
    with duckdb.connect() as con:
        con.create_function("predict_m", called, [kind], "DOUBLE", type="arrow", null_handling="special")
        con.register("batch", messy.arrow(rows, subset))
        return [row[0] for row in con.execute(f"select predict_m({{{fields}}}) from batch").fetchall()]


@pytest.mark.parametrize("subset", messy.SUBSETS)
@pytest.mark.parametrize(("name", "task"), CASES)
def test_held_out_rows_are_the_same_to_the_bit(name, task, subset):
    pipeline, rows = messy.trained(name, task, subset), messy.frame(3000, 1)
    found = ask(pipeline, messy.signature(task, subset), rows, subset)
    if inspect.getmodule(type(pipeline[-1])).__name__.startswith("sklearn.linear_model"):
        np.testing.assert_allclose(found, messy.bulk(pipeline, rows), rtol=1e-14)  # a BLAS sums by batch size
    else:
        assert found == messy.bulk(pipeline, rows).tolist()


@pytest.mark.parametrize(("name", "task"), CASES)
def test_only_refused_rows_are_null(name, task):
    pipeline, rows = messy.trained(name, task), messy.adversarial()
    expected = messy.answers(pipeline, rows)
    found = ask(pipeline, messy.signature(task), rows)
    assert [value is None for value in found] == [value is None for value in expected]
    assert (None in expected) == (ESTIMATORS[name].preparation != "native")
    given = [(a, b) for a, b in zip(found, expected, strict=True) if b is not None]
    np.testing.assert_allclose(*zip(*given, strict=True), rtol=1e-13)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_the_short_way_prepares_the_same_matrix(name, task):
    pipeline, sig, rows = messy.trained(name, task), messy.signature(task), messy.frame(500, 2)
    inputs = inputs_for(pipeline[0], sig)
    assert isinstance(inputs, Codes) == (ESTIMATORS[name].preparation != "linear")
    found = inputs.matrix(messy.arrow(rows).columns)
    expected = pipeline[:-1].transform(rows)
    if hasattr(expected, "toarray"):
        found, expected = found.toarray(), expected.toarray()
    np.testing.assert_array_equal(np.asarray(found, dtype=float), np.asarray(expected, dtype=float))


@pytest.mark.parametrize("name", ["hist_gradient_boosting", "gradient_boosting", "ridge"])
def test_any_size_and_any_arrow_layout(name):
    pipeline, sig = messy.trained(name, "regression"), messy.signature("regression")
    predict, rows = function(pipeline, sig), messy.frame(5, 1)
    table = messy.arrow(rows)
    assert predict(struct(table.slice(0, 0).columns)).to_pylist() == []
    assert len(predict(struct(table.slice(0, 1).columns))) == 1
    other = [c.cast(pa.large_string()) if c.type == pa.string() else c for c in table.columns]
    expected = predict(struct(table.columns))
    assert expected.type == pa.float64()
    assert predict(struct(other)).equals(expected)
    # A BLAS sums by batch size.
    np.testing.assert_allclose(predict(struct(table.columns).slice(2)), expected.slice(2), rtol=1e-14)


def test_the_columns_are_not_written_to():
    pipeline, rows = messy.trained("ridge", "regression"), messy.adversarial()
    table = messy.arrow(rows)
    before = table.to_pandas()
    function(pipeline, messy.signature("regression"))(struct(table.columns))
    assert before.equals(table.to_pandas())


def test_a_batch_of_refused_rows_alone():
    rows = messy.frame(3, 1).assign(plain=np.inf)
    pipeline = messy.trained("random_forest", "regression")
    assert ask(pipeline, messy.signature("regression"), rows) == [None] * 3


@pytest.mark.parametrize("positive", [True, False])
def test_either_class_may_be_the_positive_one(positive):
    pipeline, rows = messy.trained("decision_tree", "classification"), messy.frame(50, 1)
    found = ask(pipeline, messy.signature("classification", positive=positive), rows)
    assert found == messy.bulk(pipeline, rows, positive).tolist()
