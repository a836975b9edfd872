"""What runs handlers of functions and procedures. The standard library only, and what the handler imports.

One process waits at a socket, with what takes long to import already there, and forks for each handler. The child
speaks in pickled frames: first what to load, then one for each batch or call. It stands in for Snowflake's sandbox:
only the temporary folder can be written, and a function has no network.
"""

import contextlib
import importlib
import os
import pickle
import select
import signal
import socket
import struct
import sys
import tempfile
import traceback
import types
from pathlib import Path
from typing import Any, BinaryIO

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
LONG_TO_IMPORT = ("pandas", "snowflake.snowpark")
CHANGES = {
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.chmod",
    "os.link",
    "os.symlink",
    "os.truncate",
}


def receive(stream: BinaryIO) -> Any:
    (length,) = struct.unpack("!Q", stream.read(8))
    return pickle.loads(stream.read(length))


def send(stream: BinaryIO, content: Any) -> None:
    frame = pickle.dumps(content, protocol=4)
    stream.write(struct.pack("!Q", len(frame)) + frame)
    stream.flush()


def close_the_sandbox(network: bool, stages: str | None) -> None:
    """From here on nothing but the temporary folder is written to; root is not above it, as it is above file modes.

    A procedure's PUT writes to the folder of the stages, which on an account is another machine's.
    """
    temporary = os.path.realpath(tempfile.gettempdir())
    shared = os.path.realpath(stages) if stages else temporary

    def writable(path: Any) -> bool:
        if isinstance(path, int):
            return True
        full = os.path.realpath(os.fsdecode(path))
        inside = full.startswith((temporary + os.sep, shared + os.sep))
        return full == os.devnull or inside or full == temporary

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            changes = any(c in (mode or "") for c in "wax+") or bool((flags or 0) & WRITES)
            if changes and path is not None and not writable(path):
                raise OSError(30, "Read-only file system", path)
        elif event in CHANGES and not writable(arguments[0]):
            raise OSError(30, "Read-only file system", arguments[0])
        elif event == "socket.connect" and not network:
            raise PermissionError(1, "A function has no network")

    sys.addaudithook(refuse)


def provide_snowflake_module() -> None:
    """The module that exists only inside Snowflake's sandbox."""
    module = types.ModuleType("_snowflake")

    def vectorized(
        input: Any = None,  # noqa: A002
        max_batch_size: int | None = None,
        flatten_object_input: bool = False,
    ) -> Any:
        def mark(handler: Any) -> Any:
            handler._sf_vectorized_input, handler._sf_max_batch_size = input, max_batch_size
            handler._sf_flatten_object_input = flatten_object_input
            return handler

        return mark

    module.vectorized = vectorized  # type: ignore[attr-defined]
    sys.modules["_snowflake"] = module


def load(handler: str, body: str | None) -> Any:
    """The handler, out of the text of the statement or out of the imported files."""
    directory = sys._xoptions["snowflake_import_directory"]
    assert isinstance(directory, str)
    sys.path[:0] = [directory, *sorted(str(file.resolve()) for file in Path(directory).glob("*.zip"))]
    module_name, _, name = handler.rpartition(".")
    if body is None:
        return getattr(importlib.import_module(module_name), name)
    module = types.ModuleType(module_name or "_udf_code")
    sys.modules[module.__name__] = module
    exec(compile(body, "_udf_code.py", "exec"), module.__dict__)
    return getattr(module, name)


def decoded(column: Any) -> list[Any]:
    """A column as Python's own values."""
    kind, content, present = column
    if kind == "object":
        return list(content)
    values: list[Any] = memoryview(content).cast({"float64": "d", "int64": "q", "bool": "?"}[kind]).tolist()
    return values if present is None else [v if p else None for v, p in zip(values, present, strict=True)]


def rows(handler: Any, columns: list[Any], count: int, strict: bool) -> list[Any]:
    """Calls a scalar handler once for each row."""
    values = [decoded(column) for column in columns]
    given = zip(*values, strict=True) if values else [()] * count
    return [None if strict and any(v is None for v in row) else handler(*row) for row in given]


def batches(handler: Any, columns: list[Any], count: int) -> list[Any]:
    """Calls a vectorised handler once for each batch of at most as many rows as it allows."""
    import pandas as pd

    size = getattr(handler, "_sf_max_batch_size", None) or count or 1
    series = [series_of(column) for column in columns]
    whole = pd.DataFrame(dict(enumerate(series)), columns=range(len(series)))
    takes_frame = handler._sf_vectorized_input is pd.DataFrame
    found: list[Any] = []
    for start in range(0, count, size):
        batch = whole.iloc[start : start + size].reset_index(drop=True)
        answer = handler(batch) if takes_frame else handler(*(batch[i] for i in batch.columns))
        values = pd.Series(answer)
        if len(values) != len(batch):
            raise ValueError(f"The handler returned {len(values)} rows for a batch of {len(batch)}.")
        # What pandas takes for missing is NULL.
        found += [
            None if missing else value for value, missing in zip(values.tolist(), values.isna(), strict=True)
        ]
    return found


def series_of(column: Any) -> Any:
    import numpy as np
    import pandas as pd

    kind, content, present = column
    if kind == "object":
        return pd.Series(content, dtype=object)
    values = np.frombuffer(content, dtype=kind)
    if present is None:
        return pd.Series(values)
    missing = np.frombuffer(present, dtype=bool) == False  # noqa: E712
    if kind == "float64":
        return pd.Series(np.where(missing, np.nan, values))
    return pd.Series(values).astype({"int64": "Int64", "bool": "boolean"}[kind]).mask(missing)


def call(handler: Any, parameters: dict[str, Any], arguments: list[Any]) -> Any:
    """Calls a procedure's handler with a Session; a DataFrame comes back as its names and rows."""
    from snowflake.snowpark import Session

    session = Session.builder.configs(parameters).create()
    try:
        answer = handler(session, *arguments)
        if not hasattr(answer, "collect"):
            return answer
        return answer.schema.names, [list(row) for row in answer.collect()]
    finally:
        session.close()


def serve(stream: BinaryIO) -> None:
    """One handler, until the other side hangs up."""
    task = receive(stream)
    os.environ["TMPDIR"] = task["temporary"]
    # What was imported before the fork may have asked already.
    tempfile.tempdir = None
    os.chdir(task["temporary"])
    sys._xoptions["snowflake_import_directory"] = task["imports"]
    is_procedure = task["kind"] == "procedure"
    close_the_sandbox(network=is_procedure, stages=task["stages"] if is_procedure else None)
    provide_snowflake_module()
    handler = None
    while True:
        try:
            frame = receive(stream)
        except (OSError, struct.error):
            return
        try:
            handler = handler or load(task["handler"], task["body"])
            if is_procedure:
                answer = call(handler, **frame)
            elif getattr(handler, "_sf_vectorized_input", None) is not None:
                answer = batches(handler, **frame)
            else:
                answer = rows(handler, **frame, strict=task["strict"])
            send(stream, ("answer", answer))
        except Exception:  # noqa: BLE001
            send(stream, ("error", traceback.format_exc()))


def main(path: str) -> None:
    """Waits for handlers at the socket `path`, until the standard input ends."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(64)
        for module in LONG_TO_IMPORT:
            with contextlib.suppress(ImportError):
                importlib.import_module(module)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            ready, _, _ = select.select([listening, sys.stdin], [], [])
            if listening not in ready:
                return
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                with (
                    contextlib.suppress(BrokenPipeError, ConnectionResetError),
                    connection.makefile("rwb") as stream,
                ):
                    serve(stream)
                os._exit(0)
            connection.close()


if __name__ == "__main__":
    main(sys.argv[1])
