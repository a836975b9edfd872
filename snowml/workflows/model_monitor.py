"""Snowflake's own model monitor of a champion, beside the tables that snowml keeps: what it reads, and its statement.

A monitor watches one version of a MODEL. It reads a view, which puts what was scored beside what is known of it by now,
and compares it with a table, the rows of the version's test window with their answers. Both are of the champion: where
that turns, all three are made anew under the same names.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from snowml.engines.base import Engine
from snowml.engines.columns import columns_of
from snowml.errors import DataError, WarehouseError
from snowml.names import Relation, literal, quoted, written
from snowml.records import Signature, Version
from snowml.registry.store import Registry
from snowml.spec.model import ModelSpec
from snowml.spec.split import Split
from snowml.workflows.monitor import predictions_of
from snowml.workflows.native import name_of
from snowml.workflows.specs import from_registry

# What its comment begins with: whose it is.
OURS: Final = "snowml deploy "
_PREDICTION: Final = "snowml_prediction"
_ACTUAL: Final = "snowml_actual"


@dataclass(frozen=True, slots=True)
class ModelMonitor:
    """A monitor that is wanted, with what it reads.

    Attributes:
        name: What it is called; the view and the table stand beside it.
        source: The statement that makes the view.
        baseline: The statement that makes the table.
        statement: The statement that makes the monitor.
    """

    name: Relation
    source: str
    baseline: str
    statement: str

    @property
    def mark(self) -> str:
        """Its comment: equal only where all that makes it is."""
        content = "\0".join((self.source, self.baseline, self.statement))
        return OURS + hashlib.sha256(content.encode()).hexdigest()[:16]

    @property
    def statements(self) -> tuple[str, ...]:
        """What is sent, in order."""
        comment = f"comment = {literal(self.mark, 'snowflake')}"
        return (
            f"create or replace view {source_of(self.name).sql('snowflake')} {comment}\nas {self.source}",
            f"create or replace table {baseline_of(self.name).sql('snowflake')} {comment}\nas {self.baseline}",
            f"{self.statement}\n{comment}",
        )


def named(model: str) -> str:
    """What the monitor of a model is called; it must stand in the schema of the MODEL, which is the registry's."""
    return f"snowml_{model}_monitor"


def source_of(monitor: Relation) -> Relation:
    """The view that it reads."""
    return Relation(monitor.schema, f"{monitor.name}_source", monitor.database)


def baseline_of(monitor: Relation) -> Relation:
    """The table that it compares with."""
    return Relation(monitor.schema, f"{monitor.name}_baseline", monitor.database)


def there(engine: Engine, schema: str) -> dict[str, Mapping[str, Any]]:
    """The monitors in a schema by name, as SHOW tells of them."""
    home = f"{quoted(engine.database, 'snowflake')}.{quoted(schema, 'snowflake')}"
    return {row["name"]: row for row in engine.query(f"show model monitors in schema {home}").to_pylist()}


def follow_monitor(registry: Registry, model: str) -> bool:
    """Where a model has a monitor that a deployment made, make it watch the champion.

    Returns:
        Whether it watched something else.
    """
    engine = registry.engine
    if engine.models is None:
        return False
    spec = from_registry(registry, model).spec
    if spec.settings.monitor.native is None:
        return False
    name = Relation(registry.schema, named(model), engine.database)
    found = there(engine, name.schema).get(quoted(name.name, "snowflake")[1:-1])
    if found is None or not str(found["comment"] or "").startswith(OURS):
        return False
    try:
        wanted = wanted_monitor(registry, spec, written(str(found["warehouse_name"]), "snowflake"))
    except DataError:
        return False
    if found["comment"] == wanted.mark:
        return False
    try:
        for statement in wanted.statements:
            engine.execute(statement)
    except WarehouseError as error:
        raise type(error)(
            f"{error}\n{model} has its champion all the same. Its model monitor follows with the next snowml deploy."
        ) from error
    return True


def wanted_monitor(registry: Registry, spec: ModelSpec, warehouse: str) -> ModelMonitor:
    """The monitor of a model's champion.

    Raises:
        DataError: There is no champion, or nothing is scored yet: there is nothing to watch.
    """
    champions = registry.champions(spec.name) if registry.exists else []
    if not champions:
        raise DataError(f"{spec.name} has no champion")
    version = registry.version(spec.name, champions[-1])
    for relation in (spec.scoring_set, spec.training_set, predictions_of(spec)):
        columns_of(registry.engine, relation)
    native = spec.settings.monitor.native
    assert native is not None  # who asks has looked
    name = Relation(registry.schema, named(spec.name), registry.engine.database)
    signature = version.signature
    keys = ", ".join(f"'{_bare(key)}'" for key in signature.entity)
    prediction, actual = _kinds(signature)
    statement = (
        f"create or replace model monitor {name.sql('snowflake')} with\n"
        f"model = {registry.table(spec.name).within(registry.engine.database).sql('snowflake')}\n"
        f"version = {literal(name_of(version), 'snowflake')}\n"
        f"function = '{'predict_proba' if prediction == 'score' and signature.classes else 'predict'}'\n"
        f"source = {source_of(name).sql('snowflake')}\n"
        f"baseline = {baseline_of(name).sql('snowflake')}\n"
        f"warehouse = {quoted(warehouse, 'snowflake')}\n"
        f"refresh_interval = '{native.minutes} minutes'\n"
        f"aggregation_window = '{native.days} days'\n"
        f"timestamp_column = {quoted(signature.as_of, 'snowflake')}\n"
        f"id_columns = ({keys})\n"
        f"prediction_{prediction}_columns = ('{_bare(_PREDICTION)}')\n"
        f"actual_{actual}_columns = ('{_bare(_ACTUAL)}')"
    )
    return ModelMonitor(name, _source(registry, spec, version), _baseline(registry, spec, version), statement)


def _kinds(signature: Signature) -> tuple[str, str]:
    """Of which kind prediction and actual are: two classes are predicted by a probability, and are classes."""
    if signature.is_multiclass:
        return "class", "class"
    return "score", "class" if signature.classes else "score"


def _source(registry: Registry, spec: ModelSpec, version: Version) -> str:
    """Features, prediction and, where it is known, label of each row that the version has scored."""
    database = registry.engine.database
    keys = (*version.signature.entity, version.signature.as_of)

    def same(left: str) -> str:
        return " and ".join(f"{left}.{_q(key)} = s.{_q(key)}" for key in keys)

    answer = "p.prediction" if version.signature.is_multiclass else "p.score"
    scored, predicted, known = (
        relation.within(database).sql("snowflake")
        for relation in (spec.scoring_set, predictions_of(spec), spec.training_set)
    )
    return (
        f"select {_columns(version.signature, 's')}, {_answer(answer, version.signature)}, "
        f"{_label(spec, version.signature, 't')}\n"
        f"from {scored} as s\n"
        f"inner join {predicted} as p on {same('p')} and p.model_version = {int(version.version)}\n"
        f"left join {known} as t on {same('t')}"
    )


def _baseline(registry: Registry, spec: ModelSpec, version: Version) -> str:
    """The same of the test window that the version was measured on, answered by its own function."""
    signature, run = version.signature, registry.run(version.run_id)
    tested = Split.model_validate(run.params["split"]).windows(run.as_of)
    rows = spec.training_set.within(registry.engine.database).sql("snowflake")
    base = f"predict_{version.model}_v{version.version}"
    called = base if signature.is_multiclass or not signature.classes else f"{base}_proba"
    function = Relation(spec.function_schema, called, registry.engine.database).sql("snowflake")
    arguments = ", ".join(f"t.{_q(feature.name)}" for feature in signature.features)
    start, end = (
        f"'{moment.isoformat(sep=' ')}'::timestamp_ntz" for moment in (tested.test_start, tested.end)
    )
    at, known = f"t.{_q(signature.as_of)}", f"t.{_q(spec.settings.label_at)}"
    return (
        f"select {_columns(signature, 't')}, {_answer(f'{function}({arguments})', signature)}, "
        f"{_label(spec, signature, 't')}\n"
        f"from {rows} as t\n"
        f"where {at} >= {start} and {at} < {end} and {known} <= {end}"
    )


def _columns(signature: Signature, of: str) -> str:
    """Entity (as text), moment and features; a feature that is the entity too is there once."""
    keys = [f"cast({of}.{_q(key)} as varchar) as {_q(key)}" for key in signature.entity]
    moment = f"cast({of}.{_q(signature.as_of)} as timestamp_ntz) as {_q(signature.as_of)}"
    known = {*signature.entity, signature.as_of}
    features = [f"{of}.{_q(one.name)}" for one in signature.features if one.name not in known]
    return ", ".join((*keys, moment, *features))


def _answer(answer: str, signature: Signature) -> str:
    """The prediction: a class as text, a score as a number."""
    return f"cast({answer} as {'varchar' if signature.is_multiclass else 'float'}) as {_q(_PREDICTION)}"


def _label(spec: ModelSpec, signature: Signature, of: str) -> str:
    """The label as the monitor takes it: of two classes 1 is the positive one."""
    label = f"{of}.{_q(spec.settings.label)}"
    if signature.is_multiclass:
        shown = f"cast({label} as varchar)"
    elif signature.positive is not None:
        shown = f"iff({label} is null, null, iff({label} = {literal(signature.positive, 'snowflake')}, 1, 0))"
    else:
        shown = f"cast({label} as float)"
    return f"{shown} as {_q(_ACTUAL)}"


def _q(name: str) -> str:
    return quoted(name, "snowflake")


def _bare(name: str) -> str:
    """A name in a list of texts, as Snowflake keeps it."""
    return literal(_q(name)[1:-1].replace('""', '"'), "snowflake")[1:-1]
