"""The Snowflake text of a linear model, read and compared; not run."""

import messy
import numpy as np
import pandas as pd
import pytest
from sqlglot import exp, parse_one

from snowml.records import Feature, Signature
from snowml.serving.sql.compiled import score as expression
from snowml.training.pipeline import build, fit

GOLDEN = """
1.0e0 / (1.0e0 + EXP(LEAST(-(0.0625e0 + ((
CASE WHEN ABS(CAST("DELAY" AS DOUBLE)) <= 1.7976931348623157e+308 THEN CAST("DELAY" AS DOUBLE)
WHEN CAST("DELAY" AS DOUBLE) IS NULL OR CAST("DELAY" AS DOUBLE) = CAST('NaN' AS DOUBLE) THEN 2.0e0 END
- 2.0e0) / 1.5e0 * (-0.25e0)
+ CASE WHEN CAST("Town" AS VARCHAR) IS NULL THEN 0.5e0
ELSE CASE CAST("Town" AS VARCHAR) WHEN 'O\\'Hare' THEN 1.0e0 ELSE 0.0e0 END END
)), 700.0e0)))
"""


def test_a_small_model_in_full():
    features = (Feature(name="delay", kind="number"), Feature(name="Town", kind="category"))
    rows = pd.DataFrame({"delay": [1.0, 2.0, 3.0, 2.0], "Town": np.array(["O'Hare", None] * 2, dtype=object)})
    pipeline = build("logistic_regression", "classification", {}, 0, features)
    fit(pipeline, rows, np.array([0, 1, 1, 0]))
    scaler = pipeline[0].named_transformers_["numbers"][-1]
    scaler.mean_, scaler.scale_ = np.array([2.0]), np.array([1.5])
    pipeline[-1].coef_, pipeline[-1].intercept_ = np.array([[-0.25, 1.0, 0.5]]), np.array([0.0625])
    sig = Signature(
        features=features, entity=("id",), as_of="t", task="classification",
        label_type="NUMBER", classes=(0, 1), positive=1,
    )  # fmt: skip
    golden = GOLDEN.strip().replace("(\n", "(").replace("\n)", ")").replace("\n", " ")
    assert expression(pipeline, sig, "snowflake") == golden


@pytest.mark.parametrize(
    ("name", "task"), [("ridge", "regression"), ("logistic_regression", "classification")]
)
def test_it_parses_and_keeps_every_category(name, task):
    pipeline = messy.trained(name, task)
    tree = parse_one(expression(pipeline, messy.signature(task), "snowflake"), dialect="snowflake")
    assert not list(tree.find_all(exp.Map))
    texts = {literal.this for literal in tree.find_all(exp.Literal) if literal.is_string}
    assert {city for city in messy.CITIES if city is not None} <= texts
    # A category that never varies has weights of exactly zero where the solver is exact, and is left out.
    named = {column.name for column in tree.find_all(exp.Column)}
    assert {name.upper() for name in messy.NUMBERS + messy.CATEGORIES} - named <= {"SINGLE", "ABSENT"}
