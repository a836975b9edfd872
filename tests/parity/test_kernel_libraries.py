"""The kernel against the libraries whose trees it scores, bit for bit, on data and on the edges of each model."""

from functools import cache

import numpy as np
import pytest
from forests import columns, edges
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import is_classifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from snowml.kernel import blob
from snowml.kernel.masks import Masks
from snowml.kernel.plain import Plain
from snowml.kernel.scorer import Scorer
from snowml.kernel.walk import Walk
from snowml.serving.forest import Unsupported, export

# A column of 12 categories, one of 3, and five of numbers, of which one is rounded and one huge.
CATEGORIES = [5, 6]
TARGETS = ("number", "positive", "binary", "classes", "many")


@cache
def rows(seed, count=400, missing=True):
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(count, 7))
    found[:, 1], found[:, 2] = np.round(found[:, 1], 1), found[:, 2] * 1e30
    found[:, 5], found[:, 6] = rng.integers(0, 12, count), rng.integers(0, 3, count)
    if missing:
        found[rng.random(found.shape) < 0.1] = np.nan
    return found


@cache
def target(kind, seed, missing=True):
    filled = np.nan_to_num(rows(seed, missing=missing))
    noise = np.random.default_rng(seed + 1).normal(size=len(filled)) * 0.3
    number = filled[:, 0] + np.sin(filled[:, 5] * 5) + (filled[:, 6] == 1) * filled[:, 1] + noise
    if kind == "positive":
        return np.abs(number) + 0.01
    classes = {"binary": 2, "classes": 3, "many": 9}.get(kind)
    return (
        number
        if classes is None
        else np.digitize(number, np.quantile(number, np.arange(1, classes) / classes))
    )


HGB = {"max_iter": 6, "min_samples_leaf": 4}
SMALL = {"n_estimators": 6}
SKLEARN = [
    *((HistGradientBoostingClassifier, HGB | more, kind, True) for kind in ("binary", "classes", "many")
      for more in ({}, {"categorical_features": CATEGORIES},
                   {"categorical_features": CATEGORIES, "max_leaf_nodes": 120})),
    *((HistGradientBoostingRegressor, HGB | {"loss": loss, "categorical_features": CATEGORIES}, "positive", True)
      for loss in ("squared_error", "absolute_error", "poisson", "gamma")),
    (HistGradientBoostingRegressor, HGB | {"loss": "quantile", "quantile": 0.3}, "number", True),
    *((GradientBoostingClassifier, SMALL, kind, False) for kind in ("binary", "classes", "many")),
    (GradientBoostingClassifier, SMALL | {"loss": "exponential"}, "binary", False),
    (GradientBoostingClassifier, SMALL | {"init": "zero"}, "classes", False),
    *((GradientBoostingRegressor, SMALL | {"loss": loss, "max_depth": depth}, "number", False)
      for loss, depth in (("squared_error", 9), ("absolute_error", 3), ("huber", 3), ("quantile", 3))),
    *((kind, SMALL | {"n_jobs": 1} | more, wanted, True)
      for more in ({}, {"max_depth": 4})
      for kind, wanted in ((RandomForestClassifier, "binary"), (ExtraTreesClassifier, "many"),
                           (RandomForestRegressor, "number"), (ExtraTreesRegressor, "number"))),
    (RandomForestRegressor, SMALL | {"criterion": "poisson"}, "positive", True),
    (RandomForestRegressor, SMALL | {"criterion": "absolute_error"}, "number", False),
    (DecisionTreeClassifier, {}, "classes", True),
    (DecisionTreeRegressor, {"max_leaf_nodes": 20}, "number", True),
]  # fmt: skip


def named(case):
    return f"{case[0].__name__}-{case[2]}-{len(case[1])}"


@cache
def fitted(index, seed):
    kind, params, wanted, missing = SKLEARN[index]
    seeded = kind(random_state=seed, **params)
    return seeded.fit(rows(seed, missing=missing), target(wanted, seed, missing))


def engines(forest):
    return [Plain, Walk, *([Masks] if Masks.takes(forest) else [])]


def asked(model, batch):
    """The library's answers, (answers, rows)."""
    with np.errstate(over="ignore"):
        return (
            model.predict_proba(batch).T if is_classifier(model) else np.asarray(model.predict(batch))[None]
        )


def scored(model, batch):
    """The library's raw scores, or None where it has none."""
    raw = getattr(model, "decision_function", None)
    return None if raw is None else raw(batch).reshape(len(batch), -1).T


def accepted(model, batch):
    """Which rows scikit-learn takes, by asking it one at a time."""
    found = np.ones(len(batch), dtype=bool)
    for i in range(len(batch)):
        try:
            with np.errstate(over="ignore"):
                model.predict(batch[i : i + 1])
        except ValueError:
            found[i] = False
    return found


@pytest.mark.parametrize("index", range(len(SKLEARN)), ids=map(named, SKLEARN))
def test_scikit_learn_to_the_bit(index):
    model = fitted(index, 0)
    forest = blob.loads(blob.dumps(export(model)))
    batch = edges(forest, rows(1, 200, SKLEARN[index][3]), most=25)
    scorer = Scorer(forest)
    refused = scorer.refused(columns(batch))
    taken = np.ones(len(batch), dtype=bool) if refused is None else ~refused
    odd = ~taken | (np.abs(batch) > 3e38).any(axis=1) | np.isnan(batch).any(axis=1)
    suspect = np.random.default_rng(0).permutation(np.flatnonzero(odd))[:60]
    np.testing.assert_array_equal(taken[suspect], accepted(model, batch[suspect]))
    batch = batch[taken]
    assert len(batch) > 300
    expected, raw = asked(model, batch), scored(model, batch)
    for engine in engines(forest):
        found = Scorer(forest, engine)
        np.testing.assert_array_equal(found.answers(columns(batch)), expected)
        if raw is not None:
            np.testing.assert_array_equal(found.raw(columns(batch)), raw)


@settings(max_examples=12)
@given(st.integers(0, len(SKLEARN) - 1), st.integers(2, 2**20))
def test_whatever_was_trained(index, seed):
    model = fitted.__wrapped__(index, seed)
    forest = export(model)
    batch = edges(forest, rows(seed + 1, 50, SKLEARN[index][3]), seed, most=15)
    refused = Scorer(forest).refused(columns(batch))
    batch = batch if refused is None else batch[~refused]
    for engine in engines(forest):
        np.testing.assert_array_equal(Scorer(forest, engine).answers(columns(batch)), asked(model, batch))


@pytest.mark.parametrize("column", [0, 1])
def test_the_picked_answer_is_that_of_the_class(column):
    for index, case in enumerate(SKLEARN):
        if case[2] == "binary":
            model = fitted(index, 0)
            batch = rows(1, 200, missing=case[3])
            found = Scorer(export(model, column)).predict(columns(batch))
            np.testing.assert_array_equal(found, model.predict_proba(batch)[:, column])


def test_a_flipped_comparison_is_seen():
    for index in (0, SKLEARN.index(next(case for case in SKLEARN if case[0] is GradientBoostingClassifier))):
        model = fitted(index, 0)
        right = export(model)
        wrong = type(right)(**{name: getattr(right, name) for name in right.__slots__} | {"strict": True})
        batch = edges(right, rows(1, 200, missing=False))
        batch = batch[~np.isnan(batch).any(axis=1) & (np.abs(batch) < 3e38).all(axis=1)]
        for engine in engines(right):
            assert (Scorer(wrong, engine).answers(columns(batch)) != asked(model, batch)).any()


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (LinearRegression(), "LinearRegression is not a tree ensemble"),
        (
            GradientBoostingRegressor(init=DecisionTreeRegressor(), n_estimators=2),
            "first guess is a DecisionTreeRegressor",
        ),
        (RandomForestRegressor(n_estimators=2), "several targets"),
    ],
)
def test_what_is_not_supported_says_why(model, says):
    wanted = target("number", 0, missing=False)
    batch = rows(0, missing=False)
    model.fit(batch, np.column_stack([wanted, wanted]) if "targets" in says else wanted)
    with pytest.raises(Unsupported, match=says):
        export(model)


@pytest.mark.parametrize(
    ("value", "says"), [(-1.0, "from 0 to 4095"), (0.5, "not integers"), (5000.0, "4095")]
)
def test_categories_that_are_no_small_integers_are_not_supported(value, says):
    batch = rows(0).copy()
    batch[:200, 5] = value
    model = HistGradientBoostingRegressor(categorical_features=CATEGORIES, **HGB).fit(
        batch, target("number", 0)
    )
    with pytest.raises(Unsupported, match=says):
        export(model)


LGBM = {"n_estimators": 6, "min_child_samples": 4, "n_jobs": 1, "verbose": -1}
LIGHTGBM = [
    ("LGBMClassifier", {}, "binary", True),
    ("LGBMClassifier", {"num_leaves": 100}, "classes", True),
    ("LGBMClassifier", {"objective": "multiclassova"}, "many", False),
    ("LGBMClassifier", {"sigmoid": 0.7}, "binary", False),
    *(("LGBMRegressor", {"objective": name}, "positive", name == "poisson")
      for name in ("regression", "l1", "huber", "quantile", "poisson", "gamma", "tweedie")),
]  # fmt: skip


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize(("name", "params", "wanted", "categorical"), LIGHTGBM)
def test_lightgbm_to_the_bit(name, params, wanted, categorical, missing):
    library = pytest.importorskip("lightgbm")
    model = getattr(library, name)(**LGBM | params)
    names = CATEGORIES if categorical else "auto"
    model.fit(rows(0, missing=missing), target(wanted, 0, missing), categorical_feature=names)
    forest = blob.loads(blob.dumps(export(model)))
    batch = edges(forest, rows(1, 200), most=25)
    assert Scorer(forest).refused(columns(batch)) is None
    raw = np.asarray(model.predict(batch, raw_score=True)).reshape(len(batch), -1).T
    for engine in engines(forest):
        np.testing.assert_array_equal(Scorer(forest, engine).raw(columns(batch)), raw)
        np.testing.assert_array_equal(Scorer(forest, engine).answers(columns(batch)), asked(model, batch))


XGB = {"n_estimators": 6, "n_jobs": 1}
XGBOOST = [
    ("XGBClassifier", {}, "binary", False),
    ("XGBClassifier", {"max_cat_to_onehot": 2}, "binary", True),
    ("XGBClassifier", {"max_depth": 9}, "classes", True),
    ("XGBRegressor", {"tree_method": "exact", "num_parallel_tree": 2}, "number", False),
    *(("XGBRegressor", {"objective": name}, "positive", False)
      for name in ("reg:absoluteerror", "reg:pseudohubererror", "count:poisson", "reg:gamma", "reg:tweedie")),
]  # fmt: skip


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize(("name", "params", "wanted", "categorical"), XGBOOST)
def test_xgboost_to_the_bit(name, params, wanted, categorical, missing):
    library = pytest.importorskip("xgboost")
    kinds = ["c" if categorical and i in CATEGORIES else "q" for i in range(7)]
    model = getattr(library, name)(feature_types=kinds, enable_categorical=categorical, **XGB | params)
    model.fit(rows(0, missing=missing), target(wanted, 0, missing))
    forest = blob.loads(blob.dumps(export(model)))
    batch = edges(forest, rows(1, 200), most=25)
    assert Scorer(forest).refused(columns(batch)) is None
    with np.errstate(over="ignore"):
        raw = np.asarray(model.predict(batch, output_margin=True)).reshape(len(batch), -1).T
    for engine in engines(forest):
        np.testing.assert_array_equal(Scorer(forest, engine).raw(columns(batch)), raw)
        np.testing.assert_array_equal(Scorer(forest, engine).answers(columns(batch)), asked(model, batch))


def test_xgboost_with_more_thresholds_than_a_byte_has_values():
    library = pytest.importorskip("xgboost")
    model = library.XGBRegressor(n_estimators=12, max_depth=6, max_bin=2000, n_jobs=1)
    batch = np.random.default_rng(0).normal(size=(4000, 1))
    model.fit(batch, np.sin(batch[:, 0] * 9))
    forest = export(model)
    assert len(np.unique(forest.threshold[forest.feature == 0])) > 255
    batch = edges(forest, batch[:200], most=400)
    raw = model.predict(batch, output_margin=True)[None]
    for engine in engines(forest):
        np.testing.assert_array_equal(Scorer(forest, engine).raw(columns(batch)), raw)


def test_trees_after_the_best_one_are_left_out():
    lightgbm, xgboost = pytest.importorskip("lightgbm"), pytest.importorskip("xgboost")
    batch, wanted = rows(0), target("binary", 0)
    unlike, labels = rows(5), np.random.default_rng(0).permutation(target("binary", 5))
    stop = lightgbm.early_stopping(2, verbose=False)
    first = lightgbm.LGBMClassifier(**LGBM | {"n_estimators": 40})
    first.fit(batch, wanted, eval_X=unlike, eval_y=labels, callbacks=[stop])
    second = xgboost.XGBClassifier(early_stopping_rounds=2, **XGB | {"n_estimators": 40})
    second.fit(batch, wanted, eval_set=[(unlike, labels)], verbose=False)
    for model, best in ((first, first.best_iteration_), (second, second.best_iteration + 1)):
        forest = export(model)
        assert len(forest.output) == best < 40
        np.testing.assert_array_equal(Scorer(forest).answers(columns(batch)), asked(model, batch))


@pytest.mark.parametrize(
    ("module", "name", "params", "says"),
    [
        (
            "lightgbm",
            "LGBMRegressor",
            {"boosting_type": "rf", "subsample": 0.5, "subsample_freq": 1},
            "averaged",
        ),
        ("lightgbm", "LGBMRegressor", {"linear_tree": True}, "linear models"),
        ("lightgbm", "LGBMRegressor", {"zero_as_missing": True}, "zeros for missing"),
        ("lightgbm", "LGBMRegressor", {"reg_sqrt": True}, "objective is 'regression sqrt'"),
        ("xgboost", "XGBRegressor", {"booster": "dart"}, "booster is 'dart'"),
        (
            "xgboost",
            "XGBRegressor",
            {"objective": "reg:squaredlogerror"},
            "objective is 'reg:squaredlogerror'",
        ),
        ("xgboost", "XGBRegressor", {"missing": 0.0}, "0.0 for missing"),
    ],
)
def test_what_is_not_supported_of_the_other_libraries(module, name, params, says):
    library = pytest.importorskip(module)
    model = getattr(library, name)(**(LGBM if module == "lightgbm" else XGB) | params)
    model.fit(rows(0, missing=False), target("positive", 0, missing=False))
    with pytest.raises(Unsupported, match=says):
        export(model)
