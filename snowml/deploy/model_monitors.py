"""Snowflake's own model monitors: those of the specifications that ask for one, and what leads there."""

from collections.abc import Iterable, Iterator

from snowml.deploy.found import Found
from snowml.deploy.steps import Action, Step
from snowml.deploy.things import OURS, Key
from snowml.errors import DataError, ProjectError
from snowml.names import Relation
from snowml.registry.store import Registry
from snowml.spec.model import ModelSpec
from snowml.workflows.model_monitor import baseline_of, named, source_of, wanted_monitor


def monitored(specs: Iterable[ModelSpec]) -> list[ModelSpec]:
    """The models that are to have one."""
    return [spec for spec in specs if spec.settings.monitor.native is not None]


def wanted_keys(specs: Iterable[ModelSpec], home: Relation) -> set[Key]:
    """What stays."""
    return {_key(spec, home) for spec in monitored(specs)}


def steps(
    specs: Iterable[ModelSpec], home: Relation, warehouse: str, registry: Registry | None, found: Found
) -> Iterator[Step]:
    """What makes the wanted monitors, where they are not there already.

    Args:
        specs: The models.
        home: Any name in the registry's schema, which has the monitors too.
        warehouse: What they refresh with.
        registry: The account's registry, which knows the champions; None: there is no account to ask.
        found: What is there.

    Raises:
        ProjectError: Something that no deployment made is in the way.
    """
    for spec in monitored(specs):
        key = _key(spec, home)
        there = found.objects.get(key)
        if there and not there.comment.startswith(OURS):
            raise ProjectError(
                f"In the way stands {key.sql}, which no deployment of snowml made. Drop it, or leave monitor.native "
                f"out of {spec.name}."
            )
        if registry is None:
            told = f"-- only the account knows the champion of {spec.name}, which it watches"
            yield Step("skip", "model monitor", key.name.name, (told,))
            continue
        try:
            wanted = wanted_monitor(registry, spec, warehouse)
        except DataError as reason:
            yield Step("skip", "model monitor", key.name.name, (f"-- {reason}",))
            continue
        same = there is not None and there.comment == wanted.mark
        action: Action = "keep" if same else "create" if there is None else "replace"
        yield Step(action, "model monitor", key.name.name, wanted.statements)


def dropped(key: Key) -> Step:
    """What takes a monitor away, with the view and the table that were made for it."""
    view, table = (relation.sql("snowflake") for relation in (source_of(key.name), baseline_of(key.name)))
    statements = (f"drop {key.sql}", f"drop view if exists {view}", f"drop table if exists {table}")
    return Step("remove", "model monitor", key.name.name, statements)


def _key(spec: ModelSpec, home: Relation) -> Key:
    return Key("model monitor", Relation(home.schema, named(spec.name), home.database))
