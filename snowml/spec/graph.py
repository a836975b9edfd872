"""The tasks that keep models fresh, one graph for each schedule, whoever runs them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from snowml.names import Relation
from snowml.spec.model import ModelSpec

Kind = Literal["features", "score", "monitor", "retrain", "finalize"]

_SPELT = str.maketrans({"*": "x", ",": "_and_", "-": "_to_", "+": "_plus_", "/": "_", " ": "_"})


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a graph.

    Attributes:
        kind: What it does.
        model: The model that it is about; None where that is all of the graph's.
        after: The names of the tasks that must have succeeded.
    """

    kind: Kind
    model: str | None = None
    after: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name, unique in its graph."""
        return f"{self.kind}_{self.model}" if self.model else self.kind


@dataclass(frozen=True, slots=True)
class Graph:
    """The tasks of all models that share a schedule, each after what it needs; the last one records the outcome.

    Attributes:
        streams: The tables of which one must have new rows, or nothing is due; none: it always is.
    """

    schedule: str
    models: tuple[str, ...]
    tasks: tuple[Task, ...]
    streams: tuple[Relation, ...] = ()

    @property
    def name(self) -> str:
        """The schedule in letters that a name may have."""
        return self.schedule.lower().translate(_SPELT)


def cadence(spec: ModelSpec) -> str | None:
    """When a model's tasks are due; None where nothing says so."""
    settings = spec.settings
    return settings.monitor.schedule or (settings.retrain.schedule if settings.retrain else None)


def stream_of(graph: Graph, table: Relation, schema: str) -> Relation:
    """The stream by which a graph sees a table's new rows, in the registry's schema."""
    return Relation(schema, f"snowml_{graph.name}_{table.schema}_{table.name}")


def graphs_of(specs: Iterable[ModelSpec]) -> list[Graph]:
    """The graphs of the models that have a schedule: features once, then each model's own tasks."""
    by_schedule: dict[str, list[ModelSpec]] = {}
    for spec in sorted(specs, key=lambda spec: spec.name):
        if schedule := cadence(spec):
            by_schedule.setdefault(schedule, []).append(spec)
    return [_graph(schedule, group) for schedule, group in sorted(by_schedule.items())]


def _graph(schedule: str, specs: list[ModelSpec]) -> Graph:
    features = Task("features")
    tasks = [features]
    for spec in specs:
        score = Task("score", spec.name, (features.name,))
        monitor = Task("monitor", spec.name, (score.name,))
        tasks += [score, monitor]
        if spec.settings.retrain:
            tasks.append(Task("retrain", spec.name, (monitor.name,)))
    needed = {name for task in tasks for name in task.after}
    last = tuple(task.name for task in tasks if task.name not in needed)
    # A model that waits for nothing is due by the clock, and so are those that share its features.
    waits = all(spec.stream for spec in specs)
    streams = sorted({spec.stream for spec in specs if spec.stream}, key=str) if waits else ()
    names = tuple(spec.name for spec in specs)
    return Graph(schedule, names, (*tasks, Task("finalize", after=last)), tuple(streams))
