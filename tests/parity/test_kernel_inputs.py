"""What a kernel is called with: the final estimator's inputs as SQL, against the pipeline's own preparation."""

import duckdb
import messy
import numpy as np
import pytest
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import QuantileTransformer

from snowml.names import quoted
from snowml.serving.sql.compiled import inputs
from snowml.serving.sql.expressions import Unsupported
from snowml.training.estimators import ESTIMATORS

TREES = [name for name, kind in ESTIMATORS.items() if kind.preparation != "linear"]


def asked(prepared, rows):
    with duckdb.connect() as con:
        con.register("batch", messy.arrow(rows))
        return con.execute(f"select {', '.join(prepared.columns)} from batch").fetchall()


@pytest.mark.parametrize("name", TREES)
def test_they_are_what_the_preparation_makes(name):
    pipeline, rows = messy.trained(name, "regression"), messy.adversarial()
    prepared = inputs(pipeline, messy.signature("regression"), "duckdb")
    found = asked(prepared, rows)
    refused = [answer is None for answer in messy.answers(pipeline, rows)]
    if ESTIMATORS[name].preparation == "native":
        assert prepared.null == "missing"
        assert not any(refused)
    else:
        assert prepared.null == "refused"
        assert [None in row for row in found] == refused
    kept = ~np.array(refused)
    expected = np.asarray(pipeline[:-1].transform(rows[kept]), dtype=float)
    np.testing.assert_array_equal(np.array(found, dtype=float)[kept], expected)


def test_what_no_row_is_refused_for_is_given_as_it_is():
    pipeline = messy.trained("hist_gradient_boosting", "regression", "numbers")
    prepared = inputs(pipeline, messy.signature("regression", "numbers"), "duckdb")
    assert prepared.columns == tuple(f"CAST({quoted(name, 'duckdb')} AS DOUBLE)" for name in messy.NUMBERS)


def test_a_preparation_that_is_not_written_says_so():
    rows = messy.frame(50, 0)[["plain"]].fillna(0.0)
    step = QuantileTransformer(n_quantiles=10).fit(rows)
    pipeline = Pipeline([("prepare", step), ("estimator", messy.trained("ridge", "regression")[-1])])
    with pytest.raises(Unsupported, match="QuantileTransformer is not written as SQL"):
        inputs(pipeline, messy.signature("regression", "numbers"), "duckdb")
