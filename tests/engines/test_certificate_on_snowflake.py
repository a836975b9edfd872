"""On Snowflake the deployed functions themselves are asked, before one of them is promoted."""

from string import Template

import handmade
import pytest
from training_set import fill

from snowml.engines.snowflake import handler
from snowml.errors import ParityFailed
from snowml.registry.store import Registry
from snowml.serving import functions
from snowml.workflows.certificate.parity import audit_parity


@pytest.fixture
def registry(snowflake_engine):
    fill(snowflake_engine)
    return Registry(snowflake_engine, "snowml")


def train(registry, estimator="logistic_regression", **changes):
    return handmade.train_one(registry.engine, registry, estimator, **changes)


def test_a_handler_that_takes_missing_numbers_for_zero(registry, monkeypatch):
    right, wrong = "rows.iloc[:, i], kind", "rows.iloc[:, i].fillna(0.0), kind"
    text = handler._SOURCE.template
    assert right in text
    monkeypatch.setattr(handler, "_SOURCE", Template(text.replace(right, wrong)))
    trained = train(registry, "hist_gradient_boosting", params={"max_iter": 40}, serving="kernel")
    assert not trained.passed
    assert {check.way for check in trained.parity.checks} == {"function", "function_explained"}
    assert "=NULL" in trained.refused
    with pytest.raises(ParityFailed, match="its function differs from scikit-learn"):
        handmade.promote_one(registry.engine, registry)
    assert registry.champions(handmade.MODEL) == []
    monkeypatch.undo()
    assert handmade.promote_one(registry.engine, registry).parity.certified


def test_a_label_rule_with_the_wrong_tie(registry, monkeypatch):
    right = functions._label_of
    monkeypatch.setattr(functions, "_label_of", lambda *args: right(*args).replace(" > ", " >= "))
    assert "probability=0.5: True by predict_lateness_v1_label" in train(registry).refused


def test_nothing_is_bound_row_by_row_and_nothing_is_left_behind(registry, warehouse):
    before = len(warehouse.records)
    trained = train(registry)
    assert trained.passed
    assert sum(check.altered_count for check in trained.parity.checks) == 0
    texts = [record.sql.lower() for record in warehouse.records[before:]]
    sent = [text for text in texts if "snowml_rows_" in text or "SNOWML_ROWS_".lower() in text]
    # Doubles, whole numbers, probabilities: made, filled, asked, dropped.
    assert len(sent) == 3 * 4
    # On demand it is recorded beside the first.
    assert audit_parity(registry, handmade.MODEL, 1, handmade.NOW).certified
