"""Handlers of functions and procedures run in processes of their own, as scrubbed of this machine as can be."""

import contextlib
import hashlib
import itertools
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from standin import worker
from standin.failures import Failure

KINDS = {"double": "float64", "int64": "int64", "bool": "bool"}
# Nothing can be written below a file, not even by root.
NO_HOME = "/dev/null/home"
IDS = itertools.count(1)


class Nursery:
    """The process that forks a child for each handler, in the interpreter that handlers are to run in."""

    def __init__(self, python: str, folder: Path) -> None:
        self._python, self._socket = python, str(folder / "nursery")
        # Of all functions, as on a node of a warehouse that is warm: what one has compiled serves the next.
        self.temporary, self._archives = folder / "tmp", folder / "archives"
        self.temporary.mkdir()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def connect(self) -> IO[bytes]:
        """A child that waits for its task."""
        self.start()
        deadline = time.monotonic() + 30
        while True:
            try:
                connection = socket.socket(socket.AF_UNIX)
                connection.connect(self._socket)
                with connection:
                    # The stream keeps it open.
                    return connection.makefile("rwb")
            except OSError:
                connection.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def archive(self, file: Path) -> Path:
        """An imported archive, at a path that its content decides: what is compiled of it is found by its path."""
        content = file.read_bytes()
        kept = self._archives / hashlib.sha256(content).hexdigest() / file.name
        with self._lock:
            if not kept.exists():
                kept.parent.mkdir(parents=True)
                kept.write_bytes(content)
                kept.chmod(0o444)
        return kept

    def start(self) -> None:
        with self._lock:
            if self._process is None:
                environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": NO_HOME}
                command = [self._python, "-I", "-W", "ignore", worker.__file__, self._socket]
                # What handlers print goes to the log of the server.
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=sys.stderr.fileno(), env=environment
                )

    def close(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            assert self._process.stdin
            self._process.stdin.close()


@dataclass
class Worker:
    """One handler, loaded in a process when it is first needed.

    `task` is what worker.py is to load; `files` are copied to the import directory, which is read-only.
    """

    nursery: Nursery
    task: dict[str, Any]
    files: list[Path]
    _stream: IO[bytes] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        # The files of the moment: what is put on the stage later does not change a function that exists.
        self.home = Path(tempfile.mkdtemp(prefix="standin_worker_"))
        self._imports, temporary = self.home / "imports", self.home / "tmp"
        self._imports.mkdir()
        temporary.mkdir()
        for file in self.files:
            target = self._imports / file.name
            if file.suffix == ".zip":
                target.symlink_to(self.nursery.archive(file))
            else:
                (shutil.copytree if file.is_dir() else shutil.copy)(file, target)
        for path in [*self._imports.rglob("*"), self._imports]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        if self.task["kind"] == "function":
            temporary = self.nursery.temporary
        self.task |= {"imports": f"{self._imports}{os.sep}", "temporary": str(temporary)}
        self.nursery.start()

    def ask(self, frame: dict[str, Any]) -> Any:
        with self._lock:
            try:
                if self._stream is None:
                    self._stream = self.nursery.connect()
                    worker.send(self._stream, self.task)
                worker.send(self._stream, frame)
                verdict, content = worker.receive(self._stream)
            except (OSError, struct.error) as error:
                self._stream = None
                raise Failure(f"The process of the handler ended: {error!r}", 100357, "P0000") from None
        if verdict == "error":
            where = f"in function {self.task['name']} with handler {self.task['handler']}"
            raise Failure(f"Python Interpreter Error:\n{content} {where}", 100357, "P0000")
        return content

    def stop(self) -> None:
        """Ends the process; the next question starts another."""
        if self._stream:
            with contextlib.suppress(OSError):
                self._stream.close()
            self._stream = None

    def close(self) -> None:
        """Ends the process for good, and takes its files away."""
        self.stop()
        for path in [self._imports, *(p for p in self._imports.rglob("*") if p.is_dir())]:
            path.chmod(0o755)
        shutil.rmtree(self.home, ignore_errors=True)


def encoded(column: pa.ChunkedArray, is_json: bool = False) -> tuple[str, Any, bytes | None]:
    """A column as the worker reads it: the bytes of numbers and which of them are there, else Python's values."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind = KINDS.get(str(array.type))
    if is_json:
        return "object", [None if text is None else json.loads(text) for text in array.to_pylist()], None
    if kind is None:
        return "object", array.to_pylist(), None
    present = None if not array.null_count else array.is_valid().to_numpy(zero_copy_only=False).tobytes()
    filled = array.fill_null(False if kind == "bool" else 0)
    return kind, filled.to_numpy(zero_copy_only=False).tobytes(), present
