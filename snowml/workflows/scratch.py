"""A training set built anew in schemas of its own, with all data or with what was known at a moment."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from snowml.auditing.lineage import Lineage
from snowml.auditing.visibility import hidden, known, moment, removed
from snowml.engines.base import Engine
from snowml.engines.columns import columns_of
from snowml.names import Relation, quoted
from snowml.progress import Step
from snowml.workflows.dbt import Dbt


@dataclass(slots=True)
class Scratch:
    """Two schemas beside the registry's: one built with all data, one with a past.

    dbt builds its models there because the parsed project says so, with the profile, the vars and the SQL as they are.

    Attributes:
        dbt: The project.
        lineage: What the training set is made of.
        variables: The vars of every build.
        database: Where the schemas are.
        schema: What their names begin with.
    """

    dbt: Dbt
    lineage: Lineage
    variables: Mapping[str, Any]
    database: str
    schema: str

    @property
    def _whole(self) -> str:
        return f"{self.schema}_whole"

    @property
    def _past(self) -> str:
        return f"{self.schema}_past"

    def whole(self, uid: str) -> Relation:
        """A node as it is with all data."""
        if uid.startswith("model."):
            return Relation(self._whole, _alias(uid), self.database)
        node = self.lineage.node(uid)
        name = str(node.get("identifier") or node.get("alias") or node["name"])
        return Relation(str(node["schema"]), name, str(node.get("database") or self.database))

    def past(self, uid: str) -> Relation:
        """A node as it is with what was known at the last cut."""
        return Relation(self._past, _alias(uid), self.database)

    def build_whole(self, step: Step | None = None) -> None:
        """Build everything upstream of the training set, and it."""
        models = [uid for uid in self.lineage.upstream if uid.startswith("model.")]
        places = dict.fromkeys(models, self._whole)

        def rewrite(manifest: Any) -> None:
            for uid, schema in places.items():
                _move(manifest, uid, schema, self.database)
            for uid in models:
                _as_table(manifest.nodes[uid])

        self.dbt.rebuild(models, rewrite, variables=self.variables, step=step)

    def build_past(self, cut: datetime, step: Step | None = None) -> None:
        """Build what lies below the dated nodes, of which only what was known before the cut can be read."""
        with self.session() as engine:
            self._drop(engine, self._past)
            self._create(engine, self._past)
            for uid in self.lineage.roots:
                self._view(
                    engine, uid, removed(self._source(engine, uid), self._history(uid), cut, engine.name)
                )
            filters = {
                uid: f"delete from {{{{ this }}}} where not ({known(self._history(uid), engine.name)} < "
                f"{moment(cut, engine.name)}) or {known(self._history(uid), engine.name)} is null"
                for uid in self.lineage.derived
                if self.lineage.history(uid)
            }
        self._rebuild(self.lineage.derived, filters, step)

    def build_hidden(
        self, cut: datetime, models: Collection[str], keep: set[str], step: Step | None = None
    ) -> None:
        """Build some of them again, where later facts are there and say nothing but what stands in `keep`."""
        read = {parent for uid in models for parent in self.lineage.parents(uid)} & set(self.lineage.roots)
        with self.session() as engine:
            for uid in read:
                source, history = self._source(engine, uid), self._history(uid)
                columns = columns_of(engine, self.whole(uid))
                self._view(engine, uid, hidden(source, columns, keep, history, cut, engine.name))
        self._rebuild(models, {}, step)

    @contextmanager
    def session(self) -> Iterator[Engine]:
        """The warehouse, for as long as dbt does not need it."""
        engine = self.dbt.project.open(notify=self.dbt.progress.note)
        try:
            yield engine
        finally:
            engine.close()

    def clean(self) -> None:
        """Drop both schemas."""
        with self.session() as engine:
            for schema in (self._past, self._whole):
                self._drop(engine, schema)

    def _rebuild(self, models: Collection[str], filters: Mapping[str, str], step: Step | None) -> None:
        # Where the scoring set reads the training set, say, nothing is made for training alone.
        if not models:
            return
        upstream = [uid for uid in self.lineage.upstream if uid.startswith("model.")]
        places = {
            **dict.fromkeys(upstream, self._whole),
            **dict.fromkeys([*self.lineage.derived, *self.lineage.roots], self._past),
        }

        def rewrite(manifest: Any) -> None:
            for uid, schema in places.items():
                _move(manifest, uid, schema, self.database)
            for uid in models:
                _as_table(manifest.nodes[uid], after=filters.get(uid))

        self.dbt.rebuild(list(models), rewrite, variables=self.variables, step=step)

    def _history(self, uid: str) -> Any:
        history = self.lineage.history(uid)
        assert history is not None  # only dated nodes are asked for theirs
        return history

    def _source(self, engine: Engine, uid: str) -> str:
        """A dated node as SQL reads it; dbt's own words for a source, which may be a file."""
        given = self.lineage.node(uid).get("relation_name")
        return str(given) if uid.startswith("source.") and given else self.whole(uid).sql(engine.name)

    def _view(self, engine: Engine, uid: str, query: str) -> None:
        engine.execute(f"create or replace view {self.past(uid).sql(engine.name)} as {query}")

    def _create(self, engine: Engine, schema: str) -> None:
        engine.execute(f"create schema if not exists {_schema(engine, self.database, schema)}")

    def _drop(self, engine: Engine, schema: str) -> None:
        engine.execute(f"drop schema if exists {_schema(engine, self.database, schema)} cascade")


@contextmanager
def scratch(
    dbt: Dbt, lineage: Lineage, variables: Mapping[str, Any], *, database: str, schema: str
) -> Iterator[Scratch]:
    """A scratch that is cleaned at the end, and of what an interrupted one left behind at the start."""
    made = Scratch(dbt, lineage, variables, database, schema)
    made.clean()
    try:
        yield made
    finally:
        made.clean()


def _schema(engine: Engine, database: str, schema: str) -> str:
    return f"{quoted(database, engine.name)}.{quoted(schema, engine.name)}"


def _alias(uid: str) -> str:
    """A name that no other node has: the model's own, after the package's where that is needed."""
    kind, package, *name = uid.split(".")
    return "_".join([package, *name]) if kind != "model" else "_".join(name)


def _move(manifest: Any, uid: str, schema: str, database: str) -> None:
    """Let a node stand elsewhere, for whoever reads it."""
    if not uid.startswith("source."):
        node = manifest.nodes[uid]
        node.database, node.schema, node.alias = database, schema, _alias(uid)
        return
    source = manifest.sources[uid]
    source.database, source.schema, source.identifier = database, schema, _alias(uid)
    # Where a source is a file, dbt would still read that.
    for meta in (source.meta, source.source_meta, getattr(source.config, "meta", None)):
        for key in ("external_location", "plugin"):
            (meta or {}).pop(key, None)


def _as_table(node: Any, after: str | None = None) -> None:
    """Let a model be a table, made from nothing and without what its owner wants done after."""
    node.config.materialized, node.config.incremental_strategy = "table", None
    node.config.contract.enforced = node.contract.enforced = False
    node.config.grants = {}
    node.config.post_hook = [_hook(after)] if after else []


def _hook(sql: str) -> Any:
    """A statement that dbt runs once a model is built, in its transaction."""
    from dbt.artifacts.resources.v1.config import Hook

    return Hook(sql=sql)
