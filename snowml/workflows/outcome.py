"""What a dbt run came to: its nodes and, of tests that failed or warned, the first rows that they found."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from snowml.errors import AnswerIsNo, WarehouseError
from snowml.workflows.project import Project

# How many rows of a test are shown, and of how many tests: to see what is wrong, not to read them all.
_ROWS = 3
_TESTS = 10
_WIDTH = 240
_COLORS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Failing:
    """The rows that a test found.

    Attributes:
        rows: The first few, column → value.
        kept_in: The table or view that holds them all, where the test has `store_failures`.
        query: What selects them all: from `kept_in`, else a file with the test's SQL.
        problem: Why there are no rows to show, where they could not be read.
    """

    rows: tuple[Mapping[str, Any], ...]
    kept_in: str | None
    query: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """The outcome of one node of a dbt run."""

    name: str
    kind: str
    status: str
    message: str
    failures: int
    seconds: float
    failing: Failing | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a dbt run came to."""

    nodes: tuple[Node, ...]

    def count(self, kind: str) -> int:
        """How many nodes of a kind ran: model, test, unit_test, seed, snapshot."""
        return sum(node.kind == kind for node in self.nodes)

    @property
    def warnings(self) -> tuple[Node, ...]:
        """The tests that warned."""
        return tuple(node for node in self.nodes if node.status == "warn")


class TestsFailed(AnswerIsNo):
    """Tests of a dbt run failed; `outcome` is the whole run."""

    __test__ = False

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        failed = [node for node in outcome.nodes if node.status == "fail"]
        told = "\n".join(f"  {line}" for node in failed for line in in_words(node))
        super().__init__(f"{len(failed)} of {len(outcome.nodes)} dbt nodes failed their test:\n{told}")


def outcome_of(results: Sequence[Any]) -> Outcome:
    """The outcome of dbt's results, no row read yet."""
    return Outcome(tuple(_node(result) for result in results))


def with_rows(outcome: Outcome, results: Sequence[Any], project: Project) -> Outcome:
    """The same with the first rows that its tests found: one query for each that failed or warned, at most ten."""
    found = [
        position
        for position, node in enumerate(outcome.nodes)
        if node.kind == "test" and node.failures and node.status in {"fail", "warn"}
    ]
    if not found:
        return outcome
    nodes = list(outcome.nodes)
    # Those that failed first: they are what stops.
    found.sort(key=lambda position: nodes[position].status)
    engine = project.open(read_only=True)
    try:
        for position in found[:_TESTS]:
            source = results[position].node
            kept_in = source.relation_name or None
            rows: list[dict[str, Any]] = []
            problem = ""
            try:
                selected = kept_in or f"(\n{source.compiled_code}\n)"
                rows = engine.query(f"select * from {selected} as failing limit {_ROWS}").to_pylist()
            except WarehouseError as error:
                problem = str(error)
            query = f"select * from {kept_in}" if kept_in else _within(project, source.compiled_path)
            nodes[position] = replace(nodes[position], failing=Failing(tuple(rows), kept_in, query, problem))
    finally:
        engine.close()
    return Outcome(tuple(nodes))


def in_words(node: Node) -> list[str]:
    """What a test said, the first rows that it found, and where all of them are; a line each."""
    first, *rest = [line for line in _COLORS.sub("", node.message).splitlines() if line.strip()] or [""]
    lines = [f"{node.name}: {first}", *(f"  {line}" for line in rest)]
    if node.failing is None:
        return lines
    for row in node.failing.rows:
        text = ", ".join(f"{name}={_shown(value)}" for name, value in row.items())
        lines.append(f"  {text if len(text) <= _WIDTH else text[: _WIDTH - 1] + '…'}")
    if node.failing.problem:
        lines.append(f"  its rows could not be read: {node.failing.problem.splitlines()[0]}")
    if node.failing.kept_in:
        lines.append(f"  all of them: {node.failing.query}")
    else:
        lines.append(
            f"  all of them: run {node.failing.query}, or keep them in a table with --store-failures"
        )
    return lines


def _within(project: Project, file: str) -> str:
    path = Path(file)
    return str(path.relative_to(project.folder) if path.is_relative_to(project.folder) else path)


def _shown(value: Any) -> str:
    return "NULL" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _node(result: Any) -> Node:
    kind, _, rest = str(result.node.unique_id).partition(".")
    return Node(
        name=result.node.name or rest,
        kind=kind,
        status=str(result.status),
        message=(result.message or "").strip(),
        failures=int(result.failures or 0),
        seconds=float(result.execution_time or 0.0),
    )
