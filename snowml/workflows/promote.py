"""Promote and roll back: which version answers `predict_<model>`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from snowml.engines.base import Engine
from snowml.errors import DataError, GateFailed, ModelNotFound, ParityFailed, UserError
from snowml.progress import Progress, Silent
from snowml.records import Parity, Version, VersionEvent
from snowml.registry.history import champions, statuses, withdrawn
from snowml.registry.store import Registry
from snowml.workflows.certificate.parity import certified, covers, refusal
from snowml.workflows.champion import load_artifact
from snowml.workflows.inputs import broken_where_built
from snowml.workflows.model_monitor import follow_monitor
from snowml.workflows.native import follow
from snowml.workflows.repair import (
    create_current,
    create_versioned,
    functions_for,
    names_of_current,
    repair_if_possible,
)
from snowml.workflows.specs import from_registry


@dataclass(frozen=True, slots=True)
class Promoted:
    """What a promotion or a roll-back came to."""

    version: Version
    previous: int | None
    functions: tuple[str, ...]
    parity: Parity | None

    def summary(self) -> dict[str, Any]:
        """What a command or a procedure answers."""
        return {
            "model": self.version.model,
            "version": self.version.version,
            "previous": self.previous,
            "functions": list(self.functions),
            "parity": self.parity.summary() if self.parity else None,
        }


def promote(
    engine: Engine,
    registry: Registry,
    model: str,
    *,
    version: int | None = None,
    now: datetime,
    progress: Progress | None = None,
) -> Promoted:
    """Make a version the champion, if its gates were passed and it has a parity certificate.

    Where the one from its training is of other functions or other code than would serve now, it is compared anew.

    Args:
        engine: The warehouse.
        registry: Where the model's versions are.
        model: The model.
        version: Its version; where None, the newest approved one that was not rolled back from.
        now: The moment of the promotion.
        progress: Told what is being done.

    Raises:
        GateFailed: The version did not pass its gates.
        DataError: The scoring set, or the training set, lacks a column that it reads.
        ParityFailed: Its answers differ from scikit-learn's.
        NotTrained: There is no version.
    """
    progress = progress or Silent()
    engine.tag("promote", model)
    registry.create()
    repair_if_possible(registry, model)
    chosen = _chosen(registry, model, version)
    _check_scoring_set(engine, registry, chosen)
    artifact = load_artifact(registry, chosen)
    functions = functions_for(registry, chosen, artifact)
    create_versioned(engine, functions)
    parity = registry.parity(model).get(chosen.version)
    if parity is None or not covers(parity, engine, functions):
        parity = certified(registry, chosen, artifact, functions, now, progress)
    if not parity.certified:
        raise ParityFailed(refusal(parity))
    # The event comes first: a function that has not followed it yet is repaired by the next command.
    with progress.step(f"promote {model} version {chosen.version}"), engine.transaction(ddl=True):
        # Asked again where one alone writes: another promotion may have come first.
        with registry.transaction():
            turns = registry.champions(model)
            previous = turns[-1] if turns else None
            if previous != chosen.version:
                registry.record_event(VersionEvent(model, chosen.version, "promoted", now, _after(previous)))
        names = create_current(engine, functions)
    follow(registry, model, progress)
    follow_monitor(registry, model)
    return Promoted(chosen, previous, names, parity)


def rollback(
    engine: Engine, registry: Registry, model: str, *, to: int | None = None, now: datetime
) -> Promoted:
    """Make the champion before this one the champion again, or the version `to` if it was one.

    A roll-back that was interrupted is finished, and not done a second time.

    Raises:
        UserError: There is no earlier champion.
    """
    engine.tag("rollback", model)
    current = registry.champion(model)
    if repair_if_possible(registry, model) and (finished := _finished(registry, current, to)):
        return finished
    earlier = registry.champions(model)[:-1]
    target = to if to is not None else (earlier[-1] if earlier else None)
    if target is None:
        raise UserError(
            f"{model} has had no champion before version {current.version}: nothing to roll back to."
        )
    if target not in earlier:
        shown = ", ".join(map(str, earlier)) or "none"
        raise ModelNotFound(
            f"Version {target} of {model} was no champion before this one. Earlier ones: {shown}."
        )
    version = registry.version(model, target)
    functions = functions_for(registry, version, load_artifact(registry, version))
    create_versioned(engine, functions)
    with engine.transaction(ddl=True):
        registry.record_event(VersionEvent(model, target, "rolled_back", now, f"from {current.version}"))
        names = create_current(engine, functions)
    follow(registry, model)
    follow_monitor(registry, model)
    return Promoted(version, current.version, names, None)


def _finished(registry: Registry, current: Version, to: int | None) -> Promoted | None:
    """What the roll-back came to whose functions were just repaired; None where it was something else."""
    *before, last = registry.events(current.model)
    if last.event != "rolled_back" or to not in (None, current.version):
        return None
    return Promoted(current, champions(before)[-1], names_of_current(current), None)


def _chosen(registry: Registry, model: str, number: int | None) -> Version:
    """The version asked for, or the newest approved one that was not rolled back from."""
    events = registry.events(model)
    chosen = _newest(registry, model, events) if number is None else registry.version(model, number)
    status = statuses(events)[chosen.version]
    if status == "approved":
        return chosen
    reasons = [event.detail for event in events if event.version == chosen.version][-1]
    if status == "rejected":
        raise GateFailed(
            f"{model} version {chosen.version} did not pass its gates and is not promoted: {reasons}"
        )
    raise GateFailed(f"{model} version {chosen.version} is {status} and cannot be promoted.")


def _check_scoring_set(engine: Engine, registry: Registry, chosen: Version) -> None:
    """Refuse a version that the scoring set cannot feed: the next build of the predictions would fail."""
    scoring_set = from_registry(registry, chosen.model).spec.scoring_set
    if broken := broken_where_built(engine, scoring_set, chosen):
        raise DataError("\n".join([f"{chosen.model} version {chosen.version} is not promoted.", *broken]))


def _newest(registry: Registry, model: str, events: list[VersionEvent]) -> Version:
    """The newest approved version; one that was rolled back from comes back only by its number."""
    versions, status = registry.versions(model), statuses(events)
    if not versions:
        raise registry.untrained(model)
    approved = [version for version in versions if status[version.version] == "approved"]
    trusted = [version for version in approved if version.version not in withdrawn(events)]
    return (trusted or approved or versions)[-1]


def _after(previous: int | None) -> str:
    return f"in place of version {previous}" if previous else "the first champion"
