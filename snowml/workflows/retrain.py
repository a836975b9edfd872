"""Retrain: is it due, and why; train, judge, and promote what is better than the champion on the same rows.

Made again as of the same moment it comes to the same: the reasons are counted from what was trained before that
moment, a training that finds nothing changed gives the version it gave, and an equal decision is kept once. So a
retraining that was killed is finished by calling it again.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from snowml.engines.base import Engine
from snowml.engines.columns import columns_of
from snowml.errors import ParityFailed, SpecError, UserError
from snowml.progress import Progress, Silent
from snowml.records import Decision, Reason, Version
from snowml.registry.history import withdrawn
from snowml.registry.store import Registry
from snowml.retraining.policy import by_drift, by_new_rows, by_schedule
from snowml.spec.gates import Gate
from snowml.spec.model import ModelSpec
from snowml.training.data import Columns, count_new
from snowml.training.gates import judge
from snowml.workflows.promote import promote
from snowml.workflows.specs import Located
from snowml.workflows.train import Trained, train


@dataclass(frozen=True, slots=True)
class _Basis:
    """The newest version that was trained before a moment."""

    version: Version
    as_of: datetime


def retrain(
    engine: Engine,
    registry: Registry,
    located: Located,
    *,
    as_of: datetime,
    now: datetime,
    force: bool = False,
    progress: Progress | None = None,
) -> Decision:
    """Decide whether a model is to be trained again as of a moment, do it, and keep the decision.

    Args:
        engine: The warehouse.
        registry: Where the model's versions are.
        located: The specification, whose `retrain` is the policy.
        as_of: The moment: only what was known then counts.
        now: The moment of the decision.
        force: Train whatever the policy says.
        progress: Told what is being done.

    Raises:
        SpecError: The model has no policy, or the specification does not fit the training set.
        UserError: It was due, and could not be trained or promoted; the decision says so too.
    """
    progress, model = progress or Silent(), located.spec.name
    _check_policy(located, force)
    engine.tag("retrain", model)
    registry.create()
    with progress.step(f"decide {model}") as step:
        basis = _basis(registry, model, as_of)
        reasons = _reasons(engine, registry, located.spec, basis, as_of, force)
        due = [reason for reason in reasons if reason.due]
        step.outcome("; ".join(reason.detail for reason in due) or "nothing is due")
    decision = Decision(
        model=model,
        as_of=as_of,
        decided_at=now,
        outcome="nothing",
        reasons=reasons,
        detail="; ".join(reason.detail for reason in reasons),
        based_on=basis.version.version if basis else None,
        champion=next(reversed(registry.champions(model)), None),
        metric=located.spec.settings.metric,
    )
    if due:
        try:
            decision = _challenge(engine, registry, located, decision, progress)
        except UserError as error:
            _keep(registry, replace(decision, outcome="failed", detail=str(error)))
            raise
    _keep(registry, decision)
    return decision


def _check_policy(located: Located, force: bool) -> None:
    if located.spec.settings.retrain or force:
        return
    place = located.locator
    raise SpecError(
        f"{located.spec.name} has no policy for retraining. Add 'retrain' with 'schedule', 'on_new_rows' or 'on_drift' "
        "to its settings, or retrain it all the same with --force.",
        file=place.file if place else None,
        line=place.line if place else None,
    )


def _basis(registry: Registry, model: str, as_of: datetime) -> _Basis | None:
    for version in reversed(registry.versions(model)):
        trained = registry.run(version.run_id).as_of
        if trained < as_of:
            return _Basis(version, trained)
    return None


def _reasons(
    engine: Engine, registry: Registry, spec: ModelSpec, basis: _Basis | None, as_of: datetime, force: bool
) -> tuple[Reason, ...]:
    """What each part of the policy says, and what stands above it."""
    policy, found = spec.settings.retrain, list[Reason]()
    if force:
        found.append(Reason(reason="forced", due=True, detail="asked for"))
    if basis is None:
        detail = f"no version was trained before {as_of:%Y-%m-%d %H:%M}"
        return (*found, Reason(reason="untrained", due=True, detail=detail))
    since = basis.as_of
    if policy and policy.schedule:
        found.append(by_schedule(policy.schedule, since, as_of))
    if policy and policy.on_new_rows:
        found.append(by_new_rows(policy.on_new_rows, _new_rows(engine, spec, since, as_of), since))
    if policy and policy.on_drift:
        found.append(by_drift(policy.on_drift, registry.drifted(basis.version, since, as_of), since))
    return tuple(found)


def _new_rows(engine: Engine, spec: ModelSpec, since: datetime, as_of: datetime) -> int:
    settings = spec.settings
    columns_of(engine, spec.training_set)
    roles = Columns((), settings.entity, settings.as_of, settings.label, settings.label_at)
    return count_new(engine, spec.training_set, roles, task=settings.task, since=since, as_of=as_of)


def _challenge(
    engine: Engine, registry: Registry, located: Located, decision: Decision, progress: Progress
) -> Decision:
    """Train, and promote the version if it passes its gates and is better than the champion."""
    now, model = decision.decided_at, decision.model
    done = train(engine, registry, located, as_of=decision.as_of, now=now, if_changed=True, progress=progress)
    number, before = done.version.version, registry.champions(model)
    decision = replace(
        decision,
        version=number,
        champion=next((other for other in reversed(before) if other != number), None),
        challenger_value=_figure(done, "model", located.spec),
        champion_value=_figure(done, "champion", located.spec),
    )
    if not done.passed:
        failed = "; ".join(verdict.text for verdict in done.verdicts if not verdict.passed)
        return replace(decision, outcome="rejected", detail=failed)
    (verdict,) = judge(
        [Gate(better_than="champion", metric=located.spec.settings.metric)], done.measured, done.unmeasured
    )
    if not verdict.passed:
        return replace(decision, outcome="kept", detail=verdict.text)
    if number in withdrawn(registry.events(model)):
        return replace(decision, outcome="kept", detail=f"version {number} was rolled back from")
    if before[-1:] != [number]:
        try:
            promote(engine, registry, model, version=number, now=now, progress=progress)
        except ParityFailed as failed:
            return replace(decision, outcome="uncertified", detail=str(failed))
    return replace(decision, outcome="promoted", detail=verdict.text)


def _figure(done: Trained, predictor: str, spec: ModelSpec) -> float | None:
    return done.measured.get(predictor, {}).get("test", {}).get(spec.settings.metric)


def _keep(registry: Registry, decision: Decision) -> None:
    """Append a decision, unless the model's last one says the same of the same moment."""
    before = registry.decisions(decision.model)[-1:]
    if [replace(one, decided_at=decision.decided_at) for one in before] != [decision]:
        registry.record_decision(decision)
