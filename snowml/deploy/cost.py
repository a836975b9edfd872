"""What the tasks may cost: a formula, its inputs, and a range, since nobody knows beforehand how long they take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from snowml.deploy.settings import Deployment, Size
from snowml.spec.graph import Graph
from snowml.spec.schedule import next_due

# Credits of an hour of a standard warehouse, as Snowflake publishes them; it is billed by the second, 60 at least.
CREDITS: Final = {"XSMALL": 1, "SMALL": 2, "MEDIUM": 4, "LARGE": 8, "XLARGE": 16}
# Minutes that a task of a kind may take: an assumption. `snowml tasks history` has those of your own.
MINUTES: Final = {
    "features": (1, 15),
    "score": (1, 5),
    "monitor": (1, 5),
    "retrain": (1, 30),
    "finalize": (1, 1),
}
_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Estimate:
    """The credits of a month of one graph, at least and at most."""

    schedule: str
    runs: int
    minutes: tuple[int, int]
    credits: tuple[float, float]

    def summary(self) -> dict[str, Any]:
        """What a command answers."""
        return {
            "schedule": self.schedule,
            "runs_a_month": self.runs,
            "minutes_a_run": list(self.minutes),
            "credits_a_month": list(self.credits),
        }


def estimate(graphs: Sequence[Graph], deployment: Deployment, now: datetime) -> list[Estimate]:
    """Runs a month, times the minutes of all tasks, times the credits of a minute.

    Tasks of a graph that run beside each other share a warehouse, and it may serve others: so this is an upper
    bound for the minutes given. A graph that waits for new rows may run less often. The training warehouse is
    counted as one of the same size.
    """
    sizes = sizes_of(deployment)
    found = []
    for graph in graphs:
        runs = _runs(graph.schedule, now)
        low, high = (sum(MINUTES[task.kind][end] for task in graph.tasks) for end in (0, 1))
        least, most = (CREDITS[size] / 60 for size in sizes)
        cost = (round(runs * low * least, 1), round(runs * high * most, 1))
        found.append(Estimate(graph.schedule, runs, (low, high), cost))
    return found


def sizes_of(deployment: Deployment) -> tuple[Size, Size]:
    """The smallest and the largest that a task may run on."""
    if (free := deployment.serverless) is None:
        return deployment.warehouse_size, deployment.warehouse_size
    return free.min or free.initial, free.max or free.initial


def _runs(schedule: str, now: datetime) -> int:
    """How often a schedule is due in the month that begins now."""
    end, count, at = now + timedelta(days=_DAYS), 0, next_due(schedule, now)
    while at and at <= end:
        count, at = count + 1, next_due(schedule, at)
    return count
