import numpy as np
import pandas as pd
import pytest

from snowml.errors import DataError, SpecError
from snowml.records import Feature
from snowml.training.baselines import best_rule, constant
from snowml.training.metrics import value_of
from snowml.training.rules import SMOOTHING, fit_rule

NOISE, SIGNAL = Feature(name="noise", kind="number"), Feature(name="signal", kind="number")
CARRIER = Feature(name="carrier", kind="category")
FEATURES = [NOISE, SIGNAL, CARRIER]


def _split(seed, rows=4000):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "noise": random.normal(size=rows),
            "signal": np.where(random.random(rows) < 0.1, np.nan, random.normal(size=rows)),
            "carrier": random.choice(["AA", "UA", None], rows).astype(object),
        }
    )
    late = random.random(rows) < 1 / (1 + np.exp(-2 * frame["signal"].fillna(3)))
    return frame, late.to_numpy(dtype=np.float64)


def _best(train, validation, **options):
    settings = {"task": "classification", "metric": "roc_auc"} | options
    return best_rule(*train, FEATURES, validation=validation[0], validation_y=validation[1], **settings)


def test_a_constant_is_what_the_metric_rewards():
    y = np.array([0.0, 0.0, 1.0, 10.0])
    assert constant(y, "rmse").score == 2.75
    assert constant(y, "mae").score == 0.5
    rows = pd.DataFrame(index=range(3))
    assert constant(y, "r2").predict(rows).tolist() == [2.75] * 3


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "brier", "log_loss", "accuracy"])
def test_the_informative_feature_wins(metric):
    validation = _split(1)
    best = _best(_split(0), validation, metric=metric)
    assert (best.name, best.feature) == ("best_rule", "signal")
    scores = best.predict(validation[0])
    assert value_of("roc_auc", "classification", validation[1], scores > 0.5, scores) > 0.8


def test_for_regression_too():
    frame, _ = _split(0)
    y = frame["carrier"].map({"AA": 5.0, "UA": -5.0}).fillna(0.0).to_numpy()
    for metric in ("mae", "rmse", "r2", "median_ae"):
        assert _best((frame, y), (frame, y), task="regression", metric=metric).feature == "carrier"


def test_means_are_smoothed_toward_the_prior():
    frame = pd.DataFrame({"carrier": ["AA"] * 30 + ["UA"] * 70})
    y = np.r_[np.ones(30), np.zeros(70)]
    rule = fit_rule(frame, y, CARRIER)
    scores = rule.predict(pd.DataFrame({"carrier": ["AA", "UA", "new", None]}))
    aa, ua = (30 + SMOOTHING * 0.3) / (30 + SMOOTHING), SMOOTHING * 0.3 / (70 + SMOOTHING)
    assert scores == pytest.approx([aa, ua, 0.3, 0.3])


def test_missing_numbers_are_a_bin_of_their_own():
    frame = pd.DataFrame({"signal": [1.0, 2.0, np.nan, np.nan] * 100})
    rule = fit_rule(frame, np.tile([0.0, 0.0, 1.0, 1.0], 100), SIGNAL)
    low, high, missing, beyond = rule.predict(pd.DataFrame({"signal": [1.0, 2.0, np.nan, np.inf]}))
    assert missing > 0.9
    assert low == high == beyond < 0.1


def test_columns_without_values_and_nullable_ones():
    frame = pd.DataFrame(
        {"noise": [np.nan] * 4, "signal": pd.array([1, 2, None, 4], "Int64"), "carrier": [None] * 4}
    )
    y = np.array([0.0, 1.0, 0.0, 1.0])
    for feature in FEATURES:
        assert np.isfinite(fit_rule(frame, y, feature).predict(frame)).all()


def test_booleans_and_pandas_categories():
    frame = pd.DataFrame({"signal": [True, False] * 50, "carrier": pd.Categorical(["AA", "UA"] * 50)})
    y = np.tile([1.0, 0.0], 50)
    other = pd.DataFrame({"signal": [True], "carrier": pd.Categorical(["AA"], categories=["new", "AA"])})
    for feature in (SIGNAL, CARRIER):
        assert fit_rule(frame, y, feature).predict(other)[0] > 0.9


def test_the_training_split_decides_where_validation_cannot():
    frame, _ = _split(1)
    assert _best(_split(0), (frame, np.zeros(len(frame)))).feature == "signal"
    assert _best(_split(0), (frame.head(0), np.array([]))).feature == "signal"


def test_errors():
    with pytest.raises(DataError, match="no training rows"):
        constant(np.array([]), "rmse")
    with pytest.raises(DataError, match="no features"):
        best_rule(
            *_split(0),
            [],
            validation=_split(1)[0],
            validation_y=_split(1)[1],
            task="regression",
            metric="mae",
        )
    with pytest.raises(SpecError):
        _best(_split(0), _split(1), metric="gini")
