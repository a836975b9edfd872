"""Stored procedures in Python: a handler with a real Snowpark Session, in a process of its own for each CALL."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from standin import bindings
from standin.answers import CALL, Answer, Listing, listing, status
from standin.datatypes import duckdb_type, shown
from standin.failures import Failure, exists, missing, unknown
from standin.functions import Routine, Types, definition, describe, routine, scope, worker_of
from standin.grammar import Name, Reader, split
from standin.queries import Cursor, parse_one
from standin.stages import now

if TYPE_CHECKING:
    from standin.session import Account, Login, Session

# How CALL's answer is typed for the client; the rest is text.
KINDS = {"DOUBLE": "real", "BIGINT": "fixed", "BOOLEAN": "boolean", "JSON": "variant"}
PYTHON = {
    "DOUBLE": (int, float),
    "BIGINT": (int,),
    "BOOLEAN": (bool,),
    "VARCHAR": (str,),
    "JSON": (dict, list, str, int, float),
}


class Procedures:
    """All procedures of the account, by name and argument types."""

    def __init__(self, account: "Account") -> None:
        self._account = account
        self._all: dict[Name, dict[Types, Routine]] = {}

    def forget(self, which: Callable[[Name], bool]) -> None:
        for name in [name for name in self._all if which(name)]:
            for one in self._all.pop(name).values():
                one.worker.close()  # type: ignore[union-attr]

    def create(self, session: "Session", reader: Reader, replace: bool, temporary: bool) -> Answer:
        unless = reader.take("IF NOT EXISTS")
        new = routine(session, reader)
        old = self._all.get(new.name, {}).get(new.types)
        if old and unless:
            return status(f"{new.name.name} already exists, statement succeeded.")
        if old and not replace:
            raise exists(new.signature)
        self._keep(session, new)
        if old and old.worker:
            old.worker.close()
        if temporary:
            session.at_close.append(lambda: self._remove(new.name, new.types))
        return status(f"Procedure {new.name.name} successfully created.")

    def anonymous(self, login: "Login", reader: Reader, bound: dict[str, Any]) -> Answer:
        """WITH name AS PROCEDURE (…) … CALL name(…): a procedure that is there for one call."""
        session = login.session
        name = session.name(reader.path())
        reader.expect("AS PROCEDURE")
        new = definition(name, reader)
        if name in self._all:
            raise unknown(f"an anonymous procedure of the name of another, {name}")
        self._keep(session, new)
        try:
            reader.expect("CALL")
            return self.call(login, reader, bound)
        finally:
            self._remove(new.name, new.types)

    def _keep(self, session: "Session", new: Routine) -> None:
        if new.language != "PYTHON":
            raise unknown(f"procedures in {new.language}")
        new.options.setdefault("RIGHTS", "OWNER")
        files = [self._account.stages.file(session, one) for one in new.options.get("IMPORTS", [])]
        new.worker = worker_of(self._account, new, "procedure", files)
        self._all.setdefault(new.name, {})[new.types] = new

    def drop(self, session: "Session", reader: Reader) -> Answer:
        unless = reader.take("IF EXISTS")
        found = self._found(session, reader)
        if found is None:
            if unless:
                return status("Drop statement executed successfully (already dropped).")
            raise missing("Procedure", reader.sql)
        self._remove(found.name, found.types)
        return status(f"{found.name.name} successfully dropped.")

    def show(self, session: "Session", reader: Reader) -> Answer:
        columns = ["created_on", "name", "schema_name", "min_num_arguments", "max_num_arguments", "arguments"]
        columns += ["description", "catalog_name", "language"]
        rows = [
            [
                now(),
                p.name.name,
                p.name.schema,
                len(p.types) - len(p.defaults),
                len(p.types),
                f"{_optional(p)} RETURN {_returns(p)}",
                p.options.get("COMMENT", ""),
                p.name.database,
                p.language,
            ]
            for p in scope(
                session, reader, [p for overloads in self._all.values() for p in overloads.values()]
            )
        ]
        return listing(Listing(dict.fromkeys(columns, "text"), rows))

    def describe(self, session: "Session", reader: Reader) -> Answer:
        found = self._found(session, reader)
        if found is None:
            raise missing("Procedure", reader.sql)
        return describe(found)

    def call(self, login: "Login", reader: Reader, bound: dict[str, Any]) -> Answer:
        """Runs the handler with a Session that is the caller's own, and answers as JSON, as Snowflake does."""
        session = login.session
        name = session.name(reader.path())
        texts = split(reader.inside())
        reader.end()
        one = self._overload(name, len(texts))
        missing_ones = len(one.types) - len(texts)
        texts += one.defaults[len(one.defaults) - missing_ones :] if missing_ones else ()
        values = self._arguments(session, texts, one, bindings.values(bound))
        token = next(token for token, holder in self._account.logins.items() if holder is login)
        assert one.worker
        try:
            answer = one.worker.ask({"parameters": self._parameters(session, token), "arguments": values})
        finally:
            one.worker.stop()
        if one.returns.startswith("TABLE"):
            names, rows = answer
            return listing(Listing(dict.fromkeys(names, "text"), rows), CALL)
        return _answer(one, answer)

    def _parameters(self, session: "Session", caller: str) -> dict[str, Any]:
        database, schema = session.place
        here = {"host": "127.0.0.1", "port": self._account.port, "protocol": "http"}
        own = {"account": "standin", "user": "snowml", "password": "none", "network_timeout": 60}
        quiet = {"CLIENT_TELEMETRY_ENABLED": False, "CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False}
        place = {"database": database, "schema": schema} if schema else {"database": database}
        return {**here, **own, **place, "session_parameters": {**quiet, "STANDIN_CALLER": caller}}

    def _arguments(self, session: "Session", texts: list[str], one: Routine, values: list[Any]) -> list[Any]:
        """The values of the arguments, each of the type that the procedure declares."""
        if not texts:
            return []
        items = [
            exp.cast(parse_one(text), kind, dialect="duckdb")
            for text, kind in zip(texts, one.types, strict=True)
        ]
        row = Cursor(session.connection, session.duckdb).run(exp.select(*items), values or None)
        found = [row.column(i)[0].as_py() for i in range(len(items))]
        return [
            json.loads(v) if kind == "JSON" and v is not None else v
            for v, kind in zip(found, one.types, strict=True)
        ]

    def _overload(self, name: Name, count: int) -> Routine:
        overloads = self._all.get(name, {}).values()
        fitting = [one for one in overloads if len(one.types) - len(one.defaults) <= count <= len(one.types)]
        if not fitting:
            raise missing("Procedure", f"{name} with {count} arguments")
        if len(fitting) > 1:
            raise unknown(f"which of the procedures {name} with {count} arguments is called")
        return fitting[0]

    def _found(self, session: "Session", reader: Reader) -> Routine | None:
        name = session.name(reader.path())
        types = tuple(duckdb_type(one) for one in split(reader.inside()))
        reader.end()
        return self._all.get(name, {}).get(types)

    def _remove(self, name: Name, types: Types) -> None:
        gone = self._all.get(name, {}).pop(types, None)
        if gone and gone.worker:
            gone.worker.close()
        if name in self._all and not self._all[name]:
            del self._all[name]


def _optional(one: Routine) -> str:
    """The signature as SHOW has it: what has a default stands in brackets."""
    fixed = len(one.types) - len(one.defaults)
    kinds = [one.declared.get(name, shown(kind)) for name, kind in one.arguments.items()]
    first = ", ".join(kinds[:fixed])
    return f"{one.name.name}({first}{''.join(f' [, {kind}]' for kind in kinds[fixed:])})"


def _returns(one: Routine) -> str:
    return one.returns if one.returns.startswith("TABLE") else shown(one.returns)


def _answer(one: Routine, value: Any) -> Answer:
    kind = one.returns
    if value is not None and kind in PYTHON and not isinstance(value, PYTHON[kind]):
        text = f"The handler of {one.name.name} returned {type(value).__name__}; the procedure returns {shown(kind)}."
        raise Failure(text, 100357, "P0000")
    if kind == "JSON" and value is not None:
        value = json.dumps(value)
    if isinstance(value, bool):
        value = "1" if value else "0"
    return listing(Listing({one.name.name: KINDS.get(kind, "text")}, [[value]]), CALL)
