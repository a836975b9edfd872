import numpy as np
import pandas as pd
import pytest

from snowml.errors import DataError, UserError
from snowml.records import Feature
from snowml.training.estimators import ESTIMATORS, names_for
from snowml.training.pipeline import build, fit

NUMBERS = [Feature(name=name, kind="number") for name in ("x", "constant", "empty")]
CATEGORIES = [Feature(name=name, kind="category") for name in ("city", "single", "absent")]
CASES = [(name, task) for task in ("classification", "regression") for name in names_for(task)]
SMALL = {"n_estimators": 3}
PARAMS = {"random_forest": SMALL, "extra_trees": SMALL, "gradient_boosting": SMALL}


def rows(n=80):
    x = np.arange(n, dtype=float)
    x[::9] = np.nan
    return pd.DataFrame(
        {
            "absent": np.full(n, None, dtype=object),
            "city": np.array([["a", "b", None, ""][i % 4] for i in range(n)], dtype=object),
            "constant": 3.0,
            "empty": np.nan,
            "single": np.full(n, "one", dtype=object),
            "x": x,
        }
    )


def target(task, n=80):
    return np.arange(n) % 4 > 1 if task == "classification" else np.arange(n) % 4 * 1.0 + 0.5


@pytest.mark.parametrize("features", [NUMBERS, CATEGORIES, CATEGORIES + NUMBERS], ids=["n", "c", "both"])
@pytest.mark.parametrize(("name", "task"), CASES)
def test_it_learns_from_whatever_columns_there_are(name, task, features):
    pipeline = fit(build(name, task, PARAMS.get(name, {}), 1, features), rows(), target(task))
    unseen = rows().assign(city="elsewhere", absent="now", empty=1.0, x=np.nan)
    assert np.isfinite(pipeline.predict(unseen).astype(float)).all()
    again = fit(build(name, task, PARAMS.get(name, {}), 1, features), rows(), target(task))
    assert (pipeline.predict(rows()) == again.predict(rows())).all()
    if task == "classification":
        assert list(pipeline.classes_) == [False, True]


def test_columns_come_out_numbers_first_in_their_order():
    pipeline = fit(build("decision_tree", "regression", {}, 1, CATEGORIES + NUMBERS), rows(), target("r"))
    matrix = pipeline[:-1].transform(rows())
    assert matrix.shape == (80, 6)
    assert matrix[1, :3].tolist() == [1.0, 3.0, 0.0]
    assert matrix[:4, 3].tolist() == [1.0, 2.0, -1.0, 0.0]  # "" is a category, None is not


def test_hist_gradient_boosting_sees_missing_and_unseen_alike():
    pipeline = fit(build("hist_gradient_boosting", "regression", {}, 1, CATEGORIES), rows(), target("r"))
    assert np.isnan(pipeline[:-1].transform(rows())[2, 0])
    assert np.isnan(pipeline[:-1].transform(rows().assign(city="new"))[0, 0])
    assert pipeline[-1].is_categorical_.all()


@pytest.mark.parametrize("params", [{}, {"max_bins": 16}])
def test_hist_gradient_boosting_takes_more_categories_than_bins(params):
    many = pd.DataFrame({"city": [f"c{i % 400}" for i in range(2000)]}, dtype=object)
    pipeline = build("hist_gradient_boosting", "regression", params | {"max_iter": 2}, 1, CATEGORIES[:1])
    fit(pipeline, many, np.arange(2000.0))
    assert len(np.unique(pipeline[:-1].transform(many))) == params.get("max_bins", 255)


def test_a_bad_value_is_said_in_the_words_of_scikit_learn():
    pipeline = build("ridge", "regression", {"alpha": -1.0}, 1, NUMBERS)
    with pytest.raises(UserError, match=r"'alpha' parameter of Ridge must be .* Got -1.0"):
        fit(pipeline, rows(), target("r"))


def test_no_features_are_refused():
    with pytest.raises(DataError, match="no features"):
        build("ridge", "regression", {}, 1, [])


def test_every_estimator_is_covered():
    assert {name for name, _ in CASES} == set(ESTIMATORS)
