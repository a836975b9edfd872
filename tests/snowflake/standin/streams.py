"""Streams on tables, for rows that are added: a view beyond an offset, moved on by the DML that reads it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fakesnow.dialect import parse_one
from sqlglot import Expr, exp

from standin.answers import Answer, Listing, listing, status
from standin.failures import Failure, exists, missing, unknown
from standin.grammar import Name, Reader
from standin.stages import now

if TYPE_CHECKING:
    from standin.session import Session

OPTIONS = ("APPEND_ONLY", "SHOW_INITIAL_ROWS", "COMMENT")
CALL = re.compile(r"SYSTEM\$STREAM_HAS_DATA", re.IGNORECASE)
DML = (exp.Insert, exp.Merge, exp.Update, exp.Delete)


@dataclass
class Stream:
    """One stream; `table_id` tells the table from one that took its place."""

    name: Name
    table: Name
    table_id: int
    comment: str = ""


class Streams:
    """All streams of the account."""

    def __init__(self) -> None:
        self._all: dict[Name, Stream] = {}

    def forget(self, which: Callable[[Name], bool]) -> None:
        for name in [name for name in self._all if which(name)]:
            del self._all[name]

    def create(self, session: "Session", reader: Reader, replace: bool, temporary: bool) -> Answer:
        if temporary:
            raise unknown("temporary streams")
        unless = reader.take("IF NOT EXISTS")
        name = session.name(reader.path())
        reader.expect("ON TABLE")
        table = session.name(reader.path())
        options = self._options(reader)
        if name in self._all and unless:
            return status(f"{name.name} already exists, statement succeeded.")
        if name in self._all and not replace:
            raise exists(name)
        if options.get("APPEND_ONLY") != "TRUE":
            raise unknown("streams that tell of more than rows that are added: APPEND_ONLY = TRUE")
        table_id = _id(session, table)
        if table_id is None:
            raise missing("Table", table)
        self._all[name] = Stream(name, table, table_id, options.get("COMMENT", ""))
        self._show_from(session, self._all[name], 0 if options.get("SHOW_INITIAL_ROWS") == "TRUE" else None)
        return status(f"Stream {name.name} successfully created.")

    def drop(self, session: "Session", reader: Reader) -> Answer:
        unless = reader.take("IF EXISTS")
        name = session.name(reader.path())
        reader.end()
        if name not in self._all:
            if unless:
                return status("Drop statement executed successfully (already dropped).")
            raise missing("Stream", name)
        del self._all[name]
        session.duckdb.execute(f"drop view if exists {_sql(name)}")
        return status(f"{name.name} successfully dropped.")

    def show(self, session: "Session", reader: Reader) -> Answer:
        reader.expect("IN SCHEMA")
        place = session.name([*reader.path(), "X"])
        reader.end()
        columns = [
            "created_on",
            "name",
            "database_name",
            "schema_name",
            "comment",
            "table_name",
            "stale",
            "mode",
        ]
        rows = [
            [
                *(now(), n.name, n.database, n.schema, one.comment, str(one.table)),
                *(str(self._is_stale(session, one)).lower(), "APPEND_ONLY"),
            ]
            for n, one in self._all.items()
            if (n.database, n.schema) == (place.database, place.schema)
        ]
        return listing(Listing(dict.fromkeys(columns, "text"), rows))

    def has_data(self, session: "Session", text: str) -> bool:
        """What SYSTEM$STREAM_HAS_DATA answers for the name in a string."""
        one = self.named(session, text)
        self._refuse_stale(session, one)
        (found,) = session.duckdb.execute(f"select count(*) > 0 from {_sql(one.name)}").fetchall()
        return bool(found[0])

    def named(self, session: "Session", text: str) -> Stream:
        reader = Reader(text)
        name = session.name(reader.path())
        reader.end()
        if name not in self._all:
            raise missing("Stream", name)
        return self._all[name]

    @contextmanager
    def read_by(self, session: "Session", expression: Expr) -> Iterator[None]:
        """A statement reads streams; if it writes what it reads they are moved on, in its own transaction."""
        read = [one for table in expression.find_all(exp.Table) if (one := self._of(session, table))]
        for one in read:
            self._refuse_stale(session, one)
        # As far as this transaction sees: what comes meanwhile is for the next reader.
        offsets = {one.name: _end(session, one.table) for one in read}
        yield
        writes = isinstance(expression, DML) or (
            isinstance(expression, exp.Create)
            and expression.expression is not None
            and expression.kind == "TABLE"
        )
        for one in read if writes else ():
            self._show_from(session, one, offsets[one.name])

    def _of(self, session: "Session", table: exp.Table) -> Stream | None:
        if not self._all or not isinstance(table.this, exp.Identifier):
            return None
        parts = [part.name if part.quoted else part.name.upper() for part in table.parts]
        database, schema = session.place
        if len(parts) + len([part for part in (database, schema)[: 3 - len(parts)] if part]) != 3:
            return None
        return self._all.get(session.name(parts))

    def _show_from(self, session: "Session", one: Stream, offset: int | None) -> None:
        start = _end(session, one.table) if offset is None else offset
        session.duckdb.execute(
            f"create or replace view {_sql(one.name)} as select * from {_sql(one.table)} where rowid >= {start}"
        )

    def _is_stale(self, session: "Session", one: Stream) -> bool:
        return _id(session, one.table) != one.table_id

    def _refuse_stale(self, session: "Session", one: Stream) -> None:
        if self._is_stale(session, one):
            raise Failure(
                f"Base table '{one.table}' dropped, cannot read from stream '{one.name.name}'.", 91901
            )

    def _options(self, reader: Reader) -> dict[str, str]:
        found = {}
        while reader.next:
            option = reader.identifier()
            if option not in OPTIONS:
                raise unknown(f"the option {option} of a stream")
            reader.expect("=")
            found[option] = reader.string() if option == "COMMENT" else reader.identifier()
        return found


def condition(session: "Session", text: str, streams: Streams) -> None:
    """Checks a task's WHEN: questions about streams that are there, joined by AND, OR and NOT."""
    tree = parse_one(CALL.sub("STREAM_HAS_DATA", text))
    for node in tree.walk():
        if isinstance(node, exp.Anonymous) and node.name.upper() == "STREAM_HAS_DATA":
            (argument,) = node.expressions
            streams.named(session, argument.name)
        elif not isinstance(node, (exp.And, exp.Or, exp.Not, exp.Paren, exp.Literal)):
            raise unknown(f"{node.sql()} in a task's WHEN")


def _sql(name: Name) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in (name.database, name.schema, name.name))


def _id(session: "Session", table: Name) -> int | None:
    rows = session.duckdb.execute(
        "select table_oid from duckdb_tables() "
        "where (database_name, lower(schema_name), table_name) = (?, lower(?), ?)",
        [table.database, table.schema, table.name],
    ).fetchall()
    return int(rows[0][0]) if rows else None


def _end(session: "Session", table: Name) -> int:
    (row,) = session.duckdb.execute(f"select coalesce(max(rowid) + 1, 0) from {_sql(table)}").fetchall()
    return int(row[0])
