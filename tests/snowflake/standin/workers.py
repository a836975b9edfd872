"""Handlers of functions and procedures run in processes of their own, as scrubbed of this machine as can be."""

import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from standin import worker
from standin.failures import Failure

KINDS = {"double": "float64", "int64": "int64", "bool": "bool"}
IDS = itertools.count(1)


@dataclass(frozen=True)
class Interpreter:
    """Which Python handlers run in: this one, or that of an environment with nothing but what a function declares."""

    path: str = sys.executable

    @property
    def version(self) -> str:
        script = "import sys; print('{}.{}'.format(*sys.version_info))"
        return subprocess.run([self.path, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


@dataclass
class Worker:
    """A process with one handler loaded, started when it is needed.

    `task` is what worker.py is to load; `files` are copied to the import directory, which is read-only.
    """

    interpreter: Interpreter
    task: dict[str, Any]
    files: list[Path]
    _process: subprocess.Popen[bytes] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        # The files of the moment: what is put on the stage later does not change a function that exists.
        self.home = Path(tempfile.mkdtemp(prefix="standin_worker_"))
        self._imports = self.home / "imports"
        self._imports.mkdir()
        (self.home / "tmp").mkdir()
        for file in self.files:
            (shutil.copytree if file.is_dir() else shutil.copy)(file, self._imports / file.name)
        for path in [*self._imports.rglob("*"), self._imports]:
            path.chmod(0o555 if path.is_dir() else 0o444)

    def ask(self, frame: dict[str, Any]) -> Any:
        with self._lock:
            process = self._started()
            assert process.stdin
            assert process.stdout
            try:
                worker.send(process.stdin, frame)
                verdict, content = worker.receive(process.stdout)
            except (OSError, EOFError, Exception) as error:  # noqa: BLE001
                code = process.wait(5)
                raise Failure(f"The handler's process ended with exit code {code}: {error!r}", 100357, "P0000") from None
        if verdict == "error":
            text = f"Python Interpreter Error:\n{content} in function {self.task['name']} with handler {self.task['handler']}"
            raise Failure(text, 100357, "P0000")
        return content

    def stop(self) -> None:
        """Ends the process; the next question starts another."""
        if self._process:
            with contextlib.suppress(OSError):
                self._process.stdin.close()  # type: ignore[union-attr]
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()  # type: ignore[union-attr]
            self._process = None

    def close(self) -> None:
        """Ends the process for good, and takes its files away."""
        self.stop()
        for path in [self._imports, *(p for p in self._imports.rglob("*") if p.is_dir())]:
            path.chmod(0o755)
        shutil.rmtree(self.home, ignore_errors=True)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            directory = f"snowflake_import_directory={self._imports}{os.sep}"
            environment = {
                **{"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TMPDIR": str(self.home / "tmp")},
                # Nothing can be written below a file.
                "HOME": "/dev/null/home",
            }
            self._process = subprocess.Popen(
                [self.interpreter.path, "-I", "-X", directory, worker.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                cwd=self.home / "tmp",
            )
            assert self._process.stdin
            worker.send(self._process.stdin, self.task)
        return self._process


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
