"""A virtual environment of what something declares, and handlers run in it as in Snowflake's sandbox."""

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from standin.workers import Nursery, Worker, encoded


def python_with(requirements: Iterable[str], factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment that has these and what they need; snowml is not in it.

    It is made once for all processes of a test run.
    """
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    listed = sorted(requirements)
    folder = shared / f"clean_{hashlib.sha256(' '.join(listed).encode()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    with (shared / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            done = subprocess.run([*pip, *listed], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            (folder / "complete").touch()
    return str(python)


@contextmanager
def handler_in(python: str, files: list[Path], handler: str, body: str | None) -> Iterator[Worker]:
    """A function's handler in that interpreter, with its imports: no network, and nothing to write to but a folder."""
    task = {"kind": "function", "name": "F", "handler": handler, "body": body, "strict": False}
    with tempfile.TemporaryDirectory() as folder:
        nursery = Nursery(python, Path(folder))
        worker = Worker(nursery, task, files)
        try:
            yield worker
        finally:
            worker.close()
            nursery.close()


def answers(worker: Worker, rows: pa.Table, size: int) -> list[Any]:
    """What it answers, asked about so many rows at a time."""
    found: list[Any] = []
    for start in range(0, rows.num_rows, size):
        batch = rows.slice(start, size)
        columns = [encoded(column) for column in batch.columns]
        found += worker.ask({"columns": columns, "count": batch.num_rows})
    return found
