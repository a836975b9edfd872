"""Tasks: run what is due, once; what was killed or has failed is taken up where it stopped.

A graph's run stands for the moment that its schedule named, not for the one when somebody got round to it: every task
is handed that moment, and does nothing twice for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from snowml.errors import SnowmlError
from snowml.records import TaskRun, TaskState
from snowml.registry.store import Registry
from snowml.spec.exposure import model_names
from snowml.spec.graph import Graph, cadence, graphs_of
from snowml.spec.schedule import last_due, next_due
from snowml.workflows.arrivals import is_due
from snowml.workflows.dbt import Dbt
from snowml.workflows.lock import only_one
from snowml.workflows.predict import predict
from snowml.workflows.project import Project
from snowml.workflows.round import Clock, Round
from snowml.workflows.specs import Located, from_project

Standing = Literal["due", "succeeded", "failed", "given up", "never due", "no new rows"]

# A run that failed so often is left alone until the schedule's next moment.
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class GraphRun:
    """What the tasks of one graph came to, this time."""

    graph: Graph
    due_at: datetime
    runs: tuple[TaskRun, ...]
    errors: tuple[SnowmlError, ...] = field(default=())

    def summary(self) -> dict[str, Any]:
        """What a command answers."""
        return {
            "schedule": self.graph.schedule,
            "due_at": self.due_at,
            "state": self.runs[-1].state,
            "tasks": [run.summary() for run in self.runs],
        }


@dataclass(frozen=True, slots=True)
class Expected:
    """When a graph was due last, what came of that, and when it is due next."""

    graph: Graph
    due_at: datetime | None
    standing: Standing
    next_at: datetime | None

    def summary(self) -> dict[str, Any]:
        """What a command answers."""
        return {
            "schedule": self.graph.schedule,
            "models": list(self.graph.models),
            "due_at": self.due_at,
            "state": self.standing,
            "next_at": self.next_at,
            "tasks": [
                {"task": task.name, "model": task.model, "after": list(task.after)}
                for task in self.graph.tasks
            ],
        }


def scheduled(dbt: Dbt) -> list[Located]:
    """The specifications of the project's models that have a schedule."""
    manifest, database = dbt.manifest(), _database(dbt)
    found = [from_project(dbt.project, manifest, name, database=database) for name in model_names(manifest)]
    return [located for located in found if cadence(located.spec)]


def _database(dbt: Dbt) -> str:
    """The target's database: as the profile says, where no account need be asked."""
    named = dbt.project.target.settings.get("database")
    if dbt.project.target.type == "snowflake" and named:
        return str(named)
    return dbt.project.database(notify=dbt.progress.note)


def expected(dbt: Dbt, specs: Sequence[Located], *, as_of: datetime) -> list[Expected]:
    """What is due as of a moment, of all graphs."""
    found = []
    with _session(dbt) as registry:
        for graph in graphs_of(located.spec for located in specs):
            due_at = last_due(graph.schedule, as_of)
            standing = _standing(registry, graph, due_at) if due_at else "never due"
            found.append(Expected(graph, due_at, standing, next_due(graph.schedule, as_of)))
    return found


def run_due(
    dbt: Dbt, specs: Sequence[Located], *, as_of: datetime, clock: Clock, again: bool = False
) -> list[GraphRun]:
    """Run the tasks of each graph whose last moment up to `as_of` has not succeeded yet.

    Of several moments that were missed it is the last one that counts.

    Args:
        dbt: The project.
        specs: The models that have a schedule.
        as_of: The moment.
        clock: Tells when a task begins and ends; nothing else depends on it.
        again: Also what has failed too often.
    """
    wanted = ("due", "failed", "given up") if again else ("due", "failed")
    by_name = {located.spec.name: located for located in specs}
    return [
        _run(dbt, one.graph, by_name, one.due_at, clock)
        for one in expected(dbt, specs, as_of=as_of)
        if one.standing in wanted and one.due_at
    ]


@contextmanager
def alone(project: Project) -> Iterator[int | None]:
    """Nobody else runs this warehouse's tasks meanwhile; gives the id of the process that does, if one does.

    The lock lies beside a DuckDB file, the same for all who use that; else in the project's target folder.
    """
    path = str(project.target.settings.get("path", ":memory:"))
    own = project.folder / "target" / project.target.name / "tasks.lock"
    beside = project.target.type == "duckdb" and path != ":memory:"
    with only_one(Path(f"{path}.tasks.lock") if beside else own) as other:
        yield other


def _standing(registry: Registry, graph: Graph, due_at: datetime) -> Standing:
    runs = registry.task_runs(schedule=graph.schedule, due_at=due_at)
    states = [run.state for run in runs if run.task == "finalize"]
    if "succeeded" in states:
        return "succeeded"
    if not states:
        return "due" if runs or is_due(registry, graph, due_at) else "no new rows"
    return "given up" if len(states) >= ATTEMPTS else "failed"


def _run(dbt: Dbt, graph: Graph, specs: Mapping[str, Located], due_at: datetime, clock: Clock) -> GraphRun:
    with _session(dbt) as registry:
        before = registry.task_runs(schedule=graph.schedule, due_at=due_at)
    done: dict[str, TaskState] = {run.task: run.state for run in before if run.state == "succeeded"}
    round_ = Round(
        graph,
        specs,
        due_at,
        clock,
        session=lambda: _session(dbt),
        build=lambda: _build(dbt, graph, due_at),
        score=lambda model: _score(dbt, model, due_at),
        progress=dbt.progress,
        states=done,
    )
    runs = [round_.run(task) for task in graph.tasks if task.name not in done]
    return GraphRun(graph, due_at, tuple(runs), tuple(round_.errors))


def _build(dbt: Dbt, graph: Graph, due_at: datetime) -> str:
    """All that training and scoring read: what each model's exposure depends on."""
    built = dbt.build(
        select=[f"+exposure:{model}" for model in graph.models],
        variables={"as_of": due_at.isoformat(sep=" ")},
        title=f"build the features as of {due_at:%Y-%m-%d %H:%M}",
    )
    return f"{built.count('model')} models, {built.count('test')} tests, {len(built.warnings)} warnings"


def _score(dbt: Dbt, model: str, due_at: datetime) -> str:
    done = predict(dbt, model, as_of=due_at)
    return f"{done.scored} rows scored by version {done.version.version}"


@contextmanager
def _session(dbt: Dbt) -> Iterator[Registry]:
    """The registry, for as long as dbt does not need the file."""
    engine = dbt.project.open(notify=dbt.progress.note)
    try:
        yield dbt.project.registry(engine).create()
    finally:
        engine.close()
