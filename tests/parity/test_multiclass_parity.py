"""More than two classes through the functions on DuckDB, against scikit-learn: every probability, to the bit.

But for the multinomial logistic regression as SQL, whose sums are in another order: there within 1e-12.
"""

from functools import cache

import messy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from served import served

from snowml.records import Signature
from snowml.training.estimators import ESTIMATORS
from snowml.training.pipeline import build, fit

SMALL = {
    "random_forest": {"n_estimators": 5},
    "extra_trees": {"n_estimators": 5},
    "gradient_boosting": {"n_estimators": 4},
    "hist_gradient_boosting": {"max_iter": 4},
    "lightgbm": {"n_estimators": 4, "min_child_samples": 5, "min_data_per_group": 5},
    "xgboost": {"n_estimators": 4},
    "logistic_regression": {"max_iter": 1000},
}
NAMES = [name for name, kind in ESTIMATORS.items() if kind.classifier]
LABELS = {
    "VARCHAR": ["b'ad", "Łódź", "x", "z z"],
    "INTEGER": [-2, 0, 3, 40],
    "DOUBLE": [-1.0, 0.0, 2.0, 300.0],
}
EXPRESSIONS = (
    "predict_m({arguments})",
    "predict_m_proba({arguments})",
    "predict_m_label(predict_m_proba({arguments}))",
    "predict_m_v1({arguments})",
)


@cache
def trained(name, seed=0, kind="VARCHAR", classes=3):
    rows, labels = messy.frame(400, 0), np.array(sorted(LABELS[kind][:classes]))
    rng = np.random.default_rng(seed)
    target = (
        rows.plain.fillna(0.5) * rng.normal() + (rows.city == "O'Hare") + rng.normal(size=len(rows)) * 0.4
    )
    places = np.digitize(target, np.quantile(target, np.arange(1, classes) / classes))
    return fit(
        build(name, "classification", SMALL.get(name, {}), seed % 1000, messy.FEATURES), rows, labels[places]
    )


def signature(kind="VARCHAR", classes=3):
    return Signature(
        features=messy.FEATURES, entity=("id",), as_of="t", task="classification", label_type=kind,
        classes=tuple(sorted(LABELS[kind][:classes])),
    )  # fmt: skip


def expected(pipeline, rows):
    """scikit-learn's label and probabilities of each row alone, None where it refuses the row."""
    try:
        with np.errstate(all="ignore"):
            shares = np.asarray(pipeline.predict_proba(rows), dtype=np.float64)
        return list(zip(pipeline.classes_[shares.argmax(axis=1)].tolist(), shares.tolist(), strict=True))
    except ValueError:
        if len(rows) == 1:
            return [(None, None)]
    half = len(rows) // 2
    return expected(pipeline, rows.iloc[:half]) + expected(pipeline, rows.iloc[half:])


def compare(pipeline, sig, flavor, rows, exact):
    with served(pipeline, sig, flavor) as ask:
        found = ask(messy.arrow(rows), *EXPRESSIONS)
    wanted = expected(pipeline, rows)
    assert len(found) == len(wanted)
    for (label, shares, of_shares, versioned), (right, probabilities) in zip(found, wanted, strict=True):
        assert label == of_shares == versioned == right
        if probabilities is None:
            assert shares is None
            continue
        assert list(shares) == list(sig.classes)
        if exact:
            assert list(shares.values()) == probabilities
        else:
            np.testing.assert_allclose(list(shares.values()), probabilities, rtol=1e-12, atol=1e-300)
    return wanted


def flavors(name):
    return ["sql", "estimator"] if name == "logistic_regression" else ["kernel", "estimator"]


@pytest.mark.parametrize(("name", "flavor"), [(name, flavor) for name in NAMES for flavor in flavors(name)])
def test_each_classifier_in_each_flavour_on_hostile_rows(name, flavor):
    wanted = compare(
        trained(name), signature(), flavor, messy.adversarial(), exact=name != "logistic_regression"
    )
    refusing = ESTIMATORS[name].preparation != "native"
    assert ((None, None) in wanted) == refusing


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize(
    ("name", "flavor"), [("hist_gradient_boosting", "kernel"), ("logistic_regression", "sql")]
)
def test_labels_of_any_type(name, flavor, kind):
    compare(
        trained(name, 0, kind, 4), signature(kind, 4), flavor, messy.frame(300, 1), exact=flavor == "kernel"
    )


@settings(max_examples=12)
@given(st.sampled_from(NAMES[:-1]), st.integers(1, 2**20), st.integers(3, 4))
def test_whatever_was_trained(name, seed, classes):
    pipeline = trained.__wrapped__(name, seed, "INTEGER", classes)
    compare(pipeline, signature("INTEGER", classes), "kernel", messy.frame(60, seed + 1), exact=True)


@settings(max_examples=8)
@given(st.integers(1, 2**20), st.integers(3, 4))
def test_whatever_a_logistic_regression_has_learned(seed, classes):
    pipeline = trained.__wrapped__("logistic_regression", seed, "DOUBLE", classes)
    compare(pipeline, signature("DOUBLE", classes), "sql", messy.frame(60, seed + 1), exact=False)


def test_the_first_of_equally_probable_labels_is_given_whatever_the_order_of_a_map():
    sig = signature()
    first, second, third = sig.classes
    with served(trained("decision_tree"), sig, "kernel") as ask:
        quoted = [label.replace("'", "''") for label in (first, second, third)]
        a, b, c = (f"'{label}'" for label in quoted)
        maps = [
            f"map([{c}, {b}, {a}], [4e-1, 4e-1, 2e-1])",
            f"map([{c}, {a}, {b}], [4e-1, 4e-1, 2e-1])",
            "null",
        ]
        assert ask(messy.arrow(messy.frame(1, 1)), *(f"predict_m_label({one})" for one in maps)) == [
            (second, first, None)
        ]
