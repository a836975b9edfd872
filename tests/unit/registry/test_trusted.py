import hashlib
import io
import json
import zipfile
from contextlib import suppress
from functools import cache, partial

import numpy as np
import pandas as pd
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.linear_model import Ridge
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
)
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.validation import check_array

from snowml.errors import DataError
from snowml.records import Feature, Signature
from snowml.registry.trusted import MAGIC, Artifact, dumps, loads
from snowml.training.estimators import names_for
from snowml.training.pipeline import build, fit

FEATURES = (Feature(name="x", kind="number"), Feature(name="c", kind="category"))
CASES = [(name, task) for task in ("classification", "regression") for name in names_for(task)]
SMALL = {"n_estimators": 3}
PARAMS = {
    "random_forest": SMALL,
    "extra_trees": SMALL,
    "gradient_boosting": SMALL,
    "hist_gradient_boosting": {"max_iter": 4},
    "lightgbm": SMALL | {"min_child_samples": 5},
    "xgboost": SMALL,
}
LOSSES = [
    ("hist_gradient_boosting", loss) for loss in ("absolute_error", "gamma", "poisson", "squared_error")
] + [("gradient_boosting", loss) for loss in ("absolute_error", "huber", "quantile")]


def rows(n=120, seed=0):
    rng = np.random.default_rng(seed)
    x = np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n))
    return pd.DataFrame({"x": x, "c": rng.choice(np.array(["a", "é", "", None], dtype=object), n)})


def train(name, task, **params):
    target = rows().x.fillna(0.4).abs() + (rows().c == "a") + 0.01
    label = target > 0.9 if task == "classification" else target
    pipeline = build(name, task, PARAMS.get(name, {}) | params, 1, FEATURES)
    return fit(pipeline, rows(), label)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def reload(pipeline):
    data = dumps(pipeline)
    return loads(data, digest(data))


def signature():
    return Signature(features=FEATURES, entity=("id",), as_of="t", task="regression", label_type="DOUBLE")


@cache
def stored_pipeline():
    return dumps(train("hist_gradient_boosting", "regression"))


@cache
def stored():
    return Artifact(signature(), train("ridge", "regression")).dumps()


@pytest.mark.parametrize(("name", "task"), CASES)
def test_every_estimator_comes_back_the_same_to_the_bit(name, task):
    pipeline, fresh = train(name, task), rows(300, seed=5)
    back = reload(pipeline)
    np.testing.assert_array_equal(back.predict(fresh), pipeline.predict(fresh))
    if task == "classification":
        np.testing.assert_array_equal(back.predict_proba(fresh), pipeline.predict_proba(fresh))


@pytest.mark.parametrize(("name", "loss"), LOSSES)
def test_every_loss_comes_back(name, loss):
    pipeline = train(name, "regression", loss=loss)
    np.testing.assert_array_equal(reload(pipeline).predict(rows()), pipeline.predict(rows()))


def test_a_calibrated_model_comes_back_and_its_inner_trees_are_checked():
    numbers = rows()[["x"]].fillna(0.0)
    label = numbers.x > 0.1
    for method in ("sigmoid", "isotonic"):
        inner = DecisionTreeClassifier(max_depth=3)
        model = CalibratedClassifierCV(inner, method=method, cv=2)
        pipeline = Pipeline([("prepare", MinMaxScaler()), ("estimator", model)]).fit(numbers, label)
        np.testing.assert_array_equal(
            reload(pipeline).predict_proba(numbers), pipeline.predict_proba(numbers)
        )
        pipeline[-1].calibrated_classifiers_[1].estimator.tree_.children_left[0] = 1000
        with pytest.raises(DataError, match="out of range"):
            reload(pipeline)


@pytest.mark.parametrize(
    "step",
    [
        PowerTransformer(),
        RobustScaler(),
        KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"),
        PolynomialFeatures(2),
        FunctionTransformer(np.log1p),
        SelectKBest(f_regression, k=1),
        FeatureUnion([("one", MaxAbsScaler()), ("two", Binarizer())]),
    ],
)
def test_every_preparation_comes_back(step):
    numbers = rows()[["x"]].fillna(0.0).abs()
    pipeline = Pipeline([("prepare", step), ("estimator", Ridge())]).fit(numbers, numbers.x)
    np.testing.assert_array_equal(reload(pipeline).predict(numbers), pipeline.predict(numbers))


def test_labels_of_any_type_come_back():
    for classes in (np.array([0, 1]), np.array(["no", "ja"]), np.array(["no", "ja"], dtype=object)):
        pipeline = build("hist_gradient_boosting", "classification", {"max_iter": 2}, 1, FEATURES)
        fit(pipeline, rows(), classes[(rows().x > 0).astype(int)])
        assert reload(pipeline).classes_.tolist() == sorted(classes.tolist())


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_changed_byte_is_refused(data):
    whole = stored()
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DataError, match="not the one that was registered"):
        Artifact.loads(bytes(changed), digest(whole))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_damaged_artifact_is_a_data_error_or_still_reads(data):
    whole = stored()
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(DataError):
        Artifact.loads(bytes(changed))


def test_an_artifact_holds_its_signature():
    artifact = Artifact(signature(), train("ridge", "regression"))
    data = artifact.dumps()
    back = Artifact.loads(data, digest(data))
    assert data.startswith(MAGIC)
    assert back.signature == artifact.signature
    np.testing.assert_array_equal(back.pipeline.predict(rows()), artifact.pipeline.predict(rows()))
    with pytest.raises(DataError, match="registered"):
        Artifact.loads(data, digest(b""))


@pytest.mark.parametrize(
    "data", [b"", b"pickle", MAGIC, MAGIC + b"\0\0\0\x02{}", MAGIC + b"\xff\xff\xff\xff"]
)
def test_other_bytes_are_no_artifact(data):
    with pytest.raises(DataError):
        Artifact.loads(data)


FOREIGN = [
    (Pipeline([("prepare", None), ("estimator", KMeans())]), "KMeans"),
    (Pipeline([("prepare", FunctionTransformer(np.tan)), ("estimator", None)]), "numpy.tan"),
    (Pipeline([("prepare", FunctionTransformer(eval)), ("estimator", None)]), "builtins.eval"),
    (Pipeline([("prepare", {1, 2}), ("estimator", None)]), "builtins.set"),
    (Pipeline([("prepare", FunctionTransformer(partial(check_array, 1))), ("estimator", None)]), "partial"),
    (
        Pipeline([("prepare", FunctionTransformer(partial(check_array, copy=1))), ("estimator", None)]),
        "partial",
    ),
    (Pipeline([("prepare", KMeans().fit_predict), ("estimator", None)]), "KMeans"),
    (Pipeline([("one", None)]), "not a pipeline"),
    ([1, 2], "not a pipeline"),
]


@pytest.mark.parametrize(("thing", "message"), FOREIGN)
def test_a_foreign_type_is_refused_by_name(thing, message):
    data = skops.io.dumps(thing)
    with pytest.raises(DataError, match=message):
        loads(data, digest(data))


def test_nothing_is_constructed_before_the_audit(monkeypatch):
    data = skops.io.dumps(Pipeline([("prepare", None), ("estimator", KMeans())]))
    monkeypatch.setattr(skops.io, "loads", lambda *_args, **_kw: pytest.fail("constructed"))
    with pytest.raises(DataError, match="KMeans"):
        loads(data, digest(data))


def with_schema(data, change):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, json.dumps(change(json.loads(text))) if name == "schema.json" else text)
    return out.getvalue()


def places(schema, place=()):
    """Where every value of a nested document stands."""
    if place:
        yield place
    if isinstance(schema, dict | list):
        for key in schema if isinstance(schema, dict) else range(len(schema)):
            yield from places(schema[key], (*place, key))


# A changed version of scikit-learn in it reads, with a warning.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_malformed_schema_is_a_data_error_or_still_reads(data):
    def change(schema):
        *path, last = data.draw(st.sampled_from(list(places(schema))))
        inner = schema
        for key in path:
            inner = inner[key]
        inner[last] = data.draw(st.sampled_from([None, [], {}, "x", 5, "[1, 2]"]))
        return schema

    changed = with_schema(stored_pipeline(), change)
    with suppress(DataError):
        loads(changed, digest(changed))


def test_another_version_of_the_format_is_refused():
    older = with_schema(dumps(train("ridge", "regression")), lambda schema: schema | {"protocol": 1})
    with pytest.raises(DataError, match="does not know"):
        loads(older, digest(older))
