from datetime import timedelta

import pytest
from test_spec_settings import BARE, complaint

from snowml.errors import SpecError
from snowml.spec.model import ModelSpec
from snowml.spec.upkeep import Monitor, Retrain
from snowml.spec.validation import validated


def test_monitoring_has_defaults_and_retraining_none():
    settings = validated(BARE)
    assert settings.monitor == Monitor(schedule=None, window="7 days", threshold=0.2)
    assert settings.monitor.length == timedelta(days=7)
    assert settings.retrain is None


def test_a_native_monitor_is_one_with_defaults_or_none():
    native = validated({**BARE, "monitor": {"native": True}}).monitor.native
    assert (native.minutes, native.days) == (1440, 1)
    assert validated({**BARE, "monitor": {"native": False}}).monitor.native is None
    native = validated(
        {**BARE, "monitor": {"native": {"refresh": "2 hours", "aggregate": "1 week"}}}
    ).monitor.native
    assert (native.minutes, native.days) == (120, 7)


@pytest.mark.parametrize(
    ("given", "columns"), [(True, 1), (3, 3)], ids=["true is one column", "so many columns"]
)
def test_drift_may_be_a_reason_to_retrain(given, columns):
    assert validated({**BARE, "retrain": {"on_drift": given}}).retrain.on_drift == columns


@pytest.mark.parametrize(
    ("key", "given", "message"),
    [
        ("monitor", {"windw": "7 days"}, "unknown key 'windw' in 'monitor'. Did you mean 'window'?"),
        (
            "monitor",
            {"window": "soon"},
            "monitor.window: 'soon' is no length of time. Give one such as '7 days'",
        ),
        ("monitor", {"window": "0 days"}, "monitor.window: '0 days' is no length of time"),
        ("monitor", {"stream": "raw.orders"}, "monitor.stream: how often is it to be looked for new rows?"),
        (
            "monitor",
            {"threshold": 0},
            "monitor.threshold: 0 is no threshold: give a positive number such as 0.2",
        ),
        ("monitor", {"threshold": "much"}, "monitor.threshold: 'much' is not a finite number"),
        ("monitor", [1], "monitor: [1] is not a mapping"),
        (
            "monitor",
            {"native": {"refesh": "1 day"}},
            "unknown key 'refesh' in 'monitor.native'. Did you mean 'refresh'?",
        ),
        ("monitor", {"native": {"aggregate": "12 hours"}}, "'12 hours' is no number of whole days"),
        ("monitor", {"native": "yes"}, "monitor.native: 'yes' is not a mapping"),
        ("experiment_tracking", "yes", "experiment_tracking: 'yes' is neither true nor false"),
        ("retrain", {"on_new_row": 5}, "unknown key 'on_new_row' in 'retrain'. Did you mean 'on_new_rows'?"),
        ("retrain", {"on_new_rows": 0}, "retrain.on_new_rows: 0 is no number of rows from 1 on"),
        ("retrain", {"on_new_rows": True}, "retrain.on_new_rows: True is no number of rows"),
        ("retrain", {"on_new_rows": "many"}, "retrain.on_new_rows: 'many' is no number of rows"),
        ("retrain", {"on_drift": 0}, "retrain.on_drift: 0 is neither true nor a number of columns"),
        ("retrain", {"on_drift": "yes"}, "retrain.on_drift: 'yes' is neither true nor a number"),
        ("retrain", {}, "retrain: nothing would ever retrain the model. Add 'schedule', 'on_new_rows' or"),
        ("retrain", {"on_drift": False}, "retrain: nothing would ever retrain the model"),
        ("retrain", {"schedule": None}, "retrain: nothing would ever retrain the model"),
        ("retrain", {"schedule": "0 3 * *"}, "retrain.schedule: '0 3 * *' is no schedule"),
    ],
)
def test_what_cannot_be_used_is_refused(key, given, message):
    assert message in complaint(BARE, **{key: given})


def test_what_is_wrong_is_told_with_file_and_line(project):
    written = "metric: roc_auc\n          retrain:\n            schedule: 0 3 * * 1 Europe/Berln"
    with pytest.raises(SpecError) as caught:
        project.replace("metric: roc_auc\n", f"{written}\n").read()
    assert str(caught.value) == (
        "models/ml/churn.yml:23: retrain.schedule: no time zone 'Europe/Berln'. Did you mean 'Europe/Berlin'?"
    )


def test_how_a_model_is_kept_up_does_not_change_the_model(project):
    spec = project.read()
    upkeep = {
        "monitor": Monitor(schedule="0 6 * * * UTC", window="14 days", threshold=0.3),
        "retrain": Retrain(on_drift=2),
    }
    other = spec.model_copy(update={"given": None, "settings": spec.settings.model_copy(update=upkeep)})
    assert other.hash == spec.hash
    again = ModelSpec.from_json(other.to_json())
    assert again.settings == other.settings != spec.settings
