"""Repair: the functions of a model are made to follow its events.

`version_events` is the truth about who is champion, and `predict_<model>` is derived from it. On DuckDB both change
in one transaction. Where DDL commits by itself a command may die between the two, or between two functions: each
function's comment says whose it is, so the next command sees that, and finishes what was begun.
"""

from contextlib import suppress

from snowml.engines.base import Engine
from snowml.errors import ArtifactError
from snowml.names import Relation, quoted
from snowml.records import Version
from snowml.registry.store import Registry
from snowml.registry.trusted import Artifact
from snowml.serving.functions import Functions, functions_of, names_of, says
from snowml.workflows.champion import load_artifact
from snowml.workflows.native import follow
from snowml.workflows.specs import of_version


def repair(registry: Registry, model: str) -> bool:
    """Make the champion's functions again where one is missing, is another version's, or has stale overloads.

    Returns:
        Whether there was something to repair.
    """
    champions = registry.champions(model)
    if not champions:
        return False
    champion = registry.version(model, champions[-1])
    if _in_place(registry, champion):
        return False
    functions = functions_for(registry, champion, load_artifact(registry, champion))
    engine = registry.engine
    create_versioned(engine, functions)
    with engine.transaction(ddl=True):
        create_current(engine, functions)
    return True


def repair_if_possible(registry: Registry, model: str) -> bool:
    """`repair`, but for a champion whose artifact is lost: what replaces a champion must not need it.

    For the commands that make versions or turn the champion: native models are made to follow too. Scoring and
    monitoring do without them.
    """
    repaired = False
    with suppress(ArtifactError):
        repaired = repair(registry, model)
    return follow(registry, model) or repaired


def functions_for(registry: Registry, version: Version, artifact: Artifact) -> Functions:
    """The functions of a version, where those of its model stand today."""
    return functions_of(
        version,
        artifact,
        schema=of_version(registry, version).function_schema,
        store=registry.table("artifacts"),
        dialect=registry.engine.name,
    )


def create_versioned(engine: Engine, functions: Functions) -> None:
    """The version's own functions: they never change, so making them again is harmless."""
    schema = quoted(functions.versioned[0].name.schema, engine.name)
    engine.execute(f"create schema if not exists {quoted(engine.database, engine.name)}.{schema}")
    if functions.kernel:
        if functions.forest is not None:
            engine.put(functions.kernel.store, functions.kernel.artifact, functions.forest)
        engine.create_function(functions.kernel)
    told = functions.explaining
    if told.kernel and told.paths is not None:
        engine.put(told.kernel.store, told.kernel.artifact, told.paths)
        engine.create_function(told.kernel)
    with engine.transaction(ddl=True):
        for function in (*functions.helpers, *told.helpers, *functions.versioned, told.versioned):
            engine.create_function(function)


def create_current(engine: Engine, functions: Functions) -> tuple[str, ...]:
    """The champion's functions; gives their names, the one people call first."""
    for function in (*functions.current, functions.explaining.current):
        engine.create_function(function)
    names = sorted(function.name.name for function in functions.current)
    return (*names, functions.explaining.current.name.name)


def names_of_current(champion: Version) -> tuple[str, ...]:
    """The names of a champion's functions: the prediction's, the one people call first, and the explanation's."""
    return (*sorted(names_of(champion.model, champion.signature)), f"explain_{champion.model}")


def _in_place(registry: Registry, champion: Version) -> bool:
    """Whether each of the model's functions says that it is the champion's, and none of their overloads otherwise."""
    schema = of_version(registry, champion).function_schema
    return all(
        registry.engine.comments(Relation(schema, name)) == [says(champion)]
        for name in names_of_current(champion)
    )
