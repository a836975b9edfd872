"""One graph's tasks for one moment: what each does, whoever lets them run, and the record of it.

On DuckDB `tasks` runs them all; on Snowflake each is a TASK of its own that calls `run_task`. No dbt here: this
runs inside of a procedure.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from snowml.engines.base import Engine
from snowml.errors import ModelNotFound, SnowmlError, UserError, did_you_mean, retold
from snowml.names import quoted
from snowml.progress import Progress, Silent
from snowml.records import TaskRun, TaskState
from snowml.registry.store import Registry
from snowml.spec.graph import Graph, Task, graphs_of
from snowml.spec.schedule import last_due
from snowml.workflows.arrivals import take, waiting
from snowml.workflows.batch import predict_batch
from snowml.workflows.monitor import monitor
from snowml.workflows.retrain import retrain
from snowml.workflows.specs import Located, from_registry

Clock = Callable[[], datetime]

# On Snowflake it lands in the event table. The null handler keeps it off a terminal, which is told by `Progress`.
_LOG = logging.getLogger("snowml.tasks")
_LOG.addHandler(logging.NullHandler())

_NO_CHAMPION = "no version is promoted yet"
_OWN_JOB = "left to a dbt job of your own"


@dataclass(slots=True)
class Round:
    """One graph's tasks for one moment.

    Attributes:
        build: Builds the features; says in a few words what came of it.
        score: Scores what is due of a model.
        session: The registry, for as long as dbt does not need the warehouse.
        states: Those of the tasks so far.
        errors: What went wrong.
    """

    graph: Graph
    specs: Mapping[str, Located]
    due_at: datetime
    clock: Clock
    session: Callable[[], AbstractContextManager[Registry]]
    build: Callable[[], str]
    score: Callable[[str], str]
    progress: Progress = field(default_factory=Silent)
    states: dict[str, TaskState] = field(default_factory=dict)
    errors: list[SnowmlError] = field(default_factory=list)

    def run(self, task: Task) -> TaskRun:
        """Run a task, if those before it succeeded, and record what came of it."""
        started = self.clock()
        state, detail = self._outcome(task)
        self.states[task.name] = state
        level = logging.ERROR if state == "failed" else logging.INFO
        _LOG.log(
            level, "%s of %s, due %s: %s: %s", task.name, self.graph.schedule, self.due_at, state, detail
        )
        run = TaskRun(
            self.graph.schedule, task.name, task.model, self.due_at, state, detail, started, self.clock()
        )
        with self.session() as registry:
            registry.record_task_run(run)
        return run

    def _outcome(self, task: Task) -> tuple[TaskState, str]:
        if task.kind == "finalize":
            others = (other.name for other in self.graph.tasks if other.kind != "finalize")
            found = {name: self.states.get(name, "did not end") for name in others}
            missed = [f"{name} {state}" for name, state in found.items() if state != "succeeded"]
            return ("failed", ", ".join(missed)) if missed else ("succeeded", "all tasks succeeded")
        lacking = [name for name in task.after if self.states.get(name) != "succeeded"]
        if lacking:
            return "skipped", f"{', '.join(lacking)} did not succeed"
        try:
            return "succeeded", self._work(task)
        except SnowmlError as error:
            self.errors.append(retold(error, f"{task.name}, due {self.due_at:%Y-%m-%d %H:%M}: {error}"))
            return "failed", str(error)

    def _work(self, task: Task) -> str:
        """Do what a task is for; a few words about it."""
        if task.model is None:
            return self._build()
        if task.kind == "retrain":
            return self._retrain(self.specs[task.model])
        with self.session() as registry:
            if not registry.champions(task.model):
                return _NO_CHAMPION
        return self.score(task.model) if task.kind == "score" else self._monitor(self.specs[task.model])

    def _build(self) -> str:
        """Build the features, and then take the rows that the graph waited for: before, a failure would hide them."""
        if not self.graph.streams:
            return self.build()
        with self.session() as registry:
            seen = waiting(registry, self.graph)
        built = self.build()
        with self.session() as registry:
            return built + take(registry, self.graph, self.due_at, seen)

    def _monitor(self, located: Located) -> str:
        with self.session() as registry:
            found = monitor(registry.engine, registry, located, as_of=self.due_at)
        names = ", ".join(f"{row.column_name} (PSI {row.psi:.3f})" for row in found.drifted)
        return f"{found.row_count} rows, {found.labelled} with a label; drifted: {names or 'nothing'}"

    def _retrain(self, located: Located) -> str:
        with self.session() as registry:
            decision = retrain(
                registry.engine,
                registry,
                located,
                as_of=self.due_at,
                now=self.clock(),
                progress=self.progress,
            )
        return f"{decision.outcome}: {decision.detail}"


def run_task(
    engine: Engine,
    registry: Registry,
    schedule: str,
    name: str,
    *,
    clock: Clock,
    as_of: datetime | None = None,
    dbt_project: str | None = None,
) -> TaskRun:
    """Run one task of a schedule's graph inside of the warehouse, where something else decides on the order.

    The first task opens a round, for the last moment that the schedule named. The others belong to the round that was
    opened last, however long it takes.

    Args:
        engine: The warehouse.
        registry: Where specifications are read, and the outcome is recorded.
        schedule: The graph's.
        name: The task's name in it.
        clock: Tells when the task begins and ends.
        as_of: The moment of the round, if it is not to be found out.
        dbt_project: A DBT PROJECT object that builds the features; None: something else does.

    Raises:
        SnowmlError: It failed; that is recorded too.
        ModelNotFound: No model has that schedule, or its graph has no such task.
    """
    registry.create()
    specs = {model: from_registry(registry, model) for model in registry.models()}
    graph, task = _named(specs, schedule, name)
    due_at = as_of or _due(registry, schedule, task, clock())
    before = registry.task_runs(schedule=schedule, due_at=due_at)
    round_ = Round(
        graph,
        specs,
        due_at,
        clock,
        session=lambda: nullcontext(registry),
        build=lambda: _build(engine, dbt_project, graph, due_at),
        score=lambda model: _score(registry, specs[model], due_at),
        states={run.task: run.state for run in before},
    )
    run = round_.run(task)
    if round_.errors:
        raise round_.errors[0]
    return run


def _named(specs: Mapping[str, Located], schedule: str, name: str) -> tuple[Graph, Task]:
    graphs = {graph.schedule: graph for graph in graphs_of(located.spec for located in specs.values())}
    if schedule not in graphs:
        raise ModelNotFound(f"No model has the schedule '{schedule}'.{did_you_mean(schedule, graphs)}")
    tasks = {task.name: task for task in graphs[schedule].tasks}
    if name not in tasks:
        raise ModelNotFound(f"The schedule '{schedule}' has no task '{name}'.{did_you_mean(name, tasks)}")
    return graphs[schedule], tasks[name]


def _due(registry: Registry, schedule: str, task: Task, now: datetime) -> datetime:
    opened = registry.task_runs(schedule=schedule, task="features", limit=1)
    if opened and task.kind != "features":
        return opened[-1].due_at
    found = last_due(schedule, now)
    if found is None:
        raise UserError(f"The schedule '{schedule}' has named no moment yet.")
    return found


def _build(engine: Engine, dbt_project: str | None, graph: Graph, due_at: datetime) -> str:
    if dbt_project is None:
        return _OWN_JOB
    name = ".".join(quoted(part, engine.name) for part in dbt_project.split("."))
    selected = " ".join(f"+exposure:{model}" for model in graph.models)
    variables = f'{{"as_of": "{due_at.isoformat(sep=" ")}"}}'
    # A literal: this statement takes no bound values. Names of models and moments have no quote in them.
    engine.execute(f"execute dbt project {name} args = 'build --select {selected} --vars ''{variables}'''")
    return f"built by {dbt_project}"


def _score(registry: Registry, located: Located, due_at: datetime) -> str:
    done = predict_batch(registry.engine, registry, located, as_of=due_at)
    return f"{done.scored} rows scored by version {done.version.version}"
