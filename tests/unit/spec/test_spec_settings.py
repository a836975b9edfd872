import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowml.errors import SpecError
from snowml.spec.metrics import METRICS, TASK_METRICS, better
from snowml.spec.settings import RESERVED, Settings
from snowml.spec.validation import validated

BARE = {
    "task": "classification",
    "entity": "customer_id",
    "as_of": "as_of",
    "label": "churned",
    "label_at": "label_known_at",
    "training_set": "churn_training_set",
    "scoring_set": "churn_scoring_set",
    "split": {"validation": "30 days", "test": "30 days"},
    "estimator": "logistic_regression",
}
REGRESSION = {**BARE, "task": "regression", "estimator": "ridge"}


def complaint(raw, **more):
    with pytest.raises(SpecError) as caught:
        validated({**raw, **more})
    return str(caught.value)


def test_the_fewest_keys_give_every_default():
    settings = validated(BARE)
    assert settings.entity == ("customer_id",)
    assert (settings.metric, settings.seed, settings.params, settings.gates) == ("roc_auc", 0, {}, ())
    assert (settings.positive, settings.features.exclude, settings.split.by) == (None, (), "time")


@pytest.mark.parametrize("serving", ["sql", "kernel", "estimator"])
def test_the_flavour_may_be_forced(serving):
    assert validated(BARE).serving is None
    assert validated({**BARE, "serving": serving}).serving == serving


def test_a_flavour_that_there_is_not():
    assert "serving: unknown value 'sqll'. Did you mean 'sql'?" in complaint(BARE, serving="sqll")


def test_a_full_example_is_valid(raw):
    settings = validated(raw)
    assert settings.positive is True
    assert [gate.min for gate in settings.gates] == [0.65, None]


def test_regression_is_judged_by_mae_unless_told():
    assert validated(REGRESSION).metric == "mae"


def test_column_names_are_kept_in_lower_case_and_odd_ones_to_the_letter():
    settings = validated({**BARE, "entity": ["Customer_ID", "My Shop"], "label": " CHURNED "})
    assert settings.entity == ("customer_id", "My Shop")
    assert settings.label == "churned"


def test_a_single_excluded_column_may_stand_alone():
    assert validated({**BARE, "features": {"exclude": "NOTE"}}).features.exclude == ("note",)


@pytest.mark.parametrize("positive", [True, False, 1, 0, 2.5, "yes", "1", None])
def test_the_positive_class_keeps_its_type(positive):
    kept = validated({**BARE, "positive": positive}).positive
    assert kept == positive
    assert type(kept) is type(positive)


@pytest.mark.parametrize(
    ("written", "read"),
    [("1e-9", 1e-9), ("5", 5), ("-.5", -0.5), ("1e5", 1e5), ("sqrt", "sqrt"), (None, None), (True, True)],
)
def test_numbers_that_yaml_reads_as_text_are_numbers(written, read):
    kept = validated({**BARE, "params": {"x": written, "many": [written]}}).params
    assert kept == {"x": read, "many": [read]}
    assert type(kept["x"]) is type(read)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_written_float_is_that_float(number):
    assert validated({**BARE, "params": {"x": repr(number)}}).params["x"] == number


@pytest.mark.parametrize("number", [math.nan, math.inf, "1e999"])
def test_a_parameter_is_finite(number):
    assert "is not a finite number" in complaint(BARE, params={"x": number})


def test_a_parameter_is_no_mapping():
    assert complaint(BARE, params={"x": {}}) == "params.x: {} is not a number, text, true or false."


def test_a_gate_takes_the_models_metric_unless_it_names_one():
    gates = [
        {"better_than": "baseline"},
        {"better_than": "champion", "metric": "brier", "split": "validation"},
    ]
    first, second = validated({**BARE, "metric": "log_loss", "gates": gates}).gates
    assert (first.metric, first.split) == ("log_loss", "test")
    assert (second.metric, second.split, second.better_than) == ("brier", "validation", "champion")


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        (
            {"metric": "mae", "min": 1},
            "gates.0.metric: 'mae' is for regression, and the task is classification.",
        ),
        ({"metric": "roc_acu", "min": 1}, "gates.0.metric: no metric 'roc_acu'. Did you mean 'roc_auc'?"),
        ({"min": 1}, "gates.0: missing key 'metric'. Known: accuracy, "),
        (
            {"metric": "brier"},
            "gates.0: the gate has no bound. Add 'min' or 'max', or 'better_than: baseline'.",
        ),
        ({"metric": "brier", "min": 2, "max": 1}, "gates.0.min: min 2.0 is above max 1.0: no model passes."),
        ({"better_than": "baseline", "max": 1}, "gates.0.max: a gate with 'better_than' has no bounds."),
        (
            {"better_than": "basline"},
            "gates.0.better_than: unknown value 'basline'. Did you mean 'baseline'?",
        ),
        ({"metric": "brier", "mx": 1}, "unknown key 'mx' in 'gates.0'. Did you mean 'max'?"),
        ({"metric": "brier", "max": True}, "gates.0.max: True is not a finite number."),
        (
            {"metric": "brier", "max": 1, "split": "tst"},
            "gates.0.split: unknown value 'tst'. Did you mean 'test'?",
        ),
        ("roc_auc > 0.6", "gates.0: 'roc_auc > 0.6' is not a mapping."),
    ],
)
def test_a_wrong_gate_is_explained(gate, message):
    assert complaint(BARE, gates=[gate]).startswith(message)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("estimatr", "x", "unknown key 'estimatr'. Did you mean 'estimator'?"),
        ("task", "clasification", "task: unknown value 'clasification'. Did you mean 'classification'?"),
        ("task", "ranking", "task: unknown value 'ranking'. Known: classification, regression."),
        (
            "metric",
            "rmse",
            "metric: 'rmse' is for regression, and the task is classification. Known: roc_auc, ",
        ),
        ("metric", "roc_acu", "metric: no metric 'roc_acu'. Did you mean 'roc_auc'?"),
        ("estimator", None, "estimator: has no value. Give one or remove the key."),
        ("estimator", 3, "estimator: 3 is not text."),
        ("estimator", "prophet", "estimator: there is no estimator 'prophet'."),
        (
            "estimator",
            "randm_forest",
            "estimator: there is no estimator 'randm_forest'. Did you mean 'random_forest'?",
        ),
        (
            "estimator",
            "ridge",
            "estimator: 'ridge' cannot do classification. These can: hist_gradient_boosting, ",
        ),
        ("estimator", " ", "estimator: ' ' is empty."),
        ("entity", [], "entity: [] is empty."),
        ("entity", {"a": 1}, "entity: {'a': 1} is not a list."),
        ("entity", ["a", "A"], "entity: column 'a' is already the entity. Name another one."),
        ("label", "AS_OF", "label: column 'as_of' is already the as_of. Name another one."),
        ("seed", True, "seed: True is not a whole number from 0 to 4294967295."),
        ("seed", -1, "seed: -1 is not a whole number"),
        ("params", [1], "params: [1] is not a mapping."),
        ("features", {"exclud": []}, "unknown key 'exclud' in 'features'. Did you mean 'exclude'?"),
        ("split", {"test": "1 day"}, "missing key 'validation' in 'split'. Add 'validation: …'."),
        ("positive", [1], "positive: [1] is not a number, text, true or false."),
    ],
)
def test_a_wrong_value_is_explained(key, value, message):
    assert complaint(BARE, **{key: value}).startswith(message)


def test_a_regression_has_no_positive_class():
    expected = "positive: only a classification has a positive class. Remove the key."
    assert complaint(REGRESSION, positive=True) == expected


@pytest.mark.parametrize("key", sorted(RESERVED))
def test_a_reserved_key_is_said_to_be_reserved(key):
    expected = f"key '{key}' is reserved for a later version and is not available yet. Remove it."
    assert complaint(BARE, **{key: {}}) == expected
    assert key not in Settings.model_fields


@pytest.mark.parametrize("key", list(BARE))
def test_a_missing_key_is_named(key):
    assert complaint({k: v for k, v in BARE.items() if k != key}).startswith(
        f"missing key '{key}'. Add '{key}: …'."
    )


def test_all_problems_come_in_one_error():
    lines = complaint(BARE, estimatr=1, task="x", seed="x").splitlines()
    assert len(lines) == 3


@pytest.mark.parametrize("raw", [None, [], "x", 3])
def test_settings_that_are_no_mapping_are_refused(raw):
    with pytest.raises(SpecError, match=r"^snowml: "):
        validated(raw)


def test_a_long_value_is_shortened():
    assert len(complaint(BARE, estimator=["x" * 500])) < 150


def test_every_metric_belongs_to_one_task():
    assert sorted(METRICS) == sorted(metric for metrics in TASK_METRICS.values() for metric in metrics)


def test_better_knows_which_way_a_metric_points():
    assert better("roc_auc", 0.8, 0.7)
    assert better("mae", 0.7, 0.8)
    assert not better("mae", math.nan, 0.8)
    assert not better("r2", 0.5, 0.5)
