"""Tags, and the views that have them: what the feature store's client asks for and looks up."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from standin import queries
from standin.answers import Answer, Listing, listing, status
from standin.failures import Failure, exists, missing, unknown
from standin.grammar import Name, Reader, split
from standin.stages import like, now

if TYPE_CHECKING:
    from standin.session import Session

# The longest value that an object may have for a tag.
LONGEST_VALUE = 256


@dataclass
class Tag:
    name: Name
    allowed: list[str] = field(default_factory=list)
    comment: str = ""


@dataclass
class View:
    """What is kept of a view beside what DuckDB has: the statement itself, comments, tags."""

    name: Name
    text: str
    comment: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    tags: dict[Name, str] = field(default_factory=dict)


class Tags:
    """All tags of the account, and the views that were made with some."""

    def __init__(self) -> None:
        self._all: dict[Name, Tag] = {}
        self._views: dict[Name, View] = {}
        self._tables: dict[Name, dict[Name, str]] = {}

    def forget(self, which: Callable[[Name], bool]) -> None:
        for kept in (self._all, self._views, self._tables):
            for name in [name for name in kept if which(name)]:
                del kept[name]  # type: ignore[attr-defined]

    def create(self, session: "Session", reader: Reader, replace: bool, _: bool) -> Answer:
        unless = reader.take("IF NOT EXISTS")
        tag = Tag(session.name(reader.path()))
        if reader.take("ALLOWED_VALUES"):
            tag.allowed.append(reader.string())
            while reader.take(","):
                tag.allowed.append(reader.string())
        if reader.take("COMMENT"):
            reader.expect("=")
            tag.comment = reader.string()
        reader.end()
        if tag.name in self._all and unless:
            return status(f"{tag.name.name} already exists, statement succeeded.")
        if tag.name in self._all and not replace:
            raise exists(tag.name)
        self._all[tag.name] = tag
        return status(f"Tag {tag.name.name} successfully created.")

    def drop(self, session: "Session", reader: Reader) -> Answer:
        unless = reader.take("IF EXISTS")
        name = session.name(reader.path())
        reader.end()
        if self._all.pop(name, None) is None and not unless:
            raise missing("Tag", name)
        for tagged in self._tagged.values():
            tagged.pop(name, None)
        return status(f"{name.name} successfully dropped.")

    def show(self, session: "Session", reader: Reader) -> Answer:
        pattern = reader.string() if reader.take("LIKE") else "%"
        _ = reader.take("IN SCHEMA") or reader.take("IN")
        place = session.name([*reader.path(), "X"])
        reader.end()
        columns = ["created_on", "name", "database_name", "schema_name", "owner", "comment", "allowed_values"]
        rows = [
            [
                *(now(), tag.name.name, tag.name.database, tag.name.schema, "STANDIN", tag.comment),
                json.dumps(tag.allowed) if tag.allowed else None,
            ]
            for tag in self._all.values()
            if like(tag.name.name, pattern)
            and (tag.name.database, tag.name.schema) == (place.database, place.schema)
        ]
        return listing(Listing(dict.fromkeys(columns, "text"), rows))

    def create_view(self, session: "Session", reader: Reader, replace: bool) -> Answer | None:
        """A view with tags; None where it has none, and is like any other."""
        if reader.take("IF NOT EXISTS"):
            return None
        view = View(session.name(reader.path()), reader.sql.strip())
        if reader.next and reader.next.text == "(":
            view.columns = dict(_column(text) for text in split(reader.inside()))
        while not reader.take("AS"):
            if reader.take("COMMENT"):
                reader.expect("=")
                view.comment = reader.string()
            elif reader.take("WITH TAG") or reader.take("TAG"):
                view.tags = self._values(session, reader.inside())
            else:
                break
        if not view.tags:
            self._views.pop(view.name, None)
            return None
        query = reader.rest()
        listed = ", ".join('"' + name.replace('"', '""') + '"' for name in view.columns)
        plain = (
            f"create {'or replace ' if replace else ''}view {view.name.sql} {f'({listed})' if listed else ''}"
        )
        done = queries.run(session, f"{plain} as {query}", {}, False)
        self._views[view.name] = view
        return done

    def alter_table(self, session: "Session", reader: Reader) -> Answer | None:
        """SET TAG of a table; None where something else is altered."""
        _ = reader.take("IF EXISTS")
        name = session.name(reader.path())
        if not reader.take("SET TAG"):
            return None
        queries.run(session, f"select 1 from {name.sql} limit 0", {}, False)
        self._tables.setdefault(name, {}).update(self._values(session, reader.rest()))
        return status()

    def drop_view(self, session: "Session", reader: Reader) -> None:
        _ = reader.take("IF EXISTS")
        self._views.pop(session.name(reader.path()), None)

    def show_views(self, session: "Session", reader: Reader) -> Answer:
        """What fakesnow tells of views, with the statements and comments of those with tags."""
        answer = queries.run(session, reader.sql, {}, False)
        names = [column["name"].lower() for column in answer.data["rowtype"]]
        for row in answer.data["rowset"]:
            found = dict(zip(names, row, strict=True))
            view = self._views.get(Name(found["database_name"], found["schema_name"], found["name"]))
            if view:
                row[names.index("text")], row[names.index("comment")] = view.text, view.comment
        return answer

    def describe(self, session: "Session", name: Name, answer: Answer) -> Answer:
        """DESCRIBE VIEW with the comments on its columns."""
        names = [column["name"].lower() for column in answer.data["rowtype"]]
        view = self._views.get(name)
        for row in answer.data["rowset"] if view else ():
            row[names.index("comment")] = view.columns.get(row[names.index("name")]) or None  # type: ignore[union-attr]
        return answer

    def entity_detail(self, session: "Session", arguments: str) -> str:
        """ENTITY_DETAIL of a tag: what has it; of a table or view: what tags it has."""
        domain, named, wanted = (Reader(text).string() for text in split(arguments))
        name = session.name(Reader(named).path())
        asked = json.loads(wanted)
        if domain.upper() == "TAG" and asked == ["TAG_REFERENCES_INTERNAL"]:
            if name not in self._all:
                raise missing("Tag", name)
            found = [_reference(one, name, tags[name]) for one, tags in self._tagged.items() if name in tags]
            return json.dumps({"referencedEntities": {"tagReferenceList": found}})
        if domain.upper() == "TABLE" and asked == ["TAG_REFERENCES"]:
            tagged = [_reference(name, tag, value) for tag, value in self._tagged.get(name, {}).items()]
            return json.dumps({"tagReferencesInfo": {"tagReferenceList": tagged}})
        raise unknown(f"ENTITY_DETAIL({arguments})")

    @property
    def _tagged(self) -> dict[Name, dict[Name, str]]:
        return {**self._tables, **{name: view.tags for name, view in self._views.items()}}

    def _values(self, session: "Session", text: str) -> dict[Name, str]:
        found = {}
        for item in split(text):
            reader = Reader(item)
            name = session.name(reader.path())
            reader.expect("=")
            value = reader.string()
            reader.end()
            if name not in self._all:
                raise missing("Tag", name)
            allowed = self._all[name].allowed
            if allowed and value not in allowed:
                raise Failure(f"Tag value {value} is not allowed for tag {name}.", 3545)
            if len(value) > LONGEST_VALUE:
                raise Failure(f"Tag value is too long: {len(value)} characters, not {LONGEST_VALUE}.", 3546)
            found[name] = value
        return found


def _column(text: str) -> tuple[str, str]:
    """`name [COMMENT 'text']` in a view's list of columns."""
    reader = Reader(text)
    name, comment = reader.identifier(), ""
    if reader.take("COMMENT"):
        comment = reader.string()
    reader.end()
    return name, comment


def _reference(tagged: Name, tag: Name, value: str) -> dict[str, Any]:
    return {"domain": "TABLE", "entityName": tagged.name, "tagName": tag.name, "tagValue": value}


class Absent:
    """Kinds of objects that nothing here can make: listed as none, and dropped only where that needs none."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def show(self, session: "Session", reader: Reader) -> Answer:
        if reader.take("LIKE"):
            reader.string()
        _ = reader.take("IN SCHEMA") or reader.take("IN")
        session.name([*reader.path(), "X"])
        reader.end()
        columns = ["created_on", "name", "database_name", "schema_name", "owner", "comment", "text"]
        return listing(Listing(dict.fromkeys(columns, "text"), []))

    def drop(self, session: "Session", reader: Reader) -> Answer:
        unless = reader.take("IF EXISTS")
        name = session.name(reader.path())
        reader.end()
        if not unless:
            raise missing(self.kind.capitalize(), name)
        return status("Drop statement executed successfully (already dropped).")
