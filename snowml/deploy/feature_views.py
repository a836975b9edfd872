"""Feature tables as external feature views: what is wanted in Snowflake's feature store, and what leads there."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, cast

from snowml.deploy.found import Found
from snowml.deploy.steps import Action, Step
from snowml.deploy.things import OURS, Key, mark_in
from snowml.engines.base import Engine
from snowml.engines.snowflake.feature_store import ENTITY_TAG, FeatureStore, FeatureView
from snowml.engines.snowflake.ml import stored
from snowml.errors import ProjectError
from snowml.names import Relation, written
from snowml.workflows.catalogue import FeatureTable

if TYPE_CHECKING:
    from snowml.engines.snowflake.engine import SnowflakeEngine

# What the client lets the name of an entity be.
_LONGEST_ENTITY: Final = 32


@dataclass(frozen=True, slots=True)
class Shelf:
    """The feature tables that are to be shown, and where.

    Attributes:
        home: Any name in the schema that is the feature store.
        warehouse: The store's default one, which its client wants to know.
        tables: The feature tables.
    """

    home: Relation
    warehouse: str
    tables: tuple[FeatureTable, ...]

    @property
    def entities(self) -> dict[str, tuple[str, ...]]:
        """The entities by name, with the columns by which their rows are known."""
        return {entity_name(table.entity): table.entity for table in self.tables}

    @property
    def views(self) -> list[FeatureView]:
        """The feature views of the tables that are built.

        Raises:
            ProjectError: Two tables have the same name.
        """
        names = [table.relation.name for table in self.tables]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ProjectError(
                f"Two feature tables are called '{twice[0]}', and a feature view is known by that name. Give one of "
                "the dbt models an alias, or leave feature_store out of snowml.yml."
            )
        return [_view(table) for table in self.tables if table.is_built]


def entity_name(columns: tuple[str, ...]) -> str:
    """What an entity is called: after its columns, so that equal columns are one entity."""
    name = "_".join(columns)
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and len(name) <= _LONGEST_ENTITY
    return name if plain else f"entity_{sha256(json.dumps(columns).encode()).hexdigest()[:12]}"


def steps(shelf: Shelf, found: Found) -> list[Step]:
    """What makes the wanted entities and feature views, where they are not there already.

    Raises:
        ProjectError: Something that no deployment made is in the way.
    """
    return [*_entities(shelf, found), *_views(shelf, found), *_unbuilt(shelf)]


def wanted_keys(shelf: Shelf) -> set[Key]:
    """What stays."""
    entities = {_entity_key(shelf, name) for name in shelf.entities}
    return entities | {_view_key(shelf, view) for view in shelf.views}


def _entities(shelf: Shelf, found: Found) -> Iterator[Step]:
    for name, columns in shelf.entities.items():
        key, keys = _entity_key(shelf, name), ",".join(stored(column) for column in columns)
        there = found.objects.get(key)
        if there and there.state != keys:
            raise ProjectError(
                f"In the way stands {key.sql}, an entity that is known by {there.state or 'anything'} and not by "
                f"{keys}. Drop it, or leave feature_store out of snowml.yml."
            )
        comment = f"Known by {', '.join(columns)}. {_mark([name, columns])}"

        def register(
            engine: Engine, name: str = name, columns: tuple[str, ...] = columns, comment: str = comment
        ) -> None:
            _store(shelf, engine).register_entity(name, columns, comment)

        told = f"-- register the entity {name}, known by {', '.join(columns)}, by the feature store's client"
        yield Step("keep" if there else "create", "entity", name, (told,), work=register)


def _views(shelf: Shelf, found: Found) -> Iterator[Step]:
    for view in shelf.views:
        key, mark = _view_key(shelf, view), mark_in(view.comment)
        there = found.objects.get(key)
        if there and not there.comment.startswith(OURS):
            raise ProjectError(
                f"In the way stands {key.sql}, which no deployment of snowml made. Drop it, or leave feature_store out "
                "of snowml.yml."
            )

        def register(engine: Engine, view: FeatureView = view, overwrite: bool = there is not None) -> None:
            _store(shelf, engine).register_view(view, overwrite=overwrite)

        told = (
            f"-- register the feature view {view.name} version {view.version} of {view.table.sql('snowflake')}, entity "
            f"{view.entity}, at {view.as_of}: {', '.join(view.columns)}; by the feature store's client"
        )
        same = there is not None and there.comment == mark
        action: Action = "keep" if same else "create" if there is None else "replace"
        yield Step(action, "feature view", f"{view.name}${view.version}", (told,), work=register)


def _unbuilt(shelf: Shelf) -> Iterator[Step]:
    for table in shelf.tables:
        if not table.is_built:
            told = f"-- {table.relation.sql('snowflake')} is not built, or was not asked for: its columns are not known"
            yield Step("skip", "feature view", table.relation.name, (told,))


def _view(table: FeatureTable) -> FeatureView:
    columns = (*table.entity, table.as_of, *(column.name for column in table.columns))
    types = [(column.name, column.type) for column in table.columns]
    content = json.dumps([str(table.relation), table.entity, table.as_of, types])
    view = FeatureView(
        name=table.relation.name,
        version=f"V_{sha256(content.encode()).hexdigest()[:8].upper()}",
        table=table.relation,
        entity=entity_name(table.entity),
        keys=table.entity,
        as_of=table.as_of,
        columns=columns,
        descriptions={column.name: column.description for column in table.columns if column.description},
        comment=table.description + (f" Owner: {table.owner}." if table.owner else ""),
    )
    mark = _mark([content, view.comment, sorted(view.descriptions.items())])
    return replace(view, comment=f"{view.comment} {mark}".strip())


def _mark(content: Sequence[Any]) -> str:
    return OURS + sha256(json.dumps(content).encode()).hexdigest()[:16]


def _entity_key(shelf: Shelf, name: str) -> Key:
    tag = written(ENTITY_TAG + stored(name), "snowflake")
    return Key("entity", Relation(shelf.home.schema, tag, shelf.home.database))


def _view_key(shelf: Shelf, view: FeatureView) -> Key:
    return Key(
        "feature view", Relation(shelf.home.schema, written(view.view, "snowflake"), shelf.home.database)
    )


def _store(shelf: Shelf, engine: Engine) -> FeatureStore:
    return FeatureStore(cast("SnowflakeEngine", engine), shelf.home, shelf.warehouse)
