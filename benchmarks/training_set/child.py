"""One peer in a process of its own."""

import importlib
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.harness import Unable, answering, peak_memory, spent
from benchmarks.training_set.data import Question
from benchmarks.training_set.peers import COLUMNS, IMPORTS, PEERS


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    question = Question(Path(request["folder"]), request["spine"])
    connection = duckdb.connect(str(question.file), read_only=True)
    connection.execute(f"set threads = {request['threads']}")
    connection.execute("set enable_progress_bar = false")
    connection.execute("attach ':memory:' as out (read_write)")
    _import(request["peer"])
    took = spent(lambda: PEERS[request["peer"]](connection, question))
    memory = peak_memory()
    return {"wall": took.wall, "cpu": took.cpu, "memory": memory, "differing": _differing(connection)}


def _import(peer: str) -> None:
    for module in IMPORTS.get(peer, []):
        try:
            importlib.import_module(module)
        except ImportError as missing:
            raise Unable(f"{missing}; install it: pip install '.[bench]'") from missing


def _differing(connection: duckdb.DuckDBPyConnection) -> int:
    """Rows that are not as expected: missing, extra, or with another value."""
    missing = "isnan(coalesce({0}::double, 'nan'::double))"
    same = " and ".join(
        f"(made.{column} = expected.{column} or "
        f"({missing.format('made.' + column)} and {missing.format('expected.' + column)}))"
        for column in COLUMNS
    )
    # A row that is missing on one side is not the same either.
    counted = connection.sql(
        f"select count(*) filter (not coalesce({same} and made.as_of = expected.as_of, false)) "
        "from expected full join out.training_set as made using (row)"
    ).fetchall()
    return int(counted[0][0])


if __name__ == "__main__":
    answering(_answer)
