"""What features contribute adds up to the raw score: of every estimator, and NULL where the prediction is."""

import duckdb
import messy
import numpy as np
import pytest
from scipy.special import logit
from served import served
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from snowml.records import Feature, Signature
from snowml.registry.trusted import Artifact
from snowml.serving.flavors import choose
from snowml.training.estimators import ESTIMATORS

CASES = [
    (name, task)
    for name, kind in ESTIMATORS.items()
    for task, able in (("classification", kind.classifier), ("regression", kind.regressor))
    if able
]
AVERAGED = ("random_forest", "extra_trees", "decision_tree")
LOGARITHMIC = ("poisson", "gamma")


def explained(pipeline, signature, rows, subset="all"):
    flavor = choose(Artifact(signature, pipeline), "duckdb")
    proba = "predict_m_proba" if signature.task == "classification" else "predict_m"
    with served(pipeline, signature, flavor) as ask:
        return ask(messy.arrow(rows, subset), "explain_m({arguments})", proba + "({arguments})")


def raw(answers, name, task):
    if task == "classification" and name not in AVERAGED:
        return logit(answers)
    return np.log(answers) if name in LOGARITHMIC else answers


@pytest.mark.parametrize(("name", "task"), CASES)
def test_contributions_and_base_are_the_raw_score(name, task):
    pipeline, rows = messy.trained(name, task), messy.frame(300, 1)
    found = explained(pipeline, messy.signature(task), rows)
    sums = np.array([sum(row.values()) for row, _ in found])
    wanted = raw(messy.bulk(pipeline, rows), name, task)
    # XGBoost adds in float32, and gives its probability in it.
    np.testing.assert_allclose(
        sums, wanted, **({"atol": 2e-5} if name == "xgboost" else {"atol": 1e-9, "rtol": 1e-9})
    )
    assert list(found[0][0]) == [*messy.NUMBERS, *messy.CATEGORIES, "_base"]
    # A column of one value can tell nothing, so no model uses it.
    assert {row["constant"] for row, _ in found} == {0.0}
    told = {tuple(row.values()) for row, _ in found}
    assert (len(told) > 1) == (len(set(wanted.tolist())) > 1)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_a_row_without_a_prediction_has_no_explanation(name, task):
    pipeline, rows = messy.trained(name, task), messy.adversarial()
    for contributions, answer in explained(pipeline, messy.signature(task), rows):
        if answer is None:
            assert contributions is None
        elif contributions is not None:
            assert np.isfinite(list(contributions.values())).all()
        else:
            # So large a sum is no finite number, though a link made a probability of it.
            assert name not in ("hist_gradient_boosting", "lightgbm", "xgboost", *AVERAGED)


@pytest.mark.parametrize(
    "name", ["logistic_regression", "hist_gradient_boosting", "gradient_boosting", "random_forest"]
)
def test_the_other_class_has_the_opposite(name):
    pipeline, rows = messy.trained(name, "classification"), messy.frame(20, 1)
    both = [explained(pipeline, messy.signature("classification", positive=p), rows) for p in (True, False)]
    for (one, _), (other, _) in zip(*both, strict=True):
        own = [value for key, value in one.items() if key != "_base"]
        opposite = [-value for key, value in other.items() if key != "_base"]
        np.testing.assert_allclose(own, opposite, atol=1e-12)


def test_a_stump_credits_its_feature_with_the_way_from_the_mean():
    rows, sig = messy.frame(400, 0), messy.signature("regression", "numbers")
    target = np.where(rows.seconds > 1.4e9, 3.0, -1.0)
    stump = messy.build("decision_tree", "regression", {"max_depth": 1}, 7, messy.SUBSETS["numbers"])
    pipeline = messy.fit(stump, rows, target)
    ((row, answer),) = explained(pipeline, sig, rows.iloc[:1], "numbers")
    assert row["_base"] == pytest.approx(target.mean(), abs=1e-12)
    assert row["seconds"] == pytest.approx(answer - target.mean(), abs=1e-12)
    assert [row[name] for name in ("plain", "tiny", "constant", "empty")] == [0.0] * 4


def pairs(preparation, model=None):
    rng = np.random.default_rng(3)
    rows = messy.pd.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200)})
    steps = make_pipeline(preparation, model or Ridge())
    steps.fit(rows.to_numpy(), rows.a * 2 - rows.b + rows.a**2)
    features = (Feature(name="a", kind="number"), Feature(name="b", kind="number"))
    sig = Signature(
        features=features,
        entity=("id",),
        as_of="as_of",
        task="regression",
        label_type="DOUBLE",
        classes=(),
        positive=None,
    )
    return steps, sig, messy.pa.table({"a": rows.a, "b": rows.b})


def test_linear_terms_are_those_of_their_feature_to_the_digit():
    pipeline, sig, rows = pairs(StandardScaler())
    scaler, model = pipeline[0], pipeline[1]
    with served(pipeline, sig, "sql") as ask:
        found = [row for (row,) in ask(rows, "explain_m({arguments})")]
    wanted = (np.stack([rows["a"], rows["b"]], axis=1) - scaler.mean_) / scaler.scale_ * model.coef_
    assert [[row["a"], row["b"]] for row in found] == wanted.tolist()
    assert {row["_base"] for row in found} == {float(model.intercept_)}


def test_what_is_made_of_two_features_is_nobodys_and_the_function_says_so():
    pipeline, sig, rows = pairs(PolynomialFeatures(2))
    told = pytest.raises(duckdb.Error, match=r"one column of several features \(a, b\)")
    with served(pipeline, sig, "sql") as ask, told:
        ask(rows, "explain_m({arguments})")
