"""Tasks and alerts: taken note of, checked as far as an account would, listed by SHOW; nothing here ever runs them."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from standin import streams
from standin.answers import Answer, Listing, listing, status
from standin.failures import Failure, exists, missing, unknown
from standin.grammar import Name, Reader
from standin.stages import now

if TYPE_CHECKING:
    from standin.session import Session

OPTIONS = {
    "TASK": {
        *(
            "WAREHOUSE",
            "SCHEDULE",
            "ALLOW_OVERLAPPING_EXECUTION",
            "USER_TASK_TIMEOUT_MS",
            "COMMENT",
            "FINALIZE",
        ),
        *("USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE", "SERVERLESS_TASK_MIN_STATEMENT_SIZE"),
        "SERVERLESS_TASK_MAX_STATEMENT_SIZE",
        *("SUSPEND_TASK_AFTER_NUM_FAILURES", "TASK_AUTO_RETRY_ATTEMPTS", "STATEMENT_TIMEOUT_IN_SECONDS"),
    },
    "ALERT": {"WAREHOUSE", "SCHEDULE", "COMMENT"},
}
# What a task without a warehouse has.
SERVERLESS = {option for option in OPTIONS["TASK"] if option.endswith(("WAREHOUSE_SIZE", "STATEMENT_SIZE"))}
SIZES = ("XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "XXLARGE")
# What a root has and no other task of its graph.
OF_THE_ROOT = {
    "SCHEDULE",
    "ALLOW_OVERLAPPING_EXECUTION",
    "SUSPEND_TASK_AFTER_NUM_FAILURES",
    "TASK_AUTO_RETRY_ATTEMPTS",
}
SCHEDULE = re.compile(r"\d+ MINUTES?|USING CRON( [\w*/,\-]+){5} [\w/+\-]+", re.IGNORECASE)
COLUMNS = [
    "created_on",
    "name",
    "database_name",
    "schema_name",
    "comment",
    "warehouse",
    "schedule",
    "predecessors",
    "task_relations",
    "condition",
]


@dataclass
class Scheduled:
    """One task or alert."""

    name: Name
    options: dict[str, str] = field(default_factory=dict)
    after: list[Name] = field(default_factory=list)
    finalizes: Name | None = None
    condition: str = ""
    definition: str = ""
    state: str = "suspended"


class Schedules:
    """All tasks, or all alerts, of the account."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._all: dict[Name, Scheduled] = {}

    def forget(self, which: Callable[[Name], bool]) -> None:
        for name in [name for name in self._all if which(name)]:
            del self._all[name]

    def create(self, session: "Session", reader: Reader, replace: bool, temporary: bool) -> Answer:
        unless = reader.take("IF NOT EXISTS")
        new = Scheduled(session.name(reader.path()))
        self._read(session, reader, new)
        if new.name in self._all and unless:
            return self._done("already exists, statement succeeded")
        if new.name in self._all and not replace:
            raise exists(new.name)
        self._check(new)
        self._sever(new.name)
        self._all[new.name] = new
        return self._done("successfully created")

    def drop(self, session: "Session", reader: Reader) -> Answer:
        unless = reader.take("IF EXISTS")
        name = session.name(reader.path())
        reader.end()
        if name not in self._all:
            if unless:
                return self._done("already dropped")
            raise missing(self.kind.title(), name)
        self._refuse_while_its_root_runs(self._all[name])
        self._sever(name)
        del self._all[name]
        return self._done("successfully dropped")

    def alter(self, session: "Session", reader: Reader) -> Answer:
        unless = reader.take("IF EXISTS")
        name = session.name(reader.path())
        for word, state in (("RESUME", "started"), ("SUSPEND", "suspended")):
            if reader.take(word):
                reader.end()
                if name not in self._all and not unless:
                    raise missing(self.kind.title(), name)
                if name in self._all:
                    self._turn(self._all[name], state)
                return self._done("successfully altered")
        raise unknown(f"ALTER {self.kind} {reader.rest()[:40]}")

    def show(self, session: "Session", reader: Reader) -> Answer:
        reader.expect("IN SCHEMA")
        place = session.name([*reader.path(), "X"])
        reader.end()
        rows = [
            [
                *(
                    now(),
                    n.name,
                    n.database,
                    n.schema,
                    one.options.get("COMMENT", ""),
                    one.options.get("WAREHOUSE", ""),
                ),
                *(
                    one.options.get("SCHEDULE", ""),
                    json.dumps([str(name) for name in one.after]),
                    json.dumps({"FinalizedRootTask": str(one.finalizes)} if one.finalizes else {}),
                    *(one.condition, one.state, one.definition),
                ),
            ]
            for n, one in self._all.items()
            if (n.database, n.schema) == (place.database, place.schema)
        ]
        return listing(Listing(dict.fromkeys([*COLUMNS, "state", "definition"], "text"), rows))

    def _read(self, session: "Session", reader: Reader, new: Scheduled) -> None:
        end = "AS" if self.kind == "TASK" else "IF"
        while not reader.take(end):
            if self.kind == "TASK" and reader.take("AFTER"):
                new.after.append(session.name(reader.path()))
                while reader.take(","):
                    new.after.append(session.name(reader.path()))
                continue
            if self.kind == "TASK" and reader.take("WHEN"):
                new.condition = self._condition(session, reader)
                continue
            option = reader.identifier()
            if option not in OPTIONS[self.kind]:
                raise unknown(f"the option {option} of a {self.kind.lower()}")
            reader.expect("=")
            if option == "FINALIZE":
                new.finalizes = session.name(reader.path())
            else:
                new.options[option] = reader.one().text
        if self.kind == "ALERT":
            condition = Reader(reader.inside())
            condition.expect("EXISTS")
            _ = condition.inside()
            condition.end()
            reader.expect("THEN")
        new.definition = reader.rest()
        if not new.definition:
            raise Failure(f"SQL compilation error:\na {self.kind.lower()} that does nothing.")

    def _condition(self, session: "Session", reader: Reader) -> str:
        """The text up to AS, once it is checked."""
        start = reader.next
        while reader.next and reader.next.text.upper() != "AS":
            reader.one()
        if start is None or reader.next is None:
            raise reader.wrong("a condition and AS")
        text = reader.sql[start.start : reader.next.start].strip()
        streams.condition(session, text, session.account.streams)
        return text

    def _check(self, new: Scheduled) -> None:
        schedule = new.options.get("SCHEDULE")
        if schedule is not None and not SCHEDULE.fullmatch(schedule):
            raise Failure(f"SQL compilation error:\ninvalid schedule '{schedule}'.")
        self._check_compute(new)
        child = bool(new.after or new.finalizes)
        if self.kind == "TASK" and child == (schedule is not None):
            raise Failure("SQL compilation error:\na task has either a schedule or predecessors.")
        if child and (wrong := OF_THE_ROOT & set(new.options)):
            raise Failure(
                f"SQL compilation error:\n{', '.join(sorted(wrong))} can be set on root tasks only."
            )
        for name in [*new.after, *([new.finalizes] if new.finalizes else [])]:
            if name not in self._all:
                raise missing("Task", name)
        self._refuse_while_its_root_runs(new)
        if new.name in self._all:
            self._refuse_while_its_root_runs(self._all[new.name])

    def _check_compute(self, new: Scheduled) -> None:
        given = SERVERLESS & set(new.options)
        if "WAREHOUSE" in new.options and given:
            raise Failure(
                f"SQL compilation error:\n{', '.join(sorted(given))} and WAREHOUSE exclude each other."
            )
        if wrong := [new.options[option] for option in sorted(given) if new.options[option] not in SIZES]:
            raise Failure(f"SQL compilation error:\ninvalid size '{wrong[0]}'.")

    def _root(self, one: Scheduled) -> Scheduled | None:
        above = one.finalizes or (one.after[0] if one.after else None)
        return one if above is None else self._root(self._all[above]) if above in self._all else None

    def _refuse_while_its_root_runs(self, one: Scheduled) -> None:
        root = self._root(one)
        # A root alone may be replaced; with others below it the graph must stand still.
        below = any(
            other.after or other.finalizes for other in self._all.values() if self._root(other) is root
        )
        if self.kind == "TASK" and root and root.state == "started" and (root is not one or below):
            raise Failure(
                f"Unable to update graph with root task {root.name} since that root task is not suspended.",
                91421,
            )

    def _sever(self, name: Name) -> None:
        """What came after a task that is dropped or made anew comes after nothing: the worst that an account may do."""
        for other in self._all.values():
            other.after = [one for one in other.after if one != name]
            other.finalizes = None if other.finalizes == name else other.finalizes

    def _turn(self, one: Scheduled, state: str) -> None:
        if self._root(one) is not one:
            self._refuse_while_its_root_runs(one)
        one.state = state

    def _done(self, what: str) -> Answer:
        return status(f"{self.kind.title()} {what}.", kind="accepted")
