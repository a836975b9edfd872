"""Questions to a DuckDB file from a new process, which has nothing of this one's."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]


def ask_elsewhere(file: str, door: str, query: str) -> list[Any]:
    """The rows that a query gives; `door` is the code that makes `connection` of the path in `sys.argv[1]`."""
    code = (
        f"import json, sys; {door}; connection.execute('set enable_progress_bar = false'); "
        "print(json.dumps(connection.execute(sys.argv[2]).fetchall()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, file, query],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[Any] = json.loads(done.stdout)
    return found
