"""Where a library's trees split, and how a row comes there: read apart from what exports the trees, and the same."""

from collections import Counter

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor
from xgboost import XGBClassifier, XGBRegressor

from snowml.kernel.forest import Forest
from snowml.serving.forest import export
from snowml.workflows.certificate.adversarial import _within
from snowml.workflows.certificate.splits import CATEGORIES, is_narrow, trees

CODED = [3]  # The last column holds codes.
MODELS = {
    "histogram": HistGradientBoostingRegressor(max_iter=5),
    "histogram of codes": HistGradientBoostingClassifier(max_iter=5, categorical_features=CODED),
    "forest": RandomForestClassifier(3, random_state=0),
    "extra trees": ExtraTreesRegressor(3, random_state=0),
    "boosting": GradientBoostingClassifier(n_estimators=3),
    "tree": DecisionTreeRegressor(),
    "lightgbm": LGBMRegressor(n_estimators=5, verbose=-1),
    "lightgbm of codes": LGBMClassifier(n_estimators=5, verbose=-1),
    "xgboost": XGBRegressor(n_estimators=5),
    "xgboost of codes": XGBClassifier(
        n_estimators=5, enable_categorical=True, feature_types=["q", "q", "q", "c"], max_cat_to_onehot=1
    ),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 4))
    rows[:, 3] = rng.integers(0, 9, 500)
    target = rows[:, 0] + np.sin(rows[:, 1]) + (rows[:, 3] % 3) + rng.normal(size=500) * 0.1
    estimator = MODELS[request.param]
    coded = {"categorical_feature": CODED} if request.param == "lightgbm of codes" else {}
    return estimator.fit(rows, target > 1 if hasattr(estimator, "predict_proba") else target, **coded)


def exported(forest: Forest) -> Counter:
    inner = np.flatnonzero((forest.feature >= 0) & (forest.sets < 0))
    return Counter(zip(forest.feature[inner].tolist(), forest.threshold[inner].tolist(), strict=True))


def test_they_are_those_that_are_exported(model):
    found = [path for tree in trees(model) for path in tree.paths()]
    forest = export(model, 0)
    assert Counter((path.column, path.threshold) for path in found) == exported(forest)
    assert sum((tree.column == CATEGORIES).sum() for tree in trees(model)) == (forest.sets >= 0).sum()
    assert is_narrow(model) == forest.single


def test_a_row_within_a_paths_bounds_comes_to_its_test(model):
    for tree in trees(model):
        if CATEGORIES in tree.column:
            continue
        for path in tree.paths():
            row = np.zeros(4)
            for column, (low, high) in path.bounds.items():
                row[column] = _within(np.zeros(1), low, high, narrow=is_narrow(model))[0]
            node, seen = 0, []
            while tree.column[node] >= 0:
                seen.append((int(tree.column[node]), float(tree.threshold[node])))
                child = tree.left if row[tree.column[node]] < tree.threshold[node] else tree.right
                node = int(child[node])
            assert (path.column, path.threshold) in seen


def test_a_model_without_trees_splits_nothing():
    assert list(trees(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]))) == []
