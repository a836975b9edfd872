"""User-defined functions: SQL ones are DuckDB's macros; Python ones run in a worker that a macro calls."""

import inspect
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from standin.answers import Answer, Listing, listing, status
from standin.datatypes import ARROW, duckdb_type, shown
from standin.failures import Failure, exists, missing, unknown
from standin.grammar import Name, Reader, split
from standin.queries import macro_body
from standin.stages import like, now
from standin.workers import IDS, Worker, encoded

if TYPE_CHECKING:
    from standin.session import Account, Session

RUNTIMES = ("3.10", "3.11", "3.12", "3.13")
Types = tuple[str, ...]


@dataclass
class Routine:
    """A function or procedure, as its statement says; types are DuckDB's, but for `declared` ones, which are shown."""

    name: Name
    arguments: dict[str, str]
    returns: str
    declared: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    # Of a function in Python: how DuckDB calls it.
    physical: str = ""
    # What stands in for arguments that are not given, from the last one back.
    defaults: tuple[str, ...] = ()
    worker: Worker | None = None

    @property
    def types(self) -> Types:
        return tuple(self.arguments.values())

    @property
    def language(self) -> str:
        return str(self.options.get("LANGUAGE", "SQL"))

    @property
    def signature(self) -> str:
        listed = (self.declared.get(name, shown(kind)) for name, kind in self.arguments.items())
        return f"{self.name.name}({', '.join(listed)})"


def routine(session: "Session", reader: Reader) -> Routine:
    """Reads a definition from its name on, to the end."""
    found = definition(session.name(reader.path()), reader)
    reader.end()
    return found


def definition(name: Name, reader: Reader) -> Routine:
    """Reads a definition from its arguments on."""
    arguments: dict[str, str] = {}
    declared: dict[str, str] = {}
    defaults: list[str] = []
    for one in split(reader.inside()):
        argument = Reader(one)
        called = argument.identifier()
        kind, default, value = re.split(r"(\sdefault\s)|$", argument.rest(), maxsplit=1, flags=re.IGNORECASE)
        arguments[called] = duckdb_type(kind)
        if arguments[called] == "JSON":
            # VARIANT, OBJECT and ARRAY are one type to DuckDB, and three to SHOW.
            declared[called] = kind.strip().upper()
        if defaults and not default:
            raise Failure(f"SQL compilation error:\n{called} has no default, and comes after one that has.")
        defaults += [value] if default else []
    if reader.take("COPY GRANTS"):
        pass
    reader.expect("RETURNS")
    if reader.take("TABLE"):
        columns = reader.inside()
        found = Routine(name, arguments, f"TABLE ({columns})", declared)
    else:
        found = Routine(name, arguments, duckdb_type(_type_text(reader)), declared)
    _ = reader.take("NOT NULL")
    while not reader.take("AS"):
        if reader.next is None:
            break
        _option(reader, found.options)
    found.body = reader.string() if reader.next else None
    found.defaults = tuple(defaults)
    _check(found)
    return found


def _type_text(reader: Reader) -> str:
    word = reader.one().text
    if word.upper() == "DOUBLE" and reader.take("PRECISION"):
        pass
    return word + (f"({reader.inside()})" if reader.next and reader.next.text == "(" else "")


def _option(reader: Reader, options: dict[str, Any]) -> None:
    flags = {
        "STRICT": ("STRICT", True),
        "RETURNS NULL ON NULL INPUT": ("STRICT", True),
        "CALLED ON NULL INPUT": ("STRICT", False),
        "VOLATILE": ("IMMUTABLE", False),
        "IMMUTABLE": ("IMMUTABLE", True),
        "EXECUTE AS CALLER": ("RIGHTS", "CALLER"),
        "EXECUTE AS OWNER": ("RIGHTS", "OWNER"),
    }
    for words, (key, value) in flags.items():
        if reader.take(words):
            options[key] = value
            return
    word = reader.identifier()
    if word == "LANGUAGE":
        options[word] = reader.identifier()
    elif word in ("HANDLER", "COMMENT", "RUNTIME_VERSION", "ARTIFACT_REPOSITORY"):
        reader.expect("=")
        options[word] = ".".join(reader.path()) if word == "ARTIFACT_REPOSITORY" else reader.one().text
    elif word in ("PACKAGES", "IMPORTS"):
        reader.expect("=")
        options[word] = reader.strings()
    else:
        raise unknown(f"the option {word} of a function or procedure")


def _check(found: Routine) -> None:
    if found.language not in ("SQL", "PYTHON"):
        raise unknown(f"functions in {found.language}")
    if found.language == "SQL":
        if found.body is None:
            raise Failure(f"SQL compilation error:\n{found.name.name} has no body.")
        return
    if found.options.get("RUNTIME_VERSION") not in RUNTIMES:
        version = found.options.get("RUNTIME_VERSION")
        raise Failure(
            f"SQL compilation error:\nRUNTIME_VERSION is {version}; it must be one of {', '.join(RUNTIMES)}."
        )
    if "HANDLER" not in found.options:
        raise Failure(f"SQL compilation error:\n{found.name.name} in Python has no HANDLER.")


class Functions:
    """All functions of the account, by name and argument types."""

    def __init__(self, account: "Account") -> None:
        self._account = account
        self._all: dict[Name, dict[Types, Routine]] = {}

    def __contains__(self, name: Name) -> bool:
        return name in self._all

    def named(self, name: str) -> bool:
        """Whether any function is called so."""
        return any(one.name == name for one in self._all)

    def forget(self, which: Callable[[Name], bool]) -> None:
        for name in [name for name in self._all if which(name)]:
            for one in self._all.pop(name).values():
                if one.worker:
                    one.worker.close()

    def create(self, session: "Session", reader: Reader, replace: bool, temporary: bool) -> Answer:
        unless = reader.take("IF NOT EXISTS")
        new = routine(session, reader)
        if new.returns.startswith("TABLE"):
            raise unknown("functions that return tables")
        old = self._all.get(new.name, {}).get(new.types)
        if old and unless:
            return status(f"{new.name.name} already exists, statement succeeded.")
        if old and not replace:
            raise exists(new.signature)
        if new.language == "PYTHON":
            self._prepare(session, new)
        self._install(session, new)
        if old and old.worker:
            old.worker.close()
        if temporary:
            session.at_close.append(lambda: self._remove(session, new.name, new.types))
        return status(f"Function {new.name.name} successfully created.")

    def drop(self, session: "Session", reader: Reader) -> Answer:
        unless = reader.take("IF EXISTS")
        name = session.name(reader.path())
        types = tuple(duckdb_type(one) for one in split(reader.inside()))
        reader.end()
        if types not in self._all.get(name, {}):
            if unless:
                return status("Drop statement executed successfully (already dropped).")
            raise missing("Function", f"{name}({', '.join(map(shown, types))})")
        self._remove(session, name, types)
        return status(f"{name.name} successfully dropped.")

    def show(self, session: "Session", reader: Reader) -> Answer:
        columns = ["created_on", "name", "schema_name", "is_builtin", "is_aggregate", "min_num_arguments"]
        columns += ["max_num_arguments", "arguments", "description", "catalog_name", "language"]
        rows = [
            [
                now(),
                f.name.name,
                f.name.schema,
                "N",
                "N",
                len(f.types),
                len(f.types),
                f"{f.signature} RETURN {shown(f.returns)}",
                f.options.get("COMMENT", ""),
                f.name.database,
                f.language,
            ]
            for f in scope(
                session, reader, [f for overloads in self._all.values() for f in overloads.values()]
            )
        ]
        return listing(Listing(dict.fromkeys(columns, "text"), rows))

    def describe(self, session: "Session", reader: Reader) -> Answer:
        name = session.name(reader.path())
        types = tuple(duckdb_type(one) for one in split(reader.inside()))
        reader.end()
        if types not in self._all.get(name, {}):
            raise missing("Function", f"{name}({', '.join(map(shown, types))})")
        return describe(self._all[name][types])

    def register(self, types: Types, returns: str, worker: Worker) -> str:
        """Makes a worker callable from DuckDB, of all connections; gives the name that it is called by."""
        physical = f"_PY_{next(IDS)}"

        def call(*columns: pa.ChunkedArray) -> pa.Array:
            values = [
                encoded(column, kind == "JSON")
                for column, kind in zip(columns, types or ("BIGINT",), strict=True)
            ]
            found = worker.ask({"columns": values, "count": len(columns[0])})
            return _result(found, returns)

        # DuckDB asks the signature how many arguments there are.
        parameters = [
            inspect.Parameter(f"a{i}", inspect.Parameter.POSITIONAL_ONLY) for i in range(len(types) or 1)
        ]
        call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        kinds = [_carried(one) for one in types] or ["BIGINT"]
        options = {"type": "arrow", "null_handling": "special", "side_effects": True}
        with self._account.lock:
            self._account.duckdb.create_function(physical, call, kinds, _carried(returns), **options)
        return physical

    def _prepare(self, session: "Session", new: Routine) -> None:
        files = [self._account.stages.file(session, one) for one in new.options.get("IMPORTS", [])]
        new.worker = worker_of(self._account, new, "function", files)
        new.physical = self.register(new.types, new.returns, new.worker)

    def _install(self, session: "Session", new: Routine) -> None:
        """Puts the overload in its macro; where that does not compile, all stays as it was."""
        before = self._all.get(new.name, {})
        session.commit_before_ddl()
        self._define(session, new.name, {**before, new.types: new})
        nulls = ", ".join(f"cast(null as {one})" for one in new.types)
        try:
            session.duckdb.execute(f"describe select {new.name.sql}({nulls})")
        except duckdb.Error as error:
            self._define(session, new.name, before)
            raise Failure(
                f"SQL compilation error:\nThe body of {new.signature} does not compile: {error}"
            ) from None
        self._all[new.name] = {**before, new.types: new}

    def _remove(self, session: "Session", name: Name, types: Types) -> None:
        gone = self._all[name].pop(types, None)
        self._define(session, name, self._all[name])
        if not self._all[name]:
            del self._all[name]
        if gone and gone.worker:
            gone.worker.close()

    @staticmethod
    def _define(session: "Session", name: Name, overloads: dict[Types, Routine]) -> None:
        bodies = [
            f"({', '.join(f'{_quoted(a)} {t}' for a, t in one.arguments.items())}) as ({_expression(session, one)})"
            for one in overloads.values()
        ]
        macro = (
            f"create or replace macro {name.sql} {', '.join(bodies)}"
            if bodies
            else f"drop macro if exists {name.sql}"
        )
        session.duckdb.execute(macro)


def worker_of(account: "Account", of: Routine, kind: str, files: list[Path]) -> Worker:
    """A worker for the handler of a function or procedure."""
    task = {"kind": kind, "name": of.name.name, "handler": of.options["HANDLER"], "body": of.body}
    task["stages"] = str(account.stages.root)
    return Worker(account.nursery, {**task, "strict": of.options.get("STRICT", False)}, files)


def scope(session: "Session", reader: Reader, all_of_them: list[Routine]) -> list[Routine]:
    """Those that SHOW ... [LIKE pattern] [IN [SCHEMA | DATABASE | ACCOUNT] name] means."""
    pattern = reader.string() if reader.take("LIKE") else "%"
    database, schema = session.place
    if reader.take("IN ACCOUNT"):
        database = schema = None
    elif reader.take("IN DATABASE"):
        database, schema = reader.path()[0] if reader.next else database, None
    elif reader.take("IN SCHEMA") or reader.take("IN"):
        place = session.name([*reader.path(), "X"])
        database, schema = place.database, place.schema
    reader.end()
    return [
        one
        for one in all_of_them
        if like(one.name.name, pattern)
        and database in (None, one.name.database)
        and schema in (None, one.name.schema)
    ]


def describe(one: Routine) -> Answer:
    arguments = ", ".join(f"{name} {shown(kind)}" for name, kind in one.arguments.items())
    rows = [["signature", f"({arguments})"], ["returns", shown(one.returns)], ["language", one.language]]
    if one.language == "PYTHON":
        options = one.options
        nulls = "RETURNS NULL ON NULL INPUT" if options.get("STRICT") else "CALLED ON NULL INPUT"
        rows += [
            ["null handling", nulls],
            ["volatility", "IMMUTABLE" if options.get("IMMUTABLE") else "VOLATILE"],
        ]
        rows += [
            ["body", one.body],
            ["handler", options["HANDLER"]],
            ["runtime_version", options["RUNTIME_VERSION"]],
        ]
        rows += [[key.lower(), json.dumps(options.get(key, []))] for key in ("IMPORTS", "PACKAGES")]
        rows += [["execute as", options["RIGHTS"]]] if "RIGHTS" in options else []
    else:
        rows.append(["body", one.body])
    return listing(Listing({"property": "text", "value": "text"}, rows))


def _expression(session: "Session", one: Routine) -> str:
    if one.language == "SQL":
        assert one.body is not None
        return f"cast({macro_body(session, one.name, one.body)} as {one.returns})"
    arguments = [f"cast({_quoted(name)} as {_carried(kind)})" for name, kind in one.arguments.items()] or [
        "1"
    ]
    return f"cast({one.physical}({', '.join(arguments)}) as {one.returns})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _carried(kind: str) -> str:
    """What DuckDB hands to and takes from Python: exact numbers as doubles when they are no whole numbers."""
    return "VARCHAR" if kind == "JSON" else "DOUBLE" if kind.startswith("DECIMAL") else kind


def _result(values: list[Any], returns: str) -> pa.Array:
    kind = _carried(returns)
    if returns == "JSON":
        values = [None if value is None else json.dumps(value) for value in values]
    try:
        return pa.array(values, type=ARROW[kind])
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise Failure(f"The handler's answer is no {shown(returns)}: {error}", 100357, "P0000") from None
