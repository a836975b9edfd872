"""Does with a vectorised handler what Snowflake does; run by `rehearsal.py` in an interpreter of its own.

It imports nothing of snowml: that comes out of the zip that travels with the handler. For each line of its input, which
names a folder, it loads the folder's handler, asks it about the folder's rows, and says in a line how that went.
"""

import contextlib
import importlib
import itertools
import json
import os
import sys
import traceback
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Snowflake promises no size: it may be one row, and any number up to what the handler allows.
SIZES = (1, 3, 2, 500)


def main(code: str) -> None:
    """Serve until the input ends; `code` is the zip of snowml's modules."""
    sys.path.insert(0, code)
    for module in ("pandas", "pyarrow"):
        importlib.import_module(module)
    for line in sys.stdin:
        try:
            # Its output is ours to speak through.
            with contextlib.redirect_stdout(sys.stderr):
                rehearse(Path(json.loads(line)), code)
            error = None
        except BaseException:  # noqa: BLE001
            error = traceback.format_exc()
        sys.__stdout__.write(json.dumps({"error": error}) + "\n")  # type: ignore[union-attr]
        sys.__stdout__.flush()  # type: ignore[union-attr]


def rehearse(folder: Path, code: str) -> None:
    """Ask the handler in `folder` about its rows."""
    import pyarrow as pa

    sys._xoptions["snowflake_import_directory"] = f"{folder}{os.sep}"  # noqa: SLF001
    handler = loaded((folder / "handler.py").read_text("utf-8"))
    home = str(sys.modules["snowml"].__file__)
    if not home.startswith(code):
        raise ImportError(f"snowml was imported from {home}, not from {code}")
    with pa.ipc.open_file(folder / "rows.arrow") as file:
        rows = file.read_all()
    largest = handler._sf_max_batch_size  # noqa: SLF001
    answers = [value for batch in batches(rows, largest) for value in asked(handler, batch)]
    kind = pa.list_(pa.float64()) if any(isinstance(answer, list) for answer in answers) else pa.float64()
    table = pa.table({"answer": pa.array(answers, kind, from_pandas=False)})
    with pa.ipc.new_file(folder / "answers.arrow", table.schema) as file:
        file.write_table(table)


def loaded(source: str) -> Any:
    """The handler of a module's text."""
    module = types.ModuleType("_udf_code")
    exec(compile(source, "_udf_code.py", "exec"), module.__dict__)  # noqa: S102
    return module.compute


def batches(rows: Any, largest: int) -> Iterator[Any]:
    """All rows as frames whose columns are numbered: a missing number is NaN, a missing text None or NaN."""
    import pandas as pd

    start = 0
    for number, size in enumerate(itertools.chain(SIZES, itertools.repeat(largest))):
        if start >= rows.num_rows:
            return
        batch = rows.slice(start, size)
        columns = [column.to_numpy() for column in batch.columns]
        if number % 2:
            columns = [
                [float("nan") if v is None else v for v in c] if c.dtype == object else c for c in columns
            ]
        yield pd.DataFrame(dict(enumerate(columns)))
        start += size


def asked(handler: Any, batch: Any) -> list[Any]:
    """The handler's answers to a batch; what pandas takes for missing is NULL, an OBJECT is a list of its values."""
    import pandas as pd

    found = pd.Series(handler(batch))
    if len(found) != len(batch):
        raise ValueError(f"The handler answered {len(found)} rows to a batch of {len(batch)}.")
    return [None if absent else _plain(v) for v, absent in zip(found.tolist(), found.isna(), strict=True)]


def _plain(value: Any) -> Any:
    return [float(one) for one in value.values()] if isinstance(value, dict) else float(value)


if __name__ == "__main__":
    main(sys.argv[1])
