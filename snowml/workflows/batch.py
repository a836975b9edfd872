"""Predict without dbt: one INSERT in the warehouse, for procedures."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from snowml.engines.base import Engine
from snowml.engines.columns import columns_of
from snowml.errors import DataError
from snowml.names import Relation, quoted
from snowml.records import Version
from snowml.registry.store import Registry
from snowml.serving import multiclass
from snowml.workflows.inputs import broken_inputs, check_keys
from snowml.workflows.monitor import predictions_of
from snowml.workflows.repair import repair
from snowml.workflows.specs import Located


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


def predict_batch(engine: Engine, registry: Registry, located: Located, *, as_of: datetime) -> Predicted:
    """Score the rows of the scoring set that the champion has not scored yet, with one INSERT in the warehouse.

    For procedures, which have no dbt. The table is the one dbt appends to, and so are its columns. As there, a
    row whose as-of is later than the moment is not scored.

    Raises:
        DataError: The scoring set lacks what the version reads, or rows have no keys of their own.
    """
    spec = located.spec
    engine.tag("predict", spec.name)
    version = registry.champion(spec.name)
    repair(registry, spec.name)
    target = predictions_of(spec)
    broken = broken_inputs(columns_of(engine, spec.scoring_set), version, str(spec.scoring_set), engine.name)
    if broken:
        raise DataError("\n".join(broken))
    check_keys(engine, spec.scoring_set, (*spec.settings.entity, spec.settings.as_of))
    selection = _selection(engine, located, version)
    name = target.within(engine.database).sql(engine.name)
    with engine.transaction(ddl=True):
        if not _exists(engine, target):
            engine.execute(
                f"create table {name} as select * from ({selection}) as none_yet limit 0", [as_of, as_of]
            )
        # Two who score at once would both find the same rows not scored yet.
        with registry.transaction():
            before = count_rows(engine, target, version)
            keys = (*spec.settings.entity, spec.settings.as_of)
            on = " and ".join(f"done.{quoted(k, engine.name)} = fresh.{quoted(k, engine.name)}" for k in keys)
            engine.execute(
                f"insert into {name} select * from ({selection}) as fresh where not exists (select 1 from {name} "
                f"as done where {on} and done.model_version = {int(version.version)})",
                [as_of, as_of],
            )
            after = count_rows(engine, target, version)
    return Predicted(version, target, after - before, after)


def _selection(engine: Engine, located: Located, version: Version) -> str:
    """entity, as_of, prediction, score, model_version, predicted_at, where the as-of has come; two `?`: the moment.

    Of more than two classes: `probabilities` besides, and the score is the predicted label's.
    """
    spec, dialect, signature = located.spec, engine.name, version.signature
    arguments = ", ".join(quoted(feature.name, dialect) for feature in signature.features)
    keys = ", ".join(quoted(name, dialect) for name in (*signature.entity, signature.as_of))
    base = f"predict_{version.model}_v{version.version}"
    home = Relation(spec.function_schema, base, engine.database)
    proba = Relation(home.schema, f"{base}_proba", home.database)
    label = Relation(home.schema, f"{base}_label", home.database)
    source = spec.scoring_set.within(engine.database).sql(dialect)
    if signature.task == "classification":
        answer, prediction = f"{proba.sql(dialect)}({arguments})", f"{label.sql(dialect)}(answer)"
    else:
        answer, prediction = f"{home.sql(dialect)}({arguments})", "answer"
    score = multiclass.probability_of_predicted("answer", "prediction", dialect)
    scores = f"{score} as score, answer as probabilities" if signature.is_multiclass else "answer as score"
    return (
        f"select {keys}, prediction, {scores}, cast({int(version.version)} as bigint) as model_version, "
        f"cast(? as timestamp) as predicted_at from (select {keys}, answer, {prediction} as prediction "
        f"from (select {keys}, {answer} as answer from {source} where {quoted(signature.as_of, dialect)} <= ?) "
        "as answered) as scored"
    )


def _exists(engine: Engine, relation: Relation) -> bool:
    try:
        return bool(columns_of(engine, relation))
    except DataError:
        return False


def count_rows(engine: Engine, relation: Relation, version: Version) -> int:
    """How many rows of a table of predictions a version has answered; 0 where there is no such table."""
    if not _exists(engine, relation):
        return 0
    name = relation.within(engine.database).sql(engine.name)
    rows: list[dict[str, Any]] = engine.query(
        f"select count(*) as n from {name} where model_version = ?", [version.version]
    ).to_pylist()
    return int(rows[0]["n"])
