"""The flavour kernel: inputs prepared by DuckDB, the forest scored by the kernel, against scikit-learn's pipeline."""

import duckdb
import messy
import numpy as np
import pyarrow as pa
import pytest

from snowml.engines.duckdb.functions import _deferred
from snowml.errors import DataError
from snowml.registry.trusted import Artifact
from snowml.serving import compiling, kernel_function
from snowml.serving.kernel_function import load
from snowml.serving.sql.compiled import inputs
from snowml.serving.structs import struct_of
from snowml.training.estimators import ESTIMATORS

CASES = [
    (name, task)
    for name, kind in ESTIMATORS.items()
    for task, able in (("classification", kind.classifier), ("regression", kind.regressor))
    if able and kind.preparation != "linear"
]
HANDLER = "snowml.serving.kernel_function"


def compiled(pipeline, sig):
    return compiling.forest_bytes(Artifact(sig, pipeline))


def ask(pipeline, sig, rows, subset="all"):
    """Select from the rows as the function of a promoted version would."""
    arguments = inputs(pipeline, sig, "duckdb").columns
    with duckdb.connect() as con:
        answer = _deferred(HANDLER, _digest(compiled(pipeline, sig)), compiled(pipeline, sig))
        kind = f"struct({', '.join(f'p{i} double' for i in range(len(arguments)))})"
        con.create_function("kernel", answer, [kind], "DOUBLE", type="arrow", null_handling="special")
        con.register("batch", messy.arrow(rows, subset))
        fields = ", ".join(f"p{i}: {text}" for i, text in enumerate(arguments))
        return [row[0] for row in con.execute(f"select kernel({{{fields}}}) from batch").fetchall()]


def _digest(data):
    from hashlib import sha256

    return sha256(data).hexdigest()


@pytest.mark.parametrize("subset", messy.SUBSETS)
@pytest.mark.parametrize(("name", "task"), CASES)
def test_held_out_rows_are_the_same_to_the_bit(name, task, subset):
    pipeline, rows = messy.trained(name, task, subset), messy.frame(3000, 1)
    found = ask(pipeline, messy.signature(task, subset), rows, subset)
    assert found == messy.bulk(pipeline, rows).tolist()


@pytest.mark.parametrize(("name", "task"), CASES)
def test_only_refused_rows_are_null(name, task):
    pipeline, rows = messy.trained(name, task), messy.adversarial()
    expected = messy.answers(pipeline, rows)
    assert ask(pipeline, messy.signature(task), rows) == expected
    assert (None in expected) == (ESTIMATORS[name].preparation != "native")


@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("name", ["hist_gradient_boosting", "random_forest"])
def test_either_class_may_be_the_positive_one(name, positive):
    pipeline, rows = messy.trained(name, "classification"), messy.frame(50, 1)
    found = ask(pipeline, messy.signature("classification", positive=positive), rows)
    assert found == messy.bulk(pipeline, rows, positive).tolist()


def test_the_same_artifact_compiles_to_the_same_bytes():
    pipeline, sig = (
        messy.trained("hist_gradient_boosting", "classification"),
        messy.signature("classification"),
    )
    again = Artifact.loads(Artifact(sig, pipeline).dumps())
    assert compiling.forest_bytes(again) == compiled(pipeline, sig)


def test_linear_models_and_unknown_estimators_are_not_compiled():
    pipeline, sig = messy.trained("logistic_regression", "classification"), messy.signature("classification")
    assert "not a tree ensemble" in str(compiling.reason_against(Artifact(sig, pipeline), "duckdb"))
    with pytest.raises(DataError, match="LogisticRegression is not a tree ensemble"):
        compiled(pipeline, sig)


def test_a_class_that_the_model_has_not_is_refused():
    pipeline = messy.trained("decision_tree", "classification")
    with pytest.raises(DataError, match="'maybe' is not one of the model's"):
        compiled(pipeline, messy.signature("classification", positive="maybe"))


def columns_of(scale=1.0, rows=5):
    return [pa.array(np.linspace(-1, 1, rows) * scale) for _ in range(9)]


def test_any_size_and_any_arrow_layout():
    function = load(
        compiled(messy.trained("hist_gradient_boosting", "regression"), messy.signature("regression"))
    )
    # With a NULL, so that there are bits, which may begin within a byte.
    plain = [pa.array([None, *column[1:].to_pylist()], pa.float64()) for column in columns_of()]
    rows = struct_of(plain)
    expected = function(rows)
    assert expected.type == pa.float64()
    assert function(rows.slice(0, 0)).to_pylist() == []
    assert function(rows.slice(1, 3)).equals(expected.slice(1, 3))
    columns_from = [column.slice(1) for column in plain]
    assert function(struct_of(columns_from)).equals(expected.slice(1))
    assert function(struct_of(columns_from).slice(2)).equals(expected.slice(3))


@pytest.mark.parametrize("name", ["hist_gradient_boosting", "random_forest", "poisson_boosting"])
@pytest.mark.parametrize("compiled_too", [True, False])
def test_what_is_no_struct_of_doubles_is_refused(monkeypatch, name, compiled_too):
    params = {"loss": "poisson"} if name == "poisson_boosting" else {}
    kind = "hist_gradient_boosting" if params else name
    rows = messy.frame(300, 0)
    pipeline = messy.trained(kind, "regression")
    if params:
        built = messy.build(kind, "regression", params, 7, messy.SUBSETS["all"])
        pipeline = messy.fit(built, rows, np.abs(rows.seconds).fillna(1.0))
    monkeypatch.setattr(kernel_function, "_is_compiled", lambda: compiled_too)
    function = load(compiled(pipeline, messy.signature("regression")))
    whole = [pa.array([0, 1], pa.int64())] * 9
    for wrong in (
        whole,
        [*columns_of()[:-1], pa.array(["a"] * 5)],
        columns_of()[1:],
        [*columns_of(), *columns_of()],
    ):
        with pytest.raises(ValueError, match="9 columns of doubles are needed"):
            function(struct_of(wrong))


@pytest.mark.parametrize(("name", "missing"), [("hist_gradient_boosting", True), ("random_forest", False)])
def test_null_is_missing_where_no_row_is_refused_and_else_a_refused_row(name, missing):
    function = load(compiled(messy.trained(name, "regression"), messy.signature("regression")))
    null, nan = pa.array([None, 1.0], pa.float64()), pa.array([np.nan, 1.0])
    others = columns_of(rows=2)[1:]
    found, as_nan = (function(struct_of([first, *others])).to_pylist() for first in (null, nan))
    assert None not in as_nan
    assert found == (as_nan if missing else [None, as_nan[1]])


@pytest.mark.parametrize("data", [b"", b"snowml forest 1\n\0\0\0\0", b"snowml artifact 1\n"])
def test_damaged_bytes_are_a_data_error(data):
    with pytest.raises(DataError, match=r"[Tt]rain the version again"):
        load(data)


@pytest.mark.parametrize("name", ["hist_gradient_boosting", "random_forest"])
def test_the_inputs_are_written_for_snowflake_too(name):
    from sqlglot import exp, parse_one

    pipeline, sig = messy.trained(name, "regression"), messy.signature("regression")
    for text in inputs(pipeline, sig, "snowflake").columns:
        assert not list(parse_one(text, dialect="snowflake").find_all(exp.Map))
