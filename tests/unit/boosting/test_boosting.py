"""LightGBM and XGBoost as estimators: what they are given, what is kept of them, and what is refused."""

import hashlib
import json
import sys
from functools import cache
from numbers import Real

import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from snowml.boosting.lightgbm import LightGBMClassifier, LightGBMRegressor
from snowml.boosting.xgboost import XGBoostClassifier, XGBoostRegressor
from snowml.errors import DataError, UserError
from snowml.registry.trusted import dumps, loads
from snowml.training.estimators import create

KINDS = (LightGBMClassifier, LightGBMRegressor, XGBoostClassifier, XGBoostRegressor)
SIZE = {"n_estimators": 4}


@cache
def matrix():
    rng = np.random.default_rng(0)
    found = rng.normal(size=(400, 4))
    found[:, 3] = rng.integers(0, 12, 400)
    found[rng.random(found.shape) < 0.1] = np.nan
    return found


@cache
def target():
    filled = np.nan_to_num(matrix())
    return filled[:, 0] + np.sin(filled[:, 3] * 3)


def labels(*names):
    return np.array(names)[
        np.digitize(target(), np.quantile(target(), np.arange(1, len(names)) / len(names)))
    ]


def fitted(kind, wanted=None, **params):
    wanted = (
        (labels("a", "b", "c") if "Classifier" in kind.__name__ else target()) if wanted is None else wanted
    )
    return kind(**SIZE | {"categorical_features": [3]} | params).fit(matrix(), wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_answers_is_what_the_librarys_own_estimator_answers(kind):
    import lightgbm
    import xgboost

    plain = {
        LightGBMClassifier: lambda: lightgbm.LGBMClassifier(**SIZE, n_jobs=1, verbose=-1),
        LightGBMRegressor: lambda: lightgbm.LGBMRegressor(**SIZE, n_jobs=1, verbose=-1),
        XGBoostClassifier: lambda: xgboost.XGBClassifier(**SIZE, n_jobs=1),
        XGBoostRegressor: lambda: xgboost.XGBRegressor(**SIZE, n_jobs=1),
    }[kind]()
    classes = "Classifier" in kind.__name__
    wanted = np.unique(labels("a", "b", "c"), return_inverse=True)[1] if classes else target()
    ours = fitted(kind, categorical_features=None)
    plain.fit(matrix(), wanted)
    ask = "predict_proba" if classes else "predict"
    np.testing.assert_array_equal(getattr(ours, ask)(matrix()), getattr(plain, ask)(matrix()))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_rows_make_the_same_model_and_the_seed_another(kind):
    drawn = {"subsample": 0.5} | ({"subsample_freq": 1} if "LightGBM" in kind.__name__ else {})
    one, two, other = (fitted(kind, random_state=seed, **drawn) for seed in (1, 1, 2))
    assert one.model_ == two.model_ != other.model_


@pytest.mark.parametrize("names", [(False, True), ("no", "yes"), (3, 7), ("x", "y", "z"), (1, 2, 5, 9)])
@pytest.mark.parametrize("kind", [LightGBMClassifier, XGBoostClassifier])
def test_labels_may_be_of_any_type(kind, names):
    model = fitted(kind, labels(*names))
    assert model.classes_.tolist() == sorted(names)
    shares = model.predict_proba(matrix())
    assert shares.shape == (400, len(names))
    assert (model.predict(matrix()) == model.classes_[shares.argmax(axis=1)]).all()
    assert (model.predict(matrix()) == labels(*names)).mean() > 1.2 / len(names)


@pytest.mark.parametrize("kind", KINDS)
def test_it_comes_back_from_an_artifact_without_a_pickle_and_answers_the_same(kind):
    model = fitted(kind)
    model.predict(matrix())
    data = dumps(Pipeline([("prepare", "passthrough"), ("estimator", model)]))
    again = loads(data, hashlib.sha256(data).hexdigest())[-1]
    assert again.get_params() == model.get_params()
    assert "_booster" not in vars(again)
    np.testing.assert_array_equal(again.predict(matrix()), model.predict(matrix()))


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_an_artifact_is_read_where_the_library_is_not_and_the_question_says_what_is_missing(
    name, monkeypatch
):
    model = fitted(LightGBMRegressor if name == "lightgbm" else XGBoostRegressor)
    data = dumps(Pipeline([("prepare", "passthrough"), ("estimator", model)]))
    monkeypatch.setitem(sys.modules, name, None)
    again = loads(data, hashlib.sha256(data).hexdigest())[-1]
    with pytest.raises(
        UserError, match=rf"needs the package {name}, .*: pip install '\.\[{name}\]' in its clone"
    ):
        again.predict(matrix())


def damaged(model, change):
    model.model_ = change(model.model_)
    model.__dict__.pop("_booster", None)
    data = dumps(Pipeline([("prepare", "passthrough"), ("estimator", model)]))
    with pytest.raises(DataError, match=f"{type(model).__name__} is malformed"):
        loads(data, hashlib.sha256(data).hexdigest())


def line(key, value, place=0):
    """Change one number of a line of the first tree."""

    def change(text):
        before, _, rest = text.partition(f"\n{key}=")
        old, _, after = rest.partition("\n")
        numbers = old.split()
        numbers[place] = str(value)
        return f"{before}\n{key}={' '.join(numbers)}\n{after}"

    return change


def sized(change):
    """The same, with the size of the first tree as it is then: the damage is told by itself."""

    def changed(text):
        found = change(text)
        size = text.partition("tree_sizes=")[2].split(maxsplit=1)[0]
        return found.replace(f"tree_sizes={size}", f"tree_sizes={int(size) + len(found) - len(text)}")

    return changed


@pytest.mark.parametrize(
    "change",
    [
        sized(line("left_child", 0)),
        sized(line("right_child", 10_000)),
        sized(line("left_child", -10_000)),
        sized(line("split_feature", 4)),
        sized(line("split_feature", -1)),
        sized(line("leaf_value", "")),
        sized(line("num_leaves", 1000)),
        sized(line("cat_boundaries", 500, -1)),
        sized(line("is_linear", 1)),
        line("max_feature_idx", 400),
        line("tree_sizes", 10_000_000),
        line("tree_sizes", 1),
        line("num_tree_per_iteration", 5),
        lambda text: text.replace("end of trees", ""),
        lambda text: "nothing of the kind",
    ],
)
def test_a_text_of_lightgbm_that_points_outside_itself_is_refused(change):
    model = fitted(LightGBMClassifier, min_data_per_group=5, min_child_samples=5)
    model.check()
    assert "cat_boundaries" in model.model_.split("Tree=1")[0]
    damaged(model, change)


def inside(change):
    def changed(text):
        saved = json.loads(text)
        change(saved["learner"])
        return json.dumps(saved)

    return changed


def node(key, value, place=0):
    def change(learner):
        learner["gradient_booster"]["model"]["trees"][0][key][place] = value

    return inside(change)


@pytest.mark.parametrize(
    "change",
    [
        node("left_children", 0),
        node("right_children", 10_000),
        node("split_indices", 4),
        node("split_indices", -5),
        inside(lambda learner: learner["gradient_booster"]["model"]["trees"][0]["default_left"].pop()),
        inside(lambda learner: learner["gradient_booster"]["model"]["trees"].pop()),
        inside(lambda learner: learner["gradient_booster"]["model"]["tree_info"].__setitem__(0, 3)),
        inside(lambda learner: learner["gradient_booster"]["model"]["iteration_indptr"].__setitem__(-1, 99)),
        inside(lambda learner: learner["gradient_booster"].__setitem__("name", "gblinear")),
        inside(lambda learner: learner["learner_model_param"].__setitem__("num_feature", "400")),
        lambda text: text[:-20],
        lambda text: "[]",
    ],
)
def test_a_model_of_xgboost_that_points_outside_itself_is_refused(change):
    model = fitted(XGBoostClassifier)
    model.check()
    damaged(model, change)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("categories_nodes", 10_000),
        ("categories_segments", 10_000),
        ("categories_sizes", -1),
        ("categories", -1),
    ],
)
def test_its_sets_of_categories_too(key, value):
    model = fitted(XGBoostClassifier)
    trees = json.loads(model.model_)["learner"]["gradient_booster"]["model"]["trees"]
    which = next(i for i, tree in enumerate(trees) if tree["categories_nodes"])

    def change(learner):
        learner["gradient_booster"]["model"]["trees"][which][key][0] = value

    damaged(model, inside(change))


@pytest.mark.parametrize("kind", KINDS)
def test_each_parameter_is_one_of_the_librarys_own_and_its_default_the_librarys(kind):
    import lightgbm
    import xgboost

    own = (lightgbm.LGBMRegressor if "LightGBM" in kind.__name__ else xgboost.XGBRegressor)().get_params()
    # Parameters that its scikit-learn interface passes on by name.
    passed_on = {"min_data_per_group", "max_cat_to_onehot", "cat_smooth", "cat_l2", "max_bin"}
    passed_on |= {"alpha", "tweedie_variance_power", "huber_slope"}
    for name, value in kind().get_params().items():
        if name in ("categorical_features", "random_state") or name in passed_on:
            continue
        assert own[name] in (value, None), name
    kind()._validate_params()
    kind().set_params(
        **{n: v for n, v in kind().get_params().items() if isinstance(v, Real)}
    )._validate_params()


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_a_missing_library_is_one_sentence_with_what_to_install(name, monkeypatch):
    monkeypatch.setattr("snowml.boosting.base.find_spec", lambda _: None)
    with pytest.raises(
        UserError, match=rf"^The estimator '{name}' needs .*pip install '\.\[{name}\]' in its clone.$"
    ):
        create(name, "regression", {}, 0)


@pytest.mark.parametrize("kind", [LightGBMRegressor, XGBoostRegressor])
def test_what_the_library_refuses_is_told_in_one_line(kind, capfd):
    objective = {LightGBMRegressor: "poisson", XGBoostRegressor: "count:poisson"}[kind]
    with pytest.raises(DataError, match=r"^\w+ cannot be trained on this: .*negative[^\n]*$"):
        fitted(kind, target() - 100, objective=objective)
