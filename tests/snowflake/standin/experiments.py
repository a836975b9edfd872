"""Experiments and their runs: kept with what was logged, and refused what a run that has ended is told."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from standin.answers import Answer, Listing, listing, status
from standin.failures import Failure, exists, missing, unknown
from standin.grammar import Name, Reader
from standin.stages import like, now

if TYPE_CHECKING:
    from standin.session import Session

STATUSES = ("FINISHED", "FAILED")


@dataclass
class Run:
    state: str = "RUNNING"
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)


class Experiments:
    """All experiments of the account, by name the runs."""

    def __init__(self) -> None:
        self._all: dict[Name, dict[str, Run]] = {}

    def forget(self, which: Callable[[Name], bool]) -> None:
        for name in [name for name in self._all if which(name)]:
            del self._all[name]

    def create(self, session: "Session", reader: Reader, replace: bool, _: bool) -> Answer:
        unless = reader.take("IF NOT EXISTS")
        name = session.name(reader.path())
        reader.end()
        if name in self._all and unless:
            return status(f"{name.name} already exists, statement succeeded.")
        if name in self._all and not replace:
            raise exists(name)
        self._all[name] = {}
        return status(f"Experiment {name.name} successfully created.")

    def drop(self, session: "Session", reader: Reader) -> Answer:
        unless = reader.take("IF EXISTS")
        name = session.name(reader.path())
        reader.end()
        if self._all.pop(name, None) is None and not unless:
            raise missing("Experiment", name)
        return status(f"{name.name} successfully dropped.")

    def alter(self, session: "Session", reader: Reader) -> Answer:
        runs = self._runs(session, reader)
        if reader.take("ADD RUN"):
            name = reader.identifier()
            if name in runs:
                raise exists(name)
            runs[name] = Run()
        elif reader.take("COMMIT RUN"):
            run = self._open(runs, reader)
            run.state = "FINISHED"
            if reader.take("WITH STATUS"):
                reader.expect("=")
                run.state = reader.string()
            if run.state not in STATUSES:
                raise Failure(f"Invalid status '{run.state}' of a run.")
        elif reader.take("MODIFY RUN"):
            self._log(self._open(runs, reader), reader)
        else:
            raise unknown(f"ALTER EXPERIMENT {reader.rest()[:40]}")
        reader.end()
        return status()

    def show_runs(self, session: "Session", reader: Reader) -> Answer:
        pattern = reader.string() if reader.take("LIKE") else "%"
        reader.expect("IN EXPERIMENT")
        runs = self._runs(session, reader)
        reader.end()
        rows = [
            [now(), name, json.dumps({"status": run.state})]
            for name, run in runs.items()
            if like(name, pattern)
        ]
        return listing(Listing(dict.fromkeys(["created_on", "name", "metadata"], "text"), rows))

    def show_metrics(self, session: "Session", reader: Reader) -> Answer:
        found = self._of_runs(session, reader)
        rows = [[name, m["name"], m["value"], m["step"]] for name, run in found for m in run.metrics.values()]
        return listing(Listing(dict.fromkeys(["run_name", "name", "value", "step"], "text"), rows))

    def show_parameters(self, session: "Session", reader: Reader) -> Answer:
        found = self._of_runs(session, reader)
        rows = [[name, key, value] for name, run in found for key, value in run.parameters.items()]
        return listing(Listing(dict.fromkeys(["run_name", "name", "value"], "text"), rows))

    def _of_runs(self, session: "Session", reader: Reader) -> list[tuple[str, Run]]:
        reader.expect("IN EXPERIMENT")
        runs = self._runs(session, reader)
        only = reader.identifier() if reader.take("RUN") else None
        reader.end()
        return [(name, run) for name, run in runs.items() if only in (None, name)]

    def _runs(self, session: "Session", reader: Reader) -> dict[str, Run]:
        name = session.name(reader.path())
        if name not in self._all:
            raise missing("Experiment", name)
        return self._all[name]

    @staticmethod
    def _open(runs: dict[str, Run], reader: Reader) -> Run:
        name = reader.identifier()
        if name not in runs:
            raise missing("Run", name)
        if runs[name].state != "RUNNING":
            raise Failure(f"The run {name} has ended, and takes nothing more.")
        return runs[name]

    @staticmethod
    def _log(run: Run, reader: Reader) -> None:
        reader.expect("ADD")
        what = reader.identifier()
        reader.expect("=")
        if what not in ("METRICS", "PARAMETERS"):
            raise unknown(f"{what} of a run")
        try:
            logged = json.loads(reader.string(), parse_constant=_refuse)
        except ValueError as error:
            raise Failure(f"Invalid JSON for {what}: {error}") from error
        for one in logged:
            if what == "PARAMETERS":
                run.parameters[str(one["name"])] = str(one["value"])
            elif isinstance(one["value"], int | float) and isinstance(one["step"], int):
                run.metrics[str(one["name"])] = one
            else:
                raise Failure(f"The metric {one} has no number.")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
