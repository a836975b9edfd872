"""The catalogue: which feature tables there are, what is in them, who owns them, and which models read what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
        newest: The latest `as_of` in it; None where it is not built.
    """

    name: str
    relation: str
    description: str
    owner: str | None
    entity: tuple[str, ...]
    as_of: str
    newest: datetime | None
    rows: int | None
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
    """The feature tables of a project, those that read raw facts first.

    Columns and types are the warehouse's where a table is built, else those that its properties declare.
    """
    manifest = dbt.manifest()
    engine = dbt.project.open(read_only=True, notify=dbt.progress.note)
    try:
        readers = [_reader(dbt, engine, manifest, name) for name in model_names(manifest)]
        order = dict.fromkeys(uid for reader in readers for uid in reader.lineage.derived)
        tables = (_table(engine, uid, readers) for uid in order)
        return [table for table in tables if table is not None]
    finally:
        engine.close()


def _reader(dbt: Dbt, engine: Engine, manifest: Mapping[str, Any], name: str) -> _Reader:
    spec = from_project(dbt.project, manifest, name, database=engine.database).spec
    settings = spec.settings
    lineage = Lineage(manifest, dataset(manifest, name, settings.training_set), settings.as_of)
    roles = {column for _, column in settings.roles} | set(settings.features.exclude)
    columns = _columns(engine, lineage, lineage.training_set)
    return _Reader(spec, lineage, frozenset(columns.keys() - roles))


def _table(engine: Engine, uid: str, readers: Sequence[_Reader]) -> FeatureTable | None:
    """The feature table that a node is; None where it has not one row for each entity and moment of any model."""
    for reader in readers:
        settings, lineage = reader.spec.settings, reader.lineage
        if uid not in lineage.derived or uid == lineage.training_set:
            continue
        columns = _columns(engine, lineage, uid)
        keys = {*settings.entity, settings.as_of}
        if not keys <= columns.keys():
            continue
        reading = [one for one in readers if uid in one.lineage.derived]
        newest, rows = _freshness(engine, _relation(lineage, uid, engine), settings.as_of)
        return FeatureTable(
            name=lineage.name(uid),
            relation=str(_relation(lineage, uid, engine)),
            description=_sentence(lineage.node(uid).get("description")),
            owner=_owner(lineage, uid) or _owners(reading),
            entity=settings.entity,
            as_of=settings.as_of,
            newest=newest,
            rows=rows,
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


def _columns(engine: Engine, lineage: Lineage, uid: str) -> dict[str, str | None]:
    """The columns of a node with their types, built or declared."""
    try:
        found = columns_of(engine, _relation(lineage, uid, engine))
    except DataError:
        declared = lineage.node(uid).get("columns", {}).values()
        return {folded(one["name"]): one.get("data_type") for one in declared}
    return {folded(name): type_ for name, type_ in found}


def _freshness(engine: Engine, relation: Relation, as_of: str) -> tuple[datetime | None, int | None]:
    """The latest as_of and the number of rows; None where the table is not built."""
    try:
        columns_of(engine, relation)
    except DataError:
        return None, None
    sql = (
        f"select max({quoted(as_of, engine.name)}) as newest, count(*) as n from {relation.sql(engine.name)}"
    )
    row = engine.query(sql).to_pylist()[0]
    return row["newest"], int(row["n"])


def _relation(lineage: Lineage, uid: str, engine: Engine) -> Relation:
    node = lineage.node(uid)
    return Relation(
        folded(node["schema"]),
        folded(node.get("alias") or node["name"]),
        node.get("database") or engine.database,
    )


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
