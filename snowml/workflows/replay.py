"""Replay: a training set as it could have been built at a past moment, from what had arrived by then."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from snowml.auditing.lineage import Lineage, dataset
from snowml.engines.base import Engine
from snowml.errors import ProjectError
from snowml.names import Relation, quoted
from snowml.workflows.dbt import Dbt
from snowml.workflows.scratch import scratch
from snowml.workflows.specs import Located, from_project
from snowml.workflows.train import read_training_set

# What arrives exactly at a moment has arrived by it.
_AFTER = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay came to.

    Attributes:
        relation: The table that holds it, until the model is replayed again.
        rows: How many rows a training as of that moment uses.
        fingerprint: The sha256 of what it uses, as a run records it.
        versions: The versions that were trained as of the same moment, and whether on these very rows.
    """

    model: str
    as_of: datetime
    relation: Relation
    rows: int
    fingerprint: str
    versions: dict[int, bool]

    def summary(self) -> dict[str, Any]:
        """What a command answers."""
        return {
            "model": self.model,
            "as_of": self.as_of,
            "relation": str(self.relation),
            "rows": self.rows,
            "fingerprint": self.fingerprint,
            "versions": [
                {"version": number, "identical": identical} for number, identical in self.versions.items()
            ],
        }


def replay(dbt: Dbt, model: str, *, as_of: datetime) -> Replayed:
    """Build the model's training set from the facts that were known and had arrived at `as_of`, and keep it.

    By the project as it is now: what comes out differently than it did then, the code has changed.

    Raises:
        ProjectError: For some of the facts nothing says when they arrived.
        DataError: No label was known then.
    """
    variables = {"as_of": as_of.isoformat(sep=" ")}
    manifest = dbt.manifest(variables)
    database = dbt.project.database(notify=dbt.progress.note)
    located = from_project(dbt.project, manifest, model, database=database)
    settings = located.spec.settings
    lineage = Lineage(manifest, dataset(manifest, model, settings.training_set), settings.as_of)
    _check_arrivals(lineage, model)
    home = dbt.project.registry_schema
    with scratch(dbt, lineage, variables, database=database, schema=f"{home}_replaying") as place:
        with dbt.progress.step(f"build {settings.training_set} with all data") as step:
            place.build_whole(step)
        with dbt.progress.step(f"build it from what had arrived by {as_of:%Y-%m-%d %H:%M:%S}") as step:
            place.build_past(as_of + _AFTER, step)
        kept = Relation(f"{home}_replay", settings.training_set, database)
        with place.session() as engine:
            _keep(engine, place.past(lineage.training_set), kept)
            return _measured(engine, dbt, located, kept, as_of)


def _check_arrivals(lineage: Lineage, model: str) -> None:
    """Every fact must say when it arrived, or there is no telling what was there."""
    undated = [" ← ".join(path) for path in lineage.undated]
    unsaid = []
    for uid in lineage.roots:
        history = lineage.history(uid)
        if history is None or history.arrived_at is None:
            unsaid.append(lineage.name(uid))
    if unsaid or undated:
        about = (
            f"when the rows of {', '.join(unsaid)} arrived" if unsaid else f"anything on {'; '.join(undated)}"
        )
        raise ProjectError(
            f"{model} cannot be replayed: nothing says {about}, so what was there at a past moment cannot be told from "
            "what came later. Where the load stamps each row, name that column on the dated model "
            "(config: {meta: {snowml: {arrived_at: …}}}); known_at, where facts arrive as they become known."
        )


def _keep(engine: Engine, made: Relation, kept: Relation) -> None:
    schema = f"{quoted(str(kept.database), engine.name)}.{quoted(kept.schema, engine.name)}"
    engine.execute(f"create schema if not exists {schema}")
    engine.execute(
        f"create or replace table {kept.sql(engine.name)} as select * from {made.sql(engine.name)}"
    )


def _measured(engine: Engine, dbt: Dbt, located: Located, kept: Relation, as_of: datetime) -> Replayed:
    spec = located.spec.model_copy(update={"training_set": kept})
    _, data = read_training_set(engine, Located(spec, located.locator), as_of)
    registry = dbt.project.registry(engine)
    runs = {}
    if registry.exists:
        registry.create()
        runs = {version.version: registry.run(version.run_id) for version in registry.versions(spec.name)}
    return Replayed(
        model=spec.name,
        as_of=as_of,
        relation=kept,
        rows=len(data.label),
        fingerprint=data.fingerprint,
        versions={
            number: run.fingerprint == data.fingerprint for number, run in runs.items() if run.as_of == as_of
        },
    )
