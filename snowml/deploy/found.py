"""What stands on the account already: objects by their key, with the comment that says whose they are."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from snowml.deploy.things import OURS, Key, Kind, mark_in
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
    "stream": "streams",
}

_AT_HOME: tuple[Kind, ...] = ("stage", "stream", "task", "alert")

STALE: Final = "stale"


@dataclass(frozen=True, slots=True)
class Existing:
    """One object that is there.

    Attributes:
        comment: Says whose it is.
        state: Of a task or an alert, whether it was resumed; of a stream, whether it can still be read.
        relations: What the account says of a task's place in its graph.
    """

    comment: str
    state: str = ""
    relations: str = ""

    def follows(self, others: Iterable[Relation]) -> bool:
        """Whether a task comes after those tasks, or finalizes them: what is made anew is not followed any more."""
        return all(
            re.search(rf"(?<!\w){re.escape(other.name)}(?!\w)", self.relations, re.IGNORECASE)
            for other in others
        )


@dataclass(frozen=True, slots=True)
class Found:
    """What is there of the kinds that a deployment makes, in its schemas.

    Attributes:
        files: Those on the stage.
        used: Those that procedures of other deployments import from there.
    """

    schemas: frozenset[str] = frozenset()
    objects: Mapping[Key, Existing] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()


def schemas_of(engine: Engine) -> frozenset[str]:
    """The schemas of the database."""
    rows = engine.query("select schema_name as name from information_schema.schemata").to_pylist()
    return frozenset(written(row["name"], "snowflake") for row in rows)


def look(engine: Engine, home: Relation, schema: str, optional: Collection[str] = ()) -> Found:
    """Ask the account.

    Args:
        engine: A session.
        home: The stage, whose schema has tasks, streams and alerts too.
        schema: Where procedures stand.
        optional: Of the kinds that not every account has, those that are wanted.

    Raises:
        TerminalError: The account has no such kind.
    """
    schemas = schemas_of(engine)
    database = quoted(engine.database, "snowflake")
    every = _shown(engine, "procedure", f"database {database}")
    objects = {key: one for key, one in every.items() if key.name.schema == schema}
    if home.schema in schemas:
        place = f"schema {database}.{quoted(home.schema, 'snowflake')}"
        for kind in _AT_HOME:
            objects |= _shown(engine, kind, place)
        for wished, ask in (("feature view", _feature_store), ("model monitor", _monitors)):
            # An edition that does not know a kind of object has none; who wants some is told.
            with nullcontext() if wished in optional else suppress(TerminalError):
                objects |= ask(engine, home.schema)
    if Key("stage", home) not in objects:
        return Found(schemas, objects)
    listed = engine.query(f"list @{home.sql('snowflake')}").to_pylist()
    files = frozenset(str(row["name"]).rpartition("/")[2] for row in listed)
    others = [key for key, one in every.items() if key not in objects and one.comment.startswith(OURS)]
    used = frozenset(file for key in others for file in _imports(engine, key))
    return Found(schemas, objects, files, used)


def _shown(engine: Engine, kind: Kind, place: str) -> dict[Key, Existing]:
    found = {}
    for row in engine.query(f"show {_SHOWN[kind]} in {place}").to_pylist():
        if not row.get("schema_name"):
            continue  # a procedure of Snowflake's own
        schema, name = (written(str(row[part]), "snowflake") for part in ("schema_name", "name"))
        types = _types(row["arguments"]) if kind == "procedure" else ()
        # SHOW PROCEDURES calls a comment a description.
        comment = row.get("comment") or row.get("description") or ""
        relations = " ".join(str(row.get(one) or "") for one in ("predecessors", "task_relations"))
        found[Key(kind, Relation(schema, name, engine.database), types)] = Existing(
            comment, _state(row), relations
        )
    return found


def _state(row: Mapping[str, Any]) -> str:
    if str(row.get("stale") or "").lower() == "true":
        return STALE
    return str(row.get("state") or "").lower()


def _imports(engine: Engine, procedure: Key) -> list[str]:
    """The names of the files that a procedure imports."""
    described = engine.query(f"describe {procedure.sql}").to_pylist()
    listed = next((row["value"] for row in described if str(row["property"]).lower() == "imports"), None)
    return re.findall(r"[^/\[\],'\"\s]+(?=[\]'\",\s]|$)", str(listed or ""))


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
