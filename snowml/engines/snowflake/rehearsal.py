"""A vectorised function as it would be packaged for Snowflake, run here: the handler's text, the zip, the artifact.

Nothing of this needs an account or Snowflake's client. It runs in an interpreter of its own, which imports snowml out
of the zip; that one is kept for the next time, since it takes a second to start.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

import pyarrow as pa

from snowml.engines.base import VectorFunction
from snowml.engines.snowflake import handler, rehearsing
from snowml.engines.snowflake.code import package
from snowml.errors import TerminalError
from snowml.kernel.folders import private_folder

Answers = Callable[[], pa.Array]


@contextmanager
def rehearsal(function: VectorFunction, artifact: bytes, rows: pa.Table) -> Iterator[Answers]:
    """Ask the packaged handler about some rows; what is given waits for its answers.

    There is one for each row: a double, or a list of them.

    Args:
        function: The function.
        artifact: The bytes that it loads.
        rows: A column for each of its parameters.

    Raises:
        TerminalError: It fails, or cannot be run.
    """
    with tempfile.TemporaryDirectory(prefix="snowml_rehearsal_") as place:
        folder = Path(place)
        (folder / "handler.py").write_text(handler.source(function), "utf-8")
        (folder / function.artifact).write_bytes(artifact)
        numbered = rows.rename_columns([str(i) for i in range(rows.num_columns)])
        with pa.ipc.new_file(folder / "rows.arrow", numbered.schema) as file:
            file.write_table(numbered)
        with _stage.asked(folder) as wait:

            def answers() -> pa.Array:
                if error := wait():
                    raise TerminalError(
                        f"{function.name.name} cannot be run as it is packaged for Snowflake: {error.strip()}"
                    )
                with pa.ipc.open_file(folder / "answers.arrow") as file:
                    return file.read_all()["answer"].combine_chunks()

            yield answers


def prepare() -> None:
    """Start the interpreter, if it is not running: it takes a second, which the caller may use."""
    _stage.prepare()


class _Stage:
    """The interpreter in which handlers are run, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._serves: tuple[int, str] | None = None
        self._says: IO[str] | None = None

    @contextmanager
    def asked(self, folder: Path) -> Iterator[Callable[[], str | None]]:
        """Send it a folder; what is given waits for the error that came of it, None where there was none."""
        with self._lock:
            process = self._started()
            answered = False

            def wait() -> str | None:
                nonlocal answered
                line = process.stdout.readline() if process.stdout else ""
                answered = bool(line)
                return (
                    str(json.loads(line)["error"] or "")
                    if line
                    else f"its process ended. {self._last_words()}"
                )

            try:
                assert process.stdin is not None  # a pipe
                process.stdin.write(json.dumps(str(folder)) + "\n")
                process.stdin.flush()
                yield wait
            except OSError as error:
                raise TerminalError(f"The interpreter for Snowflake's handlers ended: {error}") from error
            finally:
                if not answered:
                    self.close()

    def prepare(self) -> None:
        """Start it."""
        with self._lock:
            self._started()

    def _started(self) -> "subprocess.Popen[str]":
        """The interpreter, of this process (a fork has another) and with this version of the code."""
        name, data = package()
        serves = (os.getpid(), name)
        if self._process is None or self._serves != serves or self._process.poll() is not None:
            self.close()
            code = _kept(name, data)
            self._says = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  # `close` does
            self._process = subprocess.Popen(  # noqa: S603  # our own script, by this interpreter
                [sys.executable, "-I", rehearsing.__file__, str(code)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._says,
                text=True,
            )
            self._serves = serves
        return self._process

    def _last_words(self) -> str:
        """The end of what it wrote to its standard error."""
        if self._says is None:
            return ""
        self._says.seek(0)
        return self._says.read()[-2000:].strip()

    def close(self) -> None:
        """End it; a fork leaves that of its parent alone."""
        process, self._process = self._process, None
        if process is not None and self._serves is not None and self._serves[0] == os.getpid():
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, self._says):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()


def _kept(name: str, data: bytes) -> Path:
    """The zip as a file, the same one each time: numba keeps what it compiled of a zip by the zip's path and age."""
    folder = private_folder("snowml-packaged") or Path(tempfile.mkdtemp(prefix="snowml_packaged_"))
    file = folder / name
    if not file.is_file() or file.read_bytes() != data:
        # Another process may be reading it: it is there whole or not at all.
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as new:
            new.write(data)
        Path(new.name).replace(file)
    return file


_stage: Final = _Stage()
atexit.register(_stage.close)
