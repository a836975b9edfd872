"""Retraining: when it is due and why, what becomes of the challenger, and that it may be repeated."""

from dataclasses import replace
from datetime import timedelta

import handmade
import pytest
from training_set import fill

from snowml.errors import DataError, ParityFailed, RetryableError, SpecError, UserError
from snowml.names import Relation
from snowml.records import Drift
from snowml.registry.store import Registry
from snowml.spec.location import Locator
from snowml.workflows import retrain as module
from snowml.workflows.promote import rollback
from snowml.workflows.retrain import retrain
from snowml.workflows.specs import Located

FIRST = handmade.START + timedelta(days=60)
LATER = handmade.AS_OF
WEEKLY = "0 3 * * 1 Europe/Berlin"
ALWAYS = {"on_new_rows": 1}
# Of 200 rows in 90 days: how many labels, two days late, became known after the first training.
NEW = 67
# Coefficients of nothing but the intercept: worse than any model.
WORSE = {"params": {"C": 1e-9, "max_iter": 200}}
# Nothing to learn but for what a tree of one leaf knows.
GOOD = {"params": {"max_iter": 200}}

duckdb = pytest.mark.parametrize("engine", ["duckdb"], indirect=True)


@pytest.fixture
def registry(engine):
    """A training set, and an empty registry."""
    fill(engine)
    return Registry(engine, "snowml").create()


@pytest.fixture
def champion(registry):
    """A version that was trained after two months, and promoted."""
    version = handmade.train_one(registry.engine, registry, as_of=FIRST, **GOOD).version
    handmade.promote_one(registry.engine, registry)
    return version


def again(registry, policy=None, *, as_of=LATER, force=False, now=handmade.NOW, **changes):
    located = Located(handmade.spec(**{**GOOD, **changes}, retrain=policy))
    return retrain(registry.engine, registry, located, as_of=as_of, now=now, force=force)


def reasons(decision):
    return {reason.reason: reason.due for reason in decision.reasons}


def watch(registry, *columns, start, days=7, drifted=True, version=1):
    """What a monitoring would have found."""
    end = start + timedelta(days=days)
    rows = [
        Drift(handmade.MODEL, version, start, end, name, 0.5, 0.0, 0.0, 100, 0.2, drifted, end)
        for name in columns
    ]
    registry.record_monitoring(rows, [])


@duckdb
def test_a_model_without_versions_is_trained_and_promoted(registry):
    decision = again(registry, ALWAYS)
    assert (decision.outcome, decision.version, decision.champion) == ("promoted", 1, None)
    assert reasons(decision) == {"untrained": True}
    assert "there is none yet" in decision.detail
    assert registry.champion(handmade.MODEL).version == 1
    assert registry.decisions(handmade.MODEL) == [decision]


def test_on_either_engine_it_drifts_is_trained_again_and_promoted_once(registry):
    handmade.train_one(registry.engine, registry, as_of=FIRST, **WORSE)
    handmade.promote_one(registry.engine, registry)
    watch(registry, "speed", start=FIRST)
    policy = {"schedule": WEEKLY, "on_new_rows": NEW, "on_drift": 1}
    first = again(registry, policy)
    assert (first.outcome, first.version, first.champion) == ("promoted", 2, 1)
    assert reasons(first) == {"schedule": True, "new_rows": True, "drift": True}
    second = again(registry, policy, now=handmade.NOW + timedelta(hours=1))
    assert replace(second, decided_at=first.decided_at) == first
    assert registry.decisions(handmade.MODEL) == [first]
    assert registry.champions(handmade.MODEL) == [1, 2]


# What follows is decided by the same statements on both engines, and takes a second on one and ten on the other.


@duckdb
@pytest.mark.usefixtures("champion")
class TestWhetherItIsDue:
    @pytest.mark.parametrize(
        ("days", "due"),
        # The first training was on a Saturday; Monday, three in the morning in Berlin, is two in UTC.
        [(1, False), (2 + 1 / 24, False), (2 + 2 / 24, True), (20, True)],
    )
    def test_by_schedule(self, registry, days, due):
        decision = again(registry, {"schedule": WEEKLY}, as_of=FIRST + timedelta(days=days), gates=[])
        assert reasons(decision) == {"schedule": due}
        assert (decision.outcome == "nothing") == (not due)
        assert WEEKLY in decision.reasons[0].detail

    @pytest.mark.parametrize(("wanted", "due"), [(NEW, True), (NEW + 1, False)])
    def test_by_new_rows(self, registry, wanted, due):
        decision = again(registry, {"on_new_rows": wanted})
        assert reasons(decision) == {"new_rows": due}
        assert decision.reasons[0].detail == (
            f"{NEW} new labels since the training as of 2013-03-02 00:00, of {wanted} that are asked"
        )

    def test_by_drift_of_so_many_columns(self, registry):
        watch(registry, "speed", "town", start=FIRST)
        assert reasons(again(registry, {"on_drift": 3})) == {"drift": False}
        decision = again(registry, {"on_drift": 2})
        assert reasons(decision) == {"drift": True}
        assert "2 columns drifted, of 2 that are asked: speed (PSI 0.500), town (PSI 0.500)" in (
            decision.reasons[0].detail
        )

    def test_drift_of_rows_that_the_training_knew_is_no_reason(self, registry):
        watch(registry, "speed", start=FIRST - timedelta(days=1))
        decision = again(registry, {"on_drift": 1})
        assert reasons(decision) == {"drift": False}
        assert "no window was monitored that began after the training" in decision.reasons[0].detail

    def test_only_the_newest_window_counts_and_none_of_the_future(self, registry):
        watch(registry, "speed", start=FIRST)
        watch(registry, "speed", start=FIRST + timedelta(days=7), drifted=False)
        watch(registry, "speed", start=LATER)
        assert reasons(again(registry, {"on_drift": 1})) == {"drift": False}

    def test_every_part_of_the_policy_is_told_and_one_is_enough(self, registry):
        decision = again(registry, {"schedule": WEEKLY, "on_new_rows": 10_000, "on_drift": 1})
        assert reasons(decision) == {"schedule": True, "new_rows": False, "drift": False}
        assert [reason.reason for reason in decision.due] == ["schedule"]
        assert (decision.based_on, decision.version) == (1, 2)

    def test_what_is_not_due_trains_nothing_and_is_kept_as_a_decision(self, registry):
        decision = again(registry, {"on_new_rows": 10_000})
        assert (decision.outcome, decision.version) == ("nothing", None)
        assert len(registry.versions(handmade.MODEL)) == 1
        assert registry.decisions(handmade.MODEL) == [decision]

    def test_it_may_be_forced_with_a_policy_and_without(self, registry):
        assert reasons(again(registry, {"on_new_rows": 10_000}, force=True)) == {
            "forced": True,
            "new_rows": False,
        }
        assert reasons(again(registry, None, force=True)) == {"forced": True}
        assert len(registry.versions(handmade.MODEL)) == 2

    def test_it_counts_from_the_last_training_even_where_that_made_no_champion(self, registry):
        handmade.train_one(registry.engine, registry, as_of=LATER - timedelta(days=1), **WORSE)
        decision = again(registry, {"on_new_rows": NEW})
        assert (decision.outcome, decision.based_on) == ("nothing", 2)
        assert decision.reasons[0].detail.startswith("2 new labels since the training as of 2013-03-31")

    def test_a_moment_of_the_past_knows_nothing_of_later_trainings(self, registry):
        handmade.train_one(registry.engine, registry, as_of=LATER)
        assert again(registry, {"on_new_rows": 10_000}, as_of=LATER - timedelta(days=9)).based_on == 1


@duckdb
class TestWhatBecomesOfTheChallenger:
    def test_a_better_one_is_promoted_on_figures_of_the_same_rows(self, registry):
        handmade.train_one(registry.engine, registry, as_of=FIRST, **WORSE)
        handmade.promote_one(registry.engine, registry)
        decision = again(registry, ALWAYS)
        assert (decision.outcome, decision.version, decision.champion) == ("promoted", 2, 1)
        assert decision.metric == "roc_auc"
        assert decision.challenger_value > decision.champion_value
        assert "wanted better than the champion" in decision.detail
        assert registry.champions(handmade.MODEL) == [1, 2]

    def test_one_that_is_not_better_is_kept_and_the_champion_stays(self, registry, champion):
        decision = again(registry, ALWAYS, **WORSE)
        assert (decision.outcome, decision.version, decision.champion) == ("kept", 2, 1)
        assert decision.challenger_value <= decision.champion_value
        assert registry.statuses(handmade.MODEL)[2] == "approved"
        assert registry.champion(handmade.MODEL) == champion

    def test_one_that_fails_a_gate_is_rejected(self, registry, champion):
        decision = again(registry, ALWAYS, gates=[{"metric": "roc_auc", "min": 0.9999}])
        assert decision.outcome == "rejected"
        assert "0.9999" in decision.detail
        assert registry.champion(handmade.MODEL) == champion

    def test_a_champion_that_knew_the_test_window_cannot_be_beaten_on_it(self, registry, champion):
        decision = again(
            registry,
            ALWAYS,
            as_of=FIRST + timedelta(days=5),
            split={"validation": "5 days", "test": "40 days"},
        )
        assert (decision.outcome, decision.champion_value) == ("kept", None)
        assert "was trained on rows of this test window" in decision.detail
        assert registry.champion(handmade.MODEL) == champion

    def test_one_without_a_certificate_is_not_promoted(self, registry, monkeypatch):
        def refuse(*_, **__):
            raise ParityFailed("its function differs")

        monkeypatch.setattr(module, "promote", refuse)
        decision = again(registry, ALWAYS)
        assert (decision.outcome, decision.detail) == ("uncertified", "its function differs")
        assert registry.champions(handmade.MODEL) == []

    @pytest.mark.usefixtures("champion")
    def test_one_that_cannot_be_trained_is_a_failed_decision_and_an_error(self, registry):
        with pytest.raises(UserError, match="params"):
            again(registry, ALWAYS, params={"C": "much"})
        (decision,) = registry.decisions(handmade.MODEL)
        assert decision.outcome == "failed"
        assert "params" in decision.detail
        assert again(registry, ALWAYS).outcome in ("promoted", "kept")

    def test_a_warehouse_that_is_out_of_reach_leaves_no_decision(self, registry, monkeypatch):
        def lost(*_, **__):
            raise RetryableError("out of reach")

        monkeypatch.setattr(module, "train", lost)
        with pytest.raises(RetryableError):
            again(registry, ALWAYS)
        assert registry.decisions(handmade.MODEL) == []


@duckdb
class TestRepeated:
    def test_the_same_moment_comes_to_the_same_and_is_kept_once(self, registry):
        handmade.train_one(registry.engine, registry, as_of=FIRST, **WORSE)
        handmade.promote_one(registry.engine, registry)
        watch(registry, "speed", start=FIRST)
        policy = {"schedule": WEEKLY, "on_new_rows": NEW, "on_drift": 1}
        first = again(registry, policy)
        # The new champion may have been monitored meanwhile.
        watch(registry, "speed", start=LATER - timedelta(days=7), drifted=False, version=2)
        second = again(registry, policy, now=handmade.NOW + timedelta(hours=1))
        assert replace(second, decided_at=first.decided_at) == first
        assert first.outcome == "promoted"
        assert registry.decisions(handmade.MODEL) == [first]
        assert len(registry.versions(handmade.MODEL)) == 2
        assert registry.champions(handmade.MODEL) == [1, 2]

    def test_a_decision_that_changes_is_kept_beside_the_earlier_one(self, registry, champion):
        first = again(registry, {"on_new_rows": 10_000})
        second = again(registry, ALWAYS, now=handmade.NOW + timedelta(hours=1), **WORSE)
        assert registry.decisions(handmade.MODEL) == [first, second]
        assert [first.outcome, second.outcome] == ["nothing", "kept"]

    def test_what_was_rolled_back_from_does_not_come_back_by_itself(self, registry):
        handmade.train_one(registry.engine, registry, as_of=FIRST, **WORSE)
        handmade.promote_one(registry.engine, registry)
        assert again(registry, ALWAYS).outcome == "promoted"
        rollback(registry.engine, registry, handmade.MODEL, now=handmade.NOW)
        decision = again(registry, ALWAYS)
        assert (decision.outcome, decision.detail) == ("kept", "version 2 was rolled back from")
        assert registry.champions(handmade.MODEL) == [1]


@duckdb
def test_a_model_without_a_policy_says_so_with_its_place(registry):
    located = Located(handmade.spec(), Locator("models/ml.yml", 7))
    with pytest.raises(SpecError, match=r"models/ml\.yml:7: lateness has no policy for retraining") as caught:
        retrain(registry.engine, registry, located, as_of=LATER, now=handmade.NOW)
    assert "--force" in str(caught.value)
    assert registry.decisions(handmade.MODEL) == []


@duckdb
@pytest.mark.usefixtures("champion")
def test_a_training_set_that_is_gone_is_named(registry):
    registry.engine.execute(
        f"drop table {Relation('main', 'training_set', registry.engine.database).sql(registry.engine.name)}"
    )
    with pytest.raises(DataError, match="training_set"):
        again(registry, ALWAYS)
