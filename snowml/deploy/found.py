"""What stands on the account already: objects by their key, with the comment that says whose they are."""

import json
import re
from collections.abc import Collection, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field

from snowml.deploy.things import Key, Kind, mark_in
from snowml.engines.base import Engine
from snowml.engines.snowflake.feature_store import ENTITY_TAG
from snowml.errors import TerminalError
from snowml.names import Relation, quoted, written
from snowml.workflows.model_monitor import there as monitors

_SHOWN: Mapping[Kind, str] = {
    "procedure": "procedures",
    "task": "tasks",
    "alert": "alerts",
    "stage": "stages",
}


@dataclass(frozen=True, slots=True)
class Existing:
    """One object that is there."""

    comment: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What is there of the kinds that a deployment makes, in its schemas."""

    schemas: frozenset[str] = frozenset()
    objects: Mapping[Key, Existing] = field(default_factory=dict)
    files: frozenset[str] = frozenset()


def look(engine: Engine, home: Relation, schema: str, optional: Collection[str] = ()) -> Found:
    """Ask the account.

    Args:
        engine: A session.
        home: The stage, whose schema has tasks and alerts too.
        schema: Where procedures stand.
        optional: Of the kinds that not every account has, those that are wanted.

    Raises:
        TerminalError: The account has no such kind.
    """
    rows = engine.query("select schema_name as name from information_schema.schemata").to_pylist()
    schemas = frozenset(written(row["name"], "snowflake") for row in rows)
    objects: dict[Key, Existing] = {}
    for kind, place in (
        ("stage", home.schema),
        ("procedure", schema),
        ("task", home.schema),
        ("alert", home.schema),
    ):
        if place in schemas:
            objects |= _shown(engine, kind, place)  # type: ignore[arg-type]
    if home.schema in schemas:
        for kind, ask in (("feature view", _feature_store), ("model monitor", _monitors)):
            # An edition that does not know a kind of object has none; who wants some is told.
            with nullcontext() if kind in optional else suppress(TerminalError):
                objects |= ask(engine, home.schema)
    files: frozenset[str] = frozenset()
    if Key("stage", home) in objects:
        listed = engine.query(f"list @{home.sql('snowflake')}").to_pylist()
        files = frozenset(str(row["name"]).rpartition("/")[2] for row in listed)
    return Found(schemas, objects, files)


def _shown(engine: Engine, kind: Kind, schema: str) -> dict[Key, Existing]:
    place = f"{quoted(engine.database, 'snowflake')}.{quoted(schema, 'snowflake')}"
    found = {}
    for row in engine.query(f"show {_SHOWN[kind]} in schema {place}").to_pylist():
        if written(str(row.get("schema_name") or ""), "snowflake") != schema:
            continue  # a procedure of Snowflake's own
        name = Relation(schema, written(row["name"], "snowflake"), engine.database)
        types = _types(row["arguments"]) if kind == "procedure" else ()
        # SHOW PROCEDURES calls a comment a description.
        comment = row.get("comment") or row.get("description") or ""
        found[Key(kind, name, types)] = Existing(comment, str(row.get("state") or "").lower())
    return found


def _feature_store(engine: Engine, schema: str) -> dict[Key, Existing]:
    """The feature views and entities of a schema; an entity's state is the columns by which its rows are known."""
    place = f"{quoted(engine.database, 'snowflake')}.{quoted(schema, 'snowflake')}"
    found = {}
    for row in engine.query(f"show views in schema {place}").to_pylist():
        if "$" in row["name"]:
            found[_key("feature view", schema, row, engine)] = Existing(mark_in(row["comment"]))
    for row in engine.query(f"show tags in schema {place}").to_pylist():
        if row["name"].startswith(ENTITY_TAG):
            keys = json.loads(row["allowed_values"] or "[]")
            found[_key("entity", schema, row, engine)] = Existing(mark_in(row["comment"]), ",".join(keys))
    return found


def _monitors(engine: Engine, schema: str) -> dict[Key, Existing]:
    return {
        _key("model monitor", schema, row, engine): Existing(str(row["comment"] or ""))
        for row in monitors(engine, schema).values()
    }


def _key(kind: Kind, schema: str, row: Mapping[str, str], engine: Engine) -> Key:
    return Key(kind, Relation(schema, written(row["name"], "snowflake"), engine.database))


def _types(arguments: str) -> tuple[str, ...]:
    """The types in `F(VARCHAR [, VARCHAR]) RETURN VARIANT`: those with defaults stand in brackets."""
    inside = re.search(r"\((.*?)\)\s*RETURN\b", arguments, re.DOTALL | re.IGNORECASE)
    listed = re.sub(r"DEFAULT|[\[\]]", "", inside[1] if inside else "", flags=re.IGNORECASE)
    return tuple(item.strip().lower() for item in listed.split(",") if item.strip())
