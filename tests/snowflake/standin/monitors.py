"""Model monitors: checked as far as the documentation says, kept and listed; nothing here ever counts anything."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from standin import queries
from standin.answers import Answer, Listing, listing, status
from standin.failures import Failure, exists, missing, unknown
from standin.grammar import Name, Reader
from standin.stages import like, now

if TYPE_CHECKING:
    from standin.session import Account, Session

NEEDED = {"MODEL", "VERSION", "FUNCTION", "SOURCE", "WAREHOUSE", "REFRESH_INTERVAL", "AGGREGATION_WINDOW"}
NEEDED |= {"TIMESTAMP_COLUMN"}
NAMES = ("MODEL", "SOURCE", "BASELINE")
LISTS = ("ID_COLUMNS", "PREDICTION_CLASS_COLUMNS", "PREDICTION_SCORE_COLUMNS")
LISTS += ("ACTUAL_CLASS_COLUMNS", "ACTUAL_SCORE_COLUMNS")
REFRESH = re.compile(r"(\d+) (second|minute|hour|day)s?")
AGGREGATION = re.compile(r"[1-9]\d* days?")
# What each task may be told of: kinds of predictions, and of actuals.
KINDS = {
    "TABULAR_REGRESSION": ({"SCORE"}, {"SCORE"}),
    "TABULAR_BINARY_CLASSIFICATION": ({"SCORE", "CLASS"}, {"CLASS"}),
    "TABULAR_MULTI_CLASSIFICATION": ({"CLASS"}, {"CLASS"}),
}


@dataclass
class Monitor:
    name: Name
    model: Name
    options: dict[str, str]
    lists: dict[str, list[str]]
    task: str = ""


class Monitors:
    """All model monitors of the account."""

    def __init__(self, account: "Account") -> None:
        self._account = account
        self._all: dict[Name, Monitor] = {}

    def forget(self, which: Callable[[Name], bool]) -> None:
        for name in [name for name in self._all if which(name)]:
            del self._all[name]

    def create(self, session: "Session", reader: Reader, replace: bool, _: bool) -> Answer:
        unless = reader.take("IF NOT EXISTS")
        name = session.name(reader.path())
        reader.expect("WITH")
        new = self._read(session, reader, name)
        if name in self._all and unless:
            return status(f"{name.name} already exists, statement succeeded.", kind="accepted")
        if name in self._all and not replace:
            raise exists(name)
        self._check(session, new)
        self._all[name] = new
        return status(f"Model monitor {name.name} successfully created.", kind="accepted")

    def drop(self, session: "Session", reader: Reader) -> Answer:
        unless = reader.take("IF EXISTS")
        name = session.name(reader.path())
        reader.end()
        if self._all.pop(name, None) is None and not unless:
            raise missing("Model monitor", name)
        return status(f"{name.name} successfully dropped.", kind="accepted")

    def show(self, session: "Session", reader: Reader) -> Answer:
        pattern = reader.string() if reader.take("LIKE") else "%"
        _ = reader.take("IN SCHEMA") or reader.take("IN")
        place = session.name([*reader.path(), "X"])
        reader.end()
        columns = ["created_on", "name", "database_name", "schema_name", "warehouse_name", "refresh_interval"]
        columns += ["aggregation_window", "model_task", "monitor_state", "model", "comment"]
        rows = [
            [
                *(
                    now(),
                    n.name,
                    n.database,
                    n.schema,
                    one.options["WAREHOUSE"],
                    one.options["REFRESH_INTERVAL"],
                ),
                *(one.options["AGGREGATION_WINDOW"], one.task, "ACTIVE"),
                f'{{"model_name": "{one.model.name}", "version_name": "{one.options["VERSION"]}"}}',
                one.options.get("COMMENT"),
            ]
            for n, one in self._all.items()
            if like(n.name, pattern) and (n.database, n.schema) == (place.database, place.schema)
        ]
        return listing(Listing(dict.fromkeys(columns, "text"), rows))

    def _read(self, session: "Session", reader: Reader, name: Name) -> Monitor:
        options: dict[str, str] = {}
        lists: dict[str, list[str]] = {}
        places: dict[str, Name] = {}
        while reader.next:
            option = reader.identifier()
            reader.expect("=")
            if option in (*options, *lists, *places):
                raise Failure(f"SQL compilation error:\nduplicate property '{option}'.")
            if option in NAMES:
                places[option] = session.name(reader.path())
            elif option in LISTS:
                lists[option] = reader.strings()
            elif option in ("WAREHOUSE", "TIMESTAMP_COLUMN"):
                options[option] = reader.identifier()
            elif option in NEEDED or option == "COMMENT":
                options[option] = reader.string()
            else:
                raise unknown(f"the property {option} of a model monitor")
        if lacking := sorted(NEEDED - {*options, *places}):
            raise Failure(f"SQL compilation error:\nMissing properties: {', '.join(lacking)}.")
        options |= {key: place.sql for key, place in places.items()}
        return Monitor(name, places["MODEL"], options, lists)

    def _check(self, session: "Session", new: Monitor) -> None:
        if (new.model.database, new.model.schema) != (new.name.database, new.name.schema):
            raise Failure("A model monitor must be in the schema of its model.")
        version = self._account.models.find(new.model).version(new.options["VERSION"])
        if new.options["FUNCTION"].upper() not in version.methods:
            raise missing("Function", f"{new.options['FUNCTION']} of version {version.name}")
        spec = yaml.safe_load((version.folder / "model" / "model.yaml").read_text())
        new.task = spec.get("task") or "UNKNOWN"
        if new.task not in KINDS:
            raise Failure(f"The task {new.task} of the model cannot be monitored.")
        for other in self._all.values():
            watched = (other.model, other.options["VERSION"])
            if other.name != new.name and watched == (new.model, new.options["VERSION"]):
                raise Failure(f"The version is monitored already, by {other.name}.")
        if new.options["WAREHOUSE"] not in self._account.warehouses:
            raise missing("Warehouse", new.options["WAREHOUSE"])
        refresh = REFRESH.fullmatch(new.options["REFRESH_INTERVAL"])
        if not refresh or (refresh[2] == "second" and int(refresh[1]) < 60):
            raise Failure(f"Invalid refresh interval '{new.options['REFRESH_INTERVAL']}'.")
        if not AGGREGATION.fullmatch(new.options["AGGREGATION_WINDOW"]):
            raise Failure(f"Invalid aggregation window '{new.options['AGGREGATION_WINDOW']}'.")
        self._check_columns(session, new)

    def _check_columns(self, session: "Session", new: Monitor) -> None:
        used = {key: names for key, names in new.lists.items() if names}
        _check_kinds(new.task, list(used))
        source = self._types(session, new.options["SOURCE"])
        moment = new.options["TIMESTAMP_COLUMN"]
        if source.get(moment) != "TIMESTAMP":
            raise Failure(f"The timestamp column {moment} must be a TIMESTAMP_NTZ of the source.")
        for key, name in ((key, name) for key, names in used.items() for name in names):
            if name not in source:
                raise Failure(f"The column {name} is not in the source.")
            is_text = source[name] in ("VARCHAR", "BOOLEAN")
            numeric = key.endswith("SCORE_COLUMNS") or ("BINARY" in new.task and not key.startswith("ID"))
            if numeric == is_text:
                raise Failure(f"The column {name} has the wrong type for {key}: {source[name]}.")
        if "BASELINE" in new.options:
            lacking = source.keys() - self._types(session, new.options["BASELINE"]).keys()
            if lacking:
                raise Failure(f"The baseline lacks columns of the source: {', '.join(sorted(lacking))}.")

    @staticmethod
    def _types(session: "Session", relation: str) -> dict[str, str]:
        """DuckDB's types of a relation's columns."""
        cursor = queries.Cursor(session.connection, session.duckdb)
        cursor.run(queries.parse_one(f"select * from {relation} limit 0"), None)
        return {name: str(kind) for name, kind, *_ in session.duckdb.description or []}


def _check_kinds(task: str, used: list[str]) -> None:
    for side, kinds in zip(("PREDICTION", "ACTUAL"), KINDS[task], strict=True):
        wrong = [key for key in used if key.startswith(side) and key.split("_")[1] not in kinds]
        if wrong:
            raise Failure(f"{', '.join(wrong)} is not for models of the task {task}.")
    if not any(key.startswith("PREDICTION") for key in used):
        raise Failure("At least one prediction column is needed.")
