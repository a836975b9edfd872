"""The catalogue: which feature tables there are, what is in them, who owns them, and which models read what."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from snowml.auditing.lineage import Lineage, dataset
from snowml.engines.base import Engine
from snowml.engines.columns import columns_of
from snowml.errors import DataError
from snowml.names import Relation, quoted
from snowml.spec.exposure import model_names
from snowml.spec.fields import folded
from snowml.spec.model import ModelSpec
from snowml.workflows.dbt import Dbt
from snowml.workflows.specs import from_project


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a feature table, and the models of which it is a feature."""

    name: str
    type: str | None
    description: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """A dbt model with one row for each entity and moment, which training sets read.

    Attributes:
        entity: The columns that identify a row, with `as_of`.
        newest: The latest `as_of` in it; None where it is not built, or was not asked.
        is_built: Whether the columns are the warehouse's, and not only what its properties declare.
    """

    name: str
    relation: Relation
    description: str
    owner: str | None
    entity: tuple[str, ...]
    as_of: str
    newest: datetime | None
    rows: int | None
    is_built: bool
    columns: tuple[Column, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """The models that read any of its columns."""
        return tuple(sorted({model for column in self.columns for model in column.models}))


@dataclass(frozen=True, slots=True)
class _Reader:
    """A model, and what its training set is made of."""

    spec: ModelSpec
    lineage: Lineage
    features: frozenset[str]


def catalogue(dbt: Dbt) -> list[FeatureTable]:
    """The feature tables of a project as they are built, those that read raw facts first."""
    manifest = dbt.manifest()
    engine = dbt.project.open(read_only=True, notify=dbt.progress.note)
    try:
        specs = [
            from_project(dbt.project, manifest, name, database=engine.database).spec
            for name in model_names(manifest)
        ]
        tables = feature_tables(manifest, specs, engine.database, engine)
        return [_with_freshness(engine, table) for table in tables]
    finally:
        engine.close()


def feature_tables(
    manifest: Mapping[str, Any], specs: Iterable[ModelSpec], database: str, engine: Engine | None
) -> list[FeatureTable]:
    """The feature tables that these models read, those that read raw facts first; their rows are not looked at.

    Columns and types are the warehouse's where a table is built, else those that its properties declare.

    Args:
        manifest: dbt's manifest.
        specs: The models.
        database: Where relations are that name none.
        engine: The warehouse; None: there is none to ask.
    """
    warehouse = _Warehouse(database, engine)
    readers = [_reader(warehouse, manifest, spec) for spec in specs]
    order = dict.fromkeys(uid for reader in readers for uid in reader.lineage.derived)
    tables = (_table(warehouse, uid, readers) for uid in order)
    return [table for table in tables if table is not None]


@dataclass(frozen=True, slots=True)
class _Warehouse:
    """Where nodes are, and who knows what their columns are."""

    database: str
    engine: Engine | None

    def relation(self, lineage: Lineage, uid: str) -> Relation:
        node = lineage.node(uid)
        return Relation(
            folded(node["schema"]),
            folded(node.get("alias") or node["name"]),
            node.get("database") or self.database,
        )

    def built(self, lineage: Lineage, uid: str) -> dict[str, str | None] | None:
        """The columns of a node with their types; None where it is not built, or nobody can say."""
        if self.engine is None:
            return None
        try:
            found = columns_of(self.engine, self.relation(lineage, uid))
        except DataError:
            return None
        return {folded(name): type_ for name, type_ in found}

    def columns(self, lineage: Lineage, uid: str) -> dict[str, str | None]:
        """Those of the warehouse, or else those that are declared."""
        found = self.built(lineage, uid)
        if found is not None:
            return found
        declared = lineage.node(uid).get("columns", {}).values()
        return {folded(one["name"]): one.get("data_type") for one in declared}


def _reader(warehouse: _Warehouse, manifest: Mapping[str, Any], spec: ModelSpec) -> _Reader:
    settings = spec.settings
    lineage = Lineage(manifest, dataset(manifest, spec.name, settings.training_set), settings.as_of)
    roles = {column for _, column in settings.roles} | set(settings.features.exclude)
    columns = warehouse.columns(lineage, lineage.training_set)
    return _Reader(spec, lineage, frozenset(columns.keys() - roles))


def _table(warehouse: _Warehouse, uid: str, readers: Sequence[_Reader]) -> FeatureTable | None:
    """The feature table that a node is; None where it has not one row for each entity and moment of any model."""
    for reader in readers:
        settings, lineage = reader.spec.settings, reader.lineage
        if uid not in lineage.derived or uid == lineage.training_set:
            continue
        built = warehouse.built(lineage, uid)
        columns = warehouse.columns(lineage, uid) if built is None else built
        keys = {*settings.entity, settings.as_of}
        if not keys <= columns.keys() and not (built is None and keys == _declared_keys(lineage, uid)):
            continue
        reading = [one for one in readers if uid in one.lineage.derived]
        return FeatureTable(
            name=lineage.name(uid),
            relation=warehouse.relation(lineage, uid),
            description=_sentence(lineage.node(uid).get("description")),
            owner=_owner(lineage, uid) or _owners(reading),
            entity=settings.entity,
            as_of=settings.as_of,
            newest=None,
            rows=None,
            is_built=built is not None,
            columns=tuple(
                Column(
                    name=name,
                    type=type_,
                    description=_described(lineage, uid, name),
                    models=tuple(one.spec.name for one in reading if name in one.features),
                )
                for name, type_ in columns.items()
                if name not in keys
            ),
        )
    return None


def _declared_keys(lineage: Lineage, uid: str) -> set[str]:
    """The entity and the moment of a node's rows, where its settings say so: its columns need not be declared."""
    settings = lineage.settings(uid)
    entity, as_of = settings.get("entity") or [], settings.get("as_of")
    names = [*([entity] if isinstance(entity, str) else entity), *([as_of] if as_of else [])]
    return {folded(str(name)) for name in names}


def _with_freshness(engine: Engine, table: FeatureTable) -> FeatureTable:
    """With the latest as_of and the number of rows, where it is built."""
    if not table.is_built:
        return table
    sql = (
        f"select max({quoted(table.as_of, engine.name)}) as newest, count(*) as n "
        f"from {table.relation.sql(engine.name)}"
    )
    row = engine.query(sql).to_pylist()[0]
    return replace(table, newest=row["newest"], rows=int(row["n"]))


def _described(lineage: Lineage, uid: str, column: str) -> str:
    """What is said about a column, here or where it comes from."""
    waiting, seen = [uid], set[str]()
    while waiting:
        one = waiting.pop(0)
        if one in seen:
            continue
        seen.add(one)
        for name, said in lineage.node(one).get("columns", {}).items():
            if folded(name) == column and said.get("description"):
                return _sentence(said["description"])
        waiting += lineage.parents(one)
    return ""


def _owner(lineage: Lineage, uid: str) -> str | None:
    """The owner that the model names (`config.meta.owner`), or that of its dbt group."""
    config = lineage.node(uid).get("config", {})
    named = (config.get("meta") or {}).get("owner")
    if named:
        return str(named)
    for group in lineage.manifest.get("groups", {}).values():
        if config.get("group") and group["name"] == config["group"]:
            return str(group["owner"].get("name") or group["owner"].get("email"))
    return None


def _owners(readers: Sequence[_Reader]) -> str | None:
    """Where a table names no owner, those of the models that read it."""
    return ", ".join(dict.fromkeys(one.spec.owner for one in readers if one.spec.owner)) or None


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())
