"""What the benchmarks share: peers in processes of their own, in turn; medians; peak memory.

Each peer runs in a process of its own, so that its peak memory is its own. The peers take turns (A B C A B C …), and a
ratio is the median of those of each turn: a machine that is slower for a minute is so for all of them.
"""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
CACHE: Final = Path(__file__).parent / ".cache"
_MARK: Final = "benchmark answer: "


class Unable(Exception):
    """A peer cannot do what is asked of it; the message says why, and what would help."""


@dataclass(slots=True)
class Runs:
    """What one peer's processes answered: figures by name, one mapping for each turn; or why it cannot."""

    figures: list[dict[str, Any]] = field(default_factory=list)
    unable: str | None = None

    def median(self, name: str) -> float:
        """The median of a figure."""
        return statistics.median(figures[name] for figures in self.figures)

    def worst(self, name: str) -> float:
        """The greatest of a figure."""
        return max(figures[name] for figures in self.figures)

    def times_as_fast_as(self, other: "Runs", name: str = "wall") -> float:
        """The median of the turns' ratios."""
        pairs = zip(other.figures, self.figures, strict=False)
        return statistics.median(theirs[name] / own[name] for theirs, own in pairs)


def alternate(
    module: str,
    requests: Mapping[str, Mapping[str, Any]],
    *,
    runs: int,
    environment: Mapping[str, str] | None = None,
    timeout: float = 1800,
    note: Callable[[str], None] = lambda text: None,
) -> dict[str, Runs]:
    """Answer each peer's request in a process of its own, `runs` times in turn.

    Args:
        module: What a process runs: a module that calls `answering`.
        requests: Peer → what its process is asked.
        runs: How often.
        environment: Variables for the processes.
        timeout: Seconds that one process may take; one that takes longer is reported as unable.
        note: Told after each process.
    """
    found = {peer: Runs() for peer in requests}
    for turn in range(runs):
        for peer, request in requests.items():
            if found[peer].unable:
                continue
            answer = _ask(module, request, environment or {}, timeout)
            if "unable" in answer:
                found[peer].unable = answer["unable"]
                note(f"{peer}: unable: {answer['unable']}")
                continue
            found[peer].figures.append(answer)
            note(f"{peer}: turn {turn + 1} of {runs}: {answer['wall']:.3f} s")
    return found


def answering(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """The child's side: answer the request on the command line with one line on standard output."""
    try:
        found = answer(json.loads(sys.argv[1]))
    except Unable as reason:
        found = {"unable": str(reason)}
    print(_MARK + json.dumps(found), flush=True)
    # What a peer leaves behind at exit (threads, open connections) is no part of the figures.
    os._exit(0)


def _ask(
    module: str, request: Mapping[str, Any], environment: Mapping[str, str], timeout: float
) -> dict[str, Any]:
    command = [sys.executable, "-m", module, json.dumps(request)]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"unable": f"took longer than {timeout:.0f} s"}
    for line in done.stdout.splitlines():
        if line.startswith(_MARK):
            answer: dict[str, Any] = json.loads(line.removeprefix(_MARK))
            return answer
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    return {"unable": f"its process ended with {done.returncode}: {last[:300]}"}


@dataclass(frozen=True, slots=True)
class Spent:
    """The time that a call took: by the clock, and of all processors together."""

    wall: float
    cpu: float


def spent(call: Callable[[], object]) -> Spent:
    """Measure one call."""
    cpu, wall = time.process_time(), time.perf_counter()
    call()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def peak_memory() -> float:
    """The most memory that this process has had, in MiB."""
    # Not ru_maxrss where there is another way: on Linux it begins with what the parent had when it forked.
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def machine(packages: Sequence[str]) -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "processor": _processor(),
        "processors": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: found for name in packages if (found := _installed(name))},
    }


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.is_file():
        for line in described.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
