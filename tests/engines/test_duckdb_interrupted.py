"""Ctrl-C while DuckDB runs a statement ends a command as Ctrl-C, and not as an error of DuckDB's."""

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, threading, time
import duckdb
from snowml.engines.duckdb.engine import DuckDBEngine

def wait(x):
    time.sleep(0.05)
    return x

signal.signal(signal.SIGINT, signal.default_int_handler)
with duckdb.connect() as connection:
    connection.execute("set threads = 1")
    connection.create_function("wait", wait, ["BIGINT"], "BIGINT", type="arrow")
    engine = DuckDBEngine(connection)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        with engine.transaction():
            engine.execute("create table half as select 1 as done")
            engine.query({query!r})
    except KeyboardInterrupt:
        print("stopped,", engine.query("from duckdb_tables()").num_rows, "tables")
    connection.remove_function("wait")
"""


@pytest.mark.parametrize(
    "query",
    [
        "select sum(a.i * b.i) as n from range(3000000) as a(i) cross join range(100000) as b(i)",
        "select sum(wait(i)) as n from range(1000000) as r(i)",
    ],
    ids=["in DuckDB", "in a Python function"],
)
def test_ctrl_c_in_a_statement_is_ctrl_c(query: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(query=query)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "stopped, 0 tables\n", done.stderr
