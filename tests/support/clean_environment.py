"""A virtual environment of what something declares, and handlers run in it as in Snowflake's sandbox."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import metadata
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
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
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
            link_installed(listed, folder)
            pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
            done = subprocess.run([*pip, *listed], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            (folder / "complete").touch()
    return str(python)


def link_installed(requirements: list[str], folder: Path) -> None:
    """Of what the requirements need, all that this environment has, as hard links to its files.

    Pip, asked for the requirements afterwards, finds them there, and installs only what is missing or of another
    version: the environment is the one that pip alone would make of these versions, in a tenth of the time.
    """
    ours = Path(sysconfig.get_path("purelib"))
    theirs = Path(sysconfig.get_path("purelib", scheme="venv", vars={"base": str(folder)}))
    for distribution in needed(requirements):
        for file in distribution.files or ():
            source, target = ours / file, theirs / file
            if ".." not in file.parts and source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(source, target)
                except OSError:  # another file system
                    shutil.copy2(source, target)


def needed(requirements: list[str]) -> Iterable[Distribution]:
    """The installed distributions that the requirements ask for, and those that these ask for in turn."""
    found: dict[str, Distribution] = {}
    asked = [Requirement(text) for text in requirements]
    seen = set()
    while asked:
        requirement = asked.pop()
        name = canonicalize_name(requirement.name)
        if (name, *requirement.extras) in seen:
            continue
        seen.add((name, *requirement.extras))
        try:
            distribution = found.setdefault(name, metadata.distribution(name))
        except metadata.PackageNotFoundError:
            continue
        for text in distribution.requires or ():
            further = Requirement(text)
            extras = requirement.extras or {""}
            if further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in extras):
                asked.append(further)
    return found.values()


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
