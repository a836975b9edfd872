import math

import numpy as np
import pytest

from snowml.errors import DataError, SpecError
from snowml.spec.gates import Gate
from snowml.training.fitting import classes
from snowml.training.gates import judge

AUC = {"metric": "roc_auc"}
BETTER = {"better_than": "champion"}


def figures(**by_predictor):
    return {
        name: {"test": {"roc_auc": value, "mae": value}} if value is not None else {"test": {}}
        for name, value in by_predictor.items()
    }


@pytest.mark.parametrize(
    ("gate", "measured", "passed"),
    [
        (AUC | {"min": 0.7}, figures(model=0.7), True),
        (AUC | {"min": 0.7}, figures(model=0.6999999), False),
        (AUC | {"max": 0.7}, figures(model=0.7), True),
        (AUC | {"max": 0.7}, figures(model=0.71), False),
        (AUC | {"min": 0.5, "max": 0.7}, figures(model=0.6), True),
        (AUC | {"min": 0.5, "max": 0.7}, figures(model=0.4), False),
        (AUC | {"min": 0.7}, figures(model=None), False),
        (AUC | {"min": 0.7}, figures(model=math.nan), False),
        (AUC | {"min": 0.7, "split": "train"}, figures(model=0.9), False),
        (AUC | BETTER, figures(model=0.1), True),
        (AUC | BETTER, figures(model=0.8, champion=0.7), True),
        (AUC | BETTER, figures(model=0.7, champion=0.7), False),
        (AUC | BETTER, figures(model=0.8, champion=None), False),
        (AUC | BETTER, figures(model=0.8, champion=math.nan), False),
        (BETTER | {"metric": "mae"}, figures(model=0.1, champion=0.2), True),
        (BETTER | {"metric": "mae"}, figures(model=0.3, champion=0.2), False),
    ],
)
def test_one_verdict_a_gate(gate, measured, passed):
    (verdict,) = judge([Gate(**gate)], measured)
    assert verdict.passed == passed
    assert "roc_auc" in verdict.text or "mae" in verdict.text or "none yet" in verdict.text


def test_better_than_baseline_means_each_of_them():
    gate = Gate(better_than="baseline", metric="roc_auc")
    measured = figures(model=0.7, constant=0.5, best_rule=0.8, champion=0.9)
    assert [(verdict.passed, verdict.text) for verdict in judge([gate], measured)] == [
        (True, "roc_auc on test: 0.7000, wanted better than the constant (0.5000)"),
        (False, "roc_auc on test: 0.7000, wanted better than the best rule (0.8000)"),
    ]


def test_no_gates_no_verdicts():
    assert judge([], figures(model=0.7)) == []


@pytest.mark.parametrize(
    ("label", "positive", "expected"),
    [
        ([True, False], None, ((False, True), True)),
        ([1, 0, 1], None, ((0, 1), 1)),
        ([1.0, 0.0], None, ((0.0, 1.0), 1.0)),
        ([True, False], False, ((False, True), False)),
        ([1, 0], True, ((0, 1), 1)),
        (["no", "it's"], "it's", (("it's", "no"), "it's")),
        ([3, 2], 2, ((2, 3), 2)),
    ],
)
def test_the_two_classes_and_which_is_positive(label, positive, expected):
    array = np.array(label, dtype=object if isinstance(label[0], str) else None)
    found, chosen = classes(array, positive)
    assert (found, chosen) == expected
    assert type(chosen) is type(expected[1])


@pytest.mark.parametrize(
    ("label", "positive", "message"),
    [
        ([1, 1], None, r"The label has 1 value \(1\)"),
        (["a", "b", "c"], "a", "The label has 3 values .*so none is positive: .* Remove the key `positive`"),
        (list(range(101)), None, r"has 101 values \(0, 1, .*, …\), and a classification takes at most 100"),
        (["a", "b"], None, "which of 'a' and 'b' is positive"),
        ([2, 3], None, "which of 2 and 3 is positive"),
        (["a", "b"], "c", "positive is 'c', and the label's values are 'a' and 'b'"),
        ([0, 1], "1", "positive is '1', and the label's values are 0 and 1"),
        (["no", "yes"], True, "are 'no' and 'yes'. Quote it, .*: positive: 'yes'$"),
        (["no", "yes"], False, "Quote it, .*: positive: 'no'$"),
        ([True, True], None, r"1 value \(True\); a classification needs two. Train as of a time when both"),
    ],
)
def test_other_labels_are_refused(label, positive, message):
    with pytest.raises((DataError, SpecError), match=message):
        classes(np.array(label, dtype=object if isinstance(label[0], str) else None), positive)
