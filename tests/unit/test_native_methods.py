"""The methods of a native model: what scikit-learn answers, and NULL for a row that it refuses."""

import numpy as np
import pandas as pd
import pytest

from snowml.records import Feature, Signature
from snowml.registry.trusted import Artifact
from snowml.serving import native
from snowml.training.pipeline import build, fit

FEATURES = (Feature(name="x", kind="number"), Feature(name="town", kind="category"))
FRAME = pd.DataFrame(
    {"x": np.arange(60.0) % 7, "town": np.array(["a", "b", None, "c", "d"] * 12, dtype=object)}
)


@pytest.mark.parametrize("estimator", ["logistic_regression", "random_forest"])
@pytest.mark.parametrize("labels", [("down", "same", "up"), (1, 2, 5), ("no", "yes")])
def test_each_row_gets_the_label_that_scikit_learn_gives_it(estimator, labels):
    target = np.array([labels[int(x) % len(labels)] for x in FRAME["x"]], dtype=object)
    target = target.astype(type(labels[0]) if isinstance(labels[0], int) else object)
    params = {"n_estimators": 3} if estimator == "random_forest" else {}
    pipeline = fit(build(estimator, "classification", params, 0, FEATURES), FRAME, target)
    signature = Signature(
        features=FEATURES,
        entity=("id",),
        as_of="as_of",
        task="classification",
        label_type="varchar",
        classes=labels,
        positive=labels[1] if len(labels) == 2 else None,
    )
    methods = native.load(Artifact(signature, pipeline).dumps())
    assert list(methods) == [method.name for method in native.methods_of(signature)]
    rows = pd.concat(
        [FRAME, pd.DataFrame({"x": [np.inf, np.nan], "town": [None, "never seen"]})], ignore_index=True
    )
    answers = methods["predict"](rows)
    assert answers[:60].tolist() == pipeline.predict(FRAME).tolist()
    assert answers.isna().tolist() == [False] * 60 + [True, False]
    assert methods["predict"](rows[60:61]).isna().all()
