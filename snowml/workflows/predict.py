"""Predict: score what is due, by dbt where there is a project, by one INSERT where there is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from snowml.engines.base import Engine
from snowml.engines.columns import columns_of
from snowml.errors import DataError, did_you_mean
from snowml.names import Relation, quoted
from snowml.records import Version
from snowml.registry.store import Registry
from snowml.workflows.dbt import Dbt
from snowml.workflows.monitor import predictions_of
from snowml.workflows.specs import Located, from_registry


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a scoring came to."""

    version: Version
    relation: Relation
    scored: int
    total: int

    def summary(self) -> dict[str, Any]:
        """What a command or a procedure answers."""
        return {
            "model": self.version.model,
            "version": self.version.version,
            "relation": str(self.relation),
            "scored": self.scored,
            "total": self.total,
        }


def predict(dbt: Dbt, model: str, *, as_of: datetime, upstream: bool = False) -> Predicted:
    """Build the model's scoring set and predictions as of a moment, with their tests.

    Args:
        dbt: The project.
        model: The model.
        as_of: The moment.
        upstream: Build everything that the predictions depend on first.

    Raises:
        NotTrained: The model has no version; NotPromoted: it has no champion.
        ProjectError: The project has no model `<model>_predictions`.
    """
    with _session(dbt) as registry:
        registry.require()
        version = registry.champion(model)
        spec = from_registry(registry, model).spec
        target = predictions_of(spec)
        before = _rows(registry.engine, target, version)
    alone = [f"{model}_predictions", spec.settings.scoring_set]
    dbt.build(
        select=[f"+{model}_predictions"] if upstream else alone,
        variables={"as_of": as_of.isoformat(sep=" ")},
        title=f"score {model}",
    )
    with _session(dbt) as registry:
        after = _rows(registry.engine, target, version)
    return Predicted(version, target, after - before, after)


@contextmanager
def _session(dbt: Dbt) -> Iterator[Registry]:
    """The registry, for as long as dbt does not need the file."""
    engine = dbt.project.open(notify=dbt.progress.note)
    try:
        yield dbt.project.registry(engine)
    finally:
        engine.close()


def predict_batch(engine: Engine, registry: Registry, located: Located, *, as_of: datetime) -> Predicted:
    """Score the rows of the scoring set that the champion has not scored yet, with one INSERT in the warehouse.

    For procedures, which have no dbt. The table is the one dbt appends to, and so are its columns.
    """
    spec = located.spec
    version = registry.champion(spec.name)
    target = predictions_of(spec)
    _check_inputs(columns_of(engine, spec.scoring_set), version, str(spec.scoring_set))
    selection = _selection(engine, located, version)
    name = target.within(engine.database).sql(engine.name)
    with engine.transaction():
        before = _rows(engine, target, version)
        if before == 0 and not _exists(engine, target):
            engine.execute(f"create table {name} as {selection}", [as_of])
        else:
            keys = (*spec.settings.entity, spec.settings.as_of)
            on = " and ".join(f"done.{quoted(k, engine.name)} = fresh.{quoted(k, engine.name)}" for k in keys)
            engine.execute(
                f"insert into {name} select * from ({selection}) as fresh where not exists (select 1 from {name} "
                f"as done where {on} and done.model_version = {int(version.version)})",
                [as_of],
            )
        after = _rows(engine, target, version)
    return Predicted(version, target, after - before, after)


def _selection(engine: Engine, located: Located, version: Version) -> str:
    """entity, as_of, prediction, score, model_version, predicted_at; one `?` for the last."""
    spec, dialect, signature = located.spec, engine.name, version.signature
    arguments = ", ".join(quoted(feature.name, dialect) for feature in signature.features)
    keys = ", ".join(quoted(name, dialect) for name in (*signature.entity, signature.as_of))
    base = f"predict_{version.model}_v{version.version}"
    home = Relation(spec.function_schema, base, engine.database)
    proba = Relation(home.schema, f"{base}_proba", home.database)
    label = Relation(home.schema, f"{base}_label", home.database)
    source = spec.scoring_set.within(engine.database).sql(dialect)
    if signature.task == "classification":
        score, prediction = f"{proba.sql(dialect)}({arguments})", f"{label.sql(dialect)}(score)"
    else:
        score, prediction = f"{home.sql(dialect)}({arguments})", "score"
    return (
        f"select {keys}, {prediction} as prediction, score, {int(version.version)} as model_version, "
        f"cast(? as timestamp) as predicted_at from (select {keys}, {score} as score from {source}) as scored"
    )


def _check_inputs(columns: list[tuple[str, str]], version: Version, source: str) -> None:
    known = {name.lower() for name, _ in columns}
    for feature in version.signature.features:
        if feature.name.lower() not in known:
            raise DataError(
                f"{source} has no column '{feature.name}', which {version.model} version {version.version} reads."
                f"{did_you_mean(feature.name, known)}"
            )


def _exists(engine: Engine, relation: Relation) -> bool:
    try:
        return bool(columns_of(engine, relation))
    except DataError:
        return False


def _rows(engine: Engine, relation: Relation, version: Version) -> int:
    if not _exists(engine, relation):
        return 0
    name = relation.within(engine.database).sql(engine.name)
    rows: list[dict[str, Any]] = engine.query(
        f"select count(*) as n from {name} where model_version = ?", [version.version]
    ).to_pylist()
    return int(rows[0]["n"])
