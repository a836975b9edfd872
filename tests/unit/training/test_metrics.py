import numpy as np
import pytest
from sklearn import metrics as sk

from snowml.errors import SpecError
from snowml.monitoring.metrics_sql import METRICS, MULTICLASS
from snowml.spec.metrics import CLASS_METRICS
from snowml.spec.metrics import METRICS as DIRECTIONS
from snowml.training.metrics import evaluate, value_of

Y = np.array([0.0, 1.0, 1.0, 0.0, 1.0])
SCORES = np.array([0.1, 0.4, 0.8, 0.4, 0.9])


def test_classification():
    found = evaluate("classification", Y, (SCORES > 0.5).astype(float), SCORES)
    assert found == {
        "roc_auc": sk.roc_auc_score(Y, SCORES),
        "average_precision": sk.average_precision_score(Y, SCORES),
        "brier": pytest.approx(np.mean((Y - SCORES) ** 2)),
        "log_loss": sk.log_loss(Y, SCORES),
        "accuracy": 0.8,
    }


@pytest.mark.parametrize(("positive", "negative"), [(True, False), (1, 0), ("late", "on time"), (0, 1)])
def test_labels_of_any_type(positive, negative):
    label = np.where(Y == 1, positive, negative)
    answer = np.where(SCORES > 0.5, positive, negative)
    expected = evaluate("classification", Y, (SCORES > 0.5).astype(float), SCORES)
    assert evaluate("classification", label, answer, SCORES, positive=positive) == expected


def test_regression():
    found = evaluate("regression", Y, SCORES, SCORES)
    assert found == {
        "mae": sk.mean_absolute_error(Y, SCORES),
        "rmse": sk.root_mean_squared_error(Y, SCORES),
        "r2": sk.r2_score(Y, SCORES),
        "median_ae": sk.median_absolute_error(Y, SCORES),
    }


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_has_no_ranking(label):
    found = evaluate("classification", np.full(3, label), np.zeros(3), np.array([0.1, 0.2, 0.3]))
    assert set(found) == {"brier", "log_loss", "accuracy"}


def test_undefined_metrics_are_left_out():
    assert set(evaluate("regression", np.ones(3), np.ones(3), np.ones(3))) == {"mae", "rmse", "median_ae"}
    for task in ("classification", "regression"):
        assert evaluate(task, np.array([]), np.array([]), np.array([])) == {}


def test_an_unknown_metric_suggests_the_known_one():
    with pytest.raises(SpecError, match="Did you mean 'roc_auc'"):
        value_of("roc_acu", "classification", Y, Y, SCORES)


def test_monitoring_has_the_same_metrics_and_each_a_direction():
    for task, names in METRICS.items():
        assert set(evaluate(task, Y, Y, SCORES)) == set(names)
    shares = np.full((len(Y), 3), 1 / 3)
    places = np.arange(len(Y)) % 3
    assert set(evaluate("classification", places, places, shares, classes=range(3))) == set(MULTICLASS)
    assert set(DIRECTIONS) == {name for names in (*METRICS.values(), MULTICLASS) for name in names}
    assert {False: METRICS["classification"], True: MULTICLASS} == CLASS_METRICS
