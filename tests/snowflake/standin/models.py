"""Registered models: what snowflake-ml packed on a stage, under a version, with methods that a query can call."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from sqlglot import Expr, exp

from standin.answers import Answer, Listing, listing, status
from standin.datatypes import duckdb_type, shown
from standin.failures import Failure, exists, missing, unknown
from standin.grammar import Name, Reader
from standin.stages import like, now
from standin.workers import Worker

if TYPE_CHECKING:
    from standin.session import Account, Session

RESERVED = ("DEFAULT", "FIRST", "LAST")
URL = re.compile(r"snow://model/(?P<model>[^/]+)/versions/(?P<version>[^/]+)(/(?P<path>.*))?")


@dataclass
class Version:
    """One version: its folder is what the client packed."""

    name: str
    folder: Path
    aliases: list[str] = field(default_factory=list)
    comment: str = ""
    metadata: str = "{}"
    # How DuckDB calls a method, and the worker behind it, once a query has called it.
    called: dict[str, tuple[str, Worker]] = field(default_factory=dict)

    @property
    def methods(self) -> dict[str, dict[str, Any]]:
        manifest = yaml.safe_load((self.folder / "MANIFEST.yml").read_text())
        return {method["name"].upper(): method for method in manifest["methods"]}

    def close(self) -> None:
        for _, worker in self.called.values():
            worker.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Model:
    name: Name
    versions: dict[str, Version]
    default: str
    comment: str = ""

    def version(self, called: str) -> Version:
        """By its name or an alias."""
        names = list(self.versions)
        reserved = dict(zip(RESERVED, (self.default, names[0], names[-1]), strict=True))
        for version in self.versions.values():
            if called in (version.name, *version.aliases) or reserved.get(called) == version.name:
                return version
        raise missing("Version", f"{called} of model {self.name}")


class Models:
    """All models of the account."""

    def __init__(self, account: "Account") -> None:
        self._account = account
        self._all: dict[Name, Model] = {}

    def forget(self, which: Callable[[Name], bool]) -> None:
        for name in [name for name in self._all if which(name)]:
            for version in self._all.pop(name).versions.values():
                version.close()

    def create(self, session: "Session", reader: Reader, replace: bool, _: bool) -> Answer:
        name = session.name(reader.path())
        if name in self._all and not replace:
            raise exists(name)
        reader.expect("WITH VERSION")
        version = self._version(session, name, reader)
        self.forget(lambda one: one == name)
        self._all[name] = Model(name, {version.name: version}, version.name)
        return status(f"Model {name.name} successfully created.")

    def drop(self, session: "Session", reader: Reader) -> Answer:
        unless = reader.take("IF EXISTS")
        name = session.name(reader.path())
        reader.end()
        if name not in self._all and not unless:
            raise missing("Model", name)
        self.forget(lambda one: one == name)
        return status(f"{name.name} successfully dropped.")

    def alter(self, session: "Session", reader: Reader) -> Answer:
        model = self._model(session, reader)
        if reader.take("ADD VERSION"):
            version = self._version(session, model.name, reader)
            if version.name in model.versions:
                raise exists(version.name)
            model.versions[version.name] = version
        elif reader.take("SET DEFAULT_VERSION"):
            reader.expect("=")
            model.default = model.version(reader.identifier()).name
        elif reader.take("SET COMMENT"):
            reader.expect("=")
            model.comment = reader.string()
        elif reader.take("MODIFY VERSION"):
            self._modify(model.version(reader.identifier()), reader)
        elif reader.take("DROP VERSION"):
            self._drop_version(model, reader.identifier())
        elif reader.take("VERSION"):
            self._alias(model, reader)
        else:
            raise unknown(f"the statement {reader.sql[:100]!r}")
        reader.end()
        return status()

    def show(self, session: "Session", reader: Reader) -> Answer:
        pattern = reader.string() if reader.take("LIKE") else "%"
        _ = reader.take("IN SCHEMA") or reader.take("IN")
        place = session.name([*(reader.path() if reader.next else []), "X"])
        reader.end()
        columns = ["created_on", "name", "model_type", "database_name", "schema_name", "comment", "owner"]
        columns += ["default_version_name", "versions", "aliases"]
        rows = [
            [
                now(),
                m.name.name,
                "USER_MODEL",
                m.name.database,
                m.name.schema,
                m.comment,
                "STANDIN",
                m.default,
                json.dumps(list(m.versions)),
                json.dumps({a: v.name for v in m.versions.values() for a in v.aliases}),
            ]
            for m in self._all.values()
            if like(m.name.name, pattern)
            and m.name.schema == place.schema
            and m.name.database == place.database
        ]
        return listing(Listing(dict.fromkeys(columns, "text"), rows))

    def show_versions(self, session: "Session", reader: Reader) -> Answer:
        pattern = reader.string() if reader.take("LIKE") else "%"
        reader.expect("IN MODEL")
        model = self._model(session, reader)
        reader.end()
        columns = ["created_on", "name", "aliases", "comment", "database_name", "schema_name", "model_name"]
        columns += ["is_default_version", "functions", "metadata", "user_data", "runnable_in", "model_spec"]
        columns += ["inference_services", "model_attributes"]
        rows = []
        for v in model.versions.values():
            if like(v.name, pattern):
                name, spec = model.name, v.folder / "model" / "model.yaml"
                default = v.name == model.default
                aliases = [*v.aliases, *(["DEFAULT"] if default else [])]
                rows.append(
                    [
                        now(),
                        v.name,
                        json.dumps(aliases),
                        v.comment,
                        name.database,
                        name.schema,
                        name.name,
                        default,
                    ]
                )
                rows[-1] += [json.dumps(list(v.methods)), v.metadata, "{}", '["WAREHOUSE"]']
                rows[-1] += [spec.read_text() if spec.exists() else "", "[]", "{}"]
        return listing(Listing(dict.fromkeys(columns, "text"), rows))

    def show_functions(self, session: "Session", reader: Reader) -> Answer:
        model = self._model(session, reader)
        version = model.version(reader.identifier() if reader.take("VERSION") else "DEFAULT")
        reader.end()
        rows = []
        for name, method in version.methods.items():
            inputs = ", ".join(shown(duckdb_type(one["type"])) for one in method["inputs"])
            rows.append([name, method["type"], "OBJECT", f"({inputs}) RETURN OBJECT", "python", ""])
        columns = ["name", "function_type", "return_type", "arguments", "language", "description"]
        return listing(Listing(dict.fromkeys(columns, "text"), rows))

    def path(self, session: "Session", url: str) -> tuple[Path, Path]:
        """The folder of a version, and what is meant inside it, of a `snow://model/…/versions/…` location."""
        found = URL.fullmatch(url)
        if not found:
            raise unknown(f"the location {url}")
        model = self._model(session, Reader(found["model"]))
        folder = model.version(Reader(found["version"]).identifier()).folder
        path = folder / (found["path"] or "")
        if not path.resolve().is_relative_to(folder.resolve()):
            raise Failure(f"The path {url} leaves its version.")
        return folder, path

    def calls(self, session: "Session", expression: Expr, home: Name | None = None) -> Expr:
        """Replaces MODEL(name, version)!METHOD(…) by the function that calls the method's worker.

        In the body of a function names are looked up where that stands, its `home`.
        """
        for call in list(expression.find_all(exp.ModelAttribute)):
            reference, method = call.this, call.expression
            parts = [Reader(one.sql("snowflake")) for one in reference.expressions]
            path = parts[0].path()
            full = [*((home.database, home.schema)[: 3 - len(path)] if home else ()), *path]
            model = self.find(session.name(full))
            version = model.version(parts[1].identifier() if len(parts) > 1 else "DEFAULT")
            physical, types = self._method(version, method.name.upper())
            if len(types) != len(method.expressions):
                raise Failure(f"{method.name} takes {len(types)} arguments, not {len(method.expressions)}.")
            arguments = [
                exp.cast(argument.copy(), kind, dialect="duckdb")
                for argument, kind in zip(method.expressions, types, strict=True)
            ]
            answer = exp.Anonymous(this=physical, expressions=arguments)
            call.replace(exp.cast(answer, "JSON", dialect="duckdb"))
        return expression

    def _method(self, version: Version, name: str) -> tuple[str, list[str]]:
        if name not in version.methods:
            raise missing("Function", f"{name} of version {version.name}")
        method = version.methods[name]
        if method["type"] != "FUNCTION":
            raise unknown(f"methods of type {method['type']}")
        types = [duckdb_type(one["type"]) for one in method["inputs"]]
        if name not in version.called:
            task = {
                "kind": "function",
                "name": name,
                "handler": method["handler"],
                "body": None,
                "strict": False,
            }
            worker = Worker(self._account.nursery, task, sorted(version.folder.iterdir()))
            version.called[name] = self._account.functions.register(tuple(types), "JSON", worker), worker
        return version.called[name][0], types

    def _model(self, session: "Session", reader: Reader) -> Model:
        return self.find(session.name(reader.path()))

    def find(self, name: Name) -> Model:
        if name not in self._all:
            raise missing("Model", name)
        return self._all[name]

    def _version(self, session: "Session", model: Name, reader: Reader) -> Version:
        """Reads `v FROM @stage/path`, and takes a copy of what is there."""
        name = reader.identifier()
        if name in RESERVED:
            raise Failure(f"SQL compilation error:\n{name} cannot be the name of a version.")
        reader.expect("FROM")
        source = self._account.stages.path(session, reader.word_of_text())
        reader.end()
        if not (source / "MANIFEST.yml").is_file():
            raise Failure(f"SQL compilation error:\nThere is no MANIFEST.yml in {reader.sql.split()[-1]}.")
        folder = self._account.directory / "models" / model.database / model.schema / model.name / name
        if folder.exists():
            raise exists(f"{model} version {name}")
        shutil.copytree(source, folder)
        return Version(name, folder)

    @staticmethod
    def _modify(version: Version, reader: Reader) -> None:
        what = "COMMENT" if reader.take("SET COMMENT") else "METADATA"
        if what == "METADATA":
            reader.expect("SET METADATA")
        reader.expect("=")
        setattr(version, what.lower(), reader.string())

    @staticmethod
    def _alias(model: Model, reader: Reader) -> None:
        called = reader.identifier()
        version = model.version(called)
        if reader.take("UNSET ALIAS"):
            # The statement names an alias, or the version that has it.
            version.aliases = [alias for alias in version.aliases if called not in (alias, version.name)]
            return
        reader.expect("SET ALIAS")
        reader.expect("=")
        alias = reader.identifier()
        if alias in RESERVED or any(alias in (v.name, *v.aliases) for v in model.versions.values()):
            raise exists(alias)
        version.aliases.append(alias)

    @staticmethod
    def _drop_version(model: Model, called: str) -> None:
        version = model.version(called)
        if version.name == model.default:
            raise Failure(f"SQL compilation error:\nThe default version {version.name} cannot be dropped.")
        del model.versions[version.name]
        version.close()
