"""One peer, one model, one table of inputs, in a process of its own: converted, or measured."""

from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from benchmarks.harness import answering, peak_memory, spent
from benchmarks.scoring.models import Trained
from benchmarks.scoring.peers import PEERS
from benchmarks.scoring.ways import Case, Peer

# A difference that neither another order of summation nor float32 explains.
WRONG = 1e-5


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    folder = Path(request["folder"])
    peer = PEERS[request["peer"]](Case(Trained(folder, request["kind"]), folder, request["threads"]))
    if "table" not in request:
        return {"wall": spent(peer.convert).wall}
    return _measured(peer, request)


def _measured(peer: Peer, request: dict[str, Any]) -> dict[str, Any]:
    table = f"inputs.{request['table']}"
    setup = spent(peer.connect)
    _attach(peer.connection, peer.case.folder / "rows.duckdb", request["threads"])
    # So that every peer finds the inputs in memory.
    read = ", ".join(f"max({column})" for column in peer.case.columns)
    peer.connection.sql(f"select {read} from {table}").fetchall()
    loading = spent(peer.load)
    one = f"(select * from {table} limit 1)"
    first, again = spent(lambda: peer.score(one)), spent(lambda: peer.score(one))
    peer.prepare(table)
    passes = [spent(lambda: peer.score(table)) for _ in range(request["passes"])]
    peer.publish()
    # Before the answers are compared, which takes memory too.
    memory = peak_memory()
    return {
        "wall": median(each.wall for each in passes),
        "cpu": median(each.cpu for each in passes),
        "memory": memory,
        "setup": setup.wall + loading.wall,
        "first_call": first.wall,
        "one_row": again.wall,
        **_compared(peer.connection, f"inputs.{request['answers']}"),
    }


def _attach(connection: duckdb.DuckDBPyConnection, rows: Path, threads: int) -> None:
    connection.execute(f"set threads = {threads}")
    connection.execute("set enable_progress_bar = false")
    connection.execute(f"attach '{rows}' as inputs (read_only)")
    connection.execute("attach ':memory:' as out (read_write)")


def _compared(connection: duckdb.DuckDBPyConnection, answers: str) -> dict[str, Any]:
    """How a peer's answers differ from scikit-learn's; NULL and NaN are one."""
    rows, differing, wrong, largest = connection.sql(
        "select count(*), count(*) filter (prediction is distinct from answer), "
        f"count(*) filter (not coalesce(abs(prediction - answer) <= {WRONG}, prediction is null and answer is null)), "
        "max(abs(prediction - answer)) from ("
        "select nullif(prediction, 'nan'::double) as prediction, nullif(answer, 'nan'::double) as answer "
        f"from {answers} left join out.predictions using (row))"
    ).fetchall()[0]
    return {"rows": rows, "differing": differing, "wrong": wrong, "max_abs_diff": largest}


if __name__ == "__main__":
    answering(_answer)
