"""The figures as tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.harness import Runs, table

YARDSTICK = "round_trip"


@dataclass(frozen=True, slots=True)
class Result:
    """All peers' figures on one table with one model."""

    kind: str
    rows: int
    threads: int
    peers: dict[str, Runs]

    def ratio(self, peer: str, to: str, name: str = "wall") -> float | None:
        """How many times as fast a peer is as another, by the clock or by `cpu`; None where one was not measured."""
        one, other = self.peers.get(peer), self.peers.get(to)
        if not one or not other or not one.figures or not other.figures:
            return None
        return one.times_as_fast_as(other, name)

    def as_json(self) -> dict[str, Any]:
        """Every figure of every turn."""
        peers = {
            name: {"unable": runs.unable, "figures": runs.figures, "ratio": self.ratio(name, YARDSTICK)}
            for name, runs in self.peers.items()
        }
        return {"model": self.kind, "rows": self.rows, "threads": self.threads, "peers": peers}


def ratios(results: Sequence[Result]) -> str:
    """Times as fast as the round trip: peers down, models across, a table for each number of rows and threads.

    By the clock and by processor time: the second is steadier where others use the machine too.
    """
    parts = []
    for rows, threads in dict.fromkeys((result.rows, result.threads) for result in results):
        chosen = [result for result in results if (result.rows, result.threads) == (rows, threads)]
        size = f"{rows:,} rows, {threads} thread{'s' * (threads > 1)}"
        parts.append(f"### {size}: times as fast as the round trip\n\n{_matrix(chosen, 'wall')}\n")
        parts.append(f"### {size}: the same by processor time\n\n{_matrix(chosen, 'cpu')}\n")
    return "\n".join(parts)


def _matrix(results: Sequence[Result], name: str) -> str:
    lines = [
        [peer, *(_shown(result.ratio(peer, YARDSTICK, name)) for result in results)]
        for peer in results[0].peers
    ]
    lines.append(["snowml / floor", *(_shown(result.ratio("snowml", "floor", name)) for result in results)])
    return table(["peer", *(result.kind for result in results)], lines)


def details(results: Sequence[Result]) -> str:
    """Every figure, a table for each model."""
    return "\n".join(_detail(result) for result in results)


def _detail(result: Result) -> str:
    headings = [
        *("peer", "Mrows/s", "wall s", "CPU s", "peak MiB", "above floor MiB", "set-up s", "first call ms"),
        *("one row ms", "differing rows", "by more than 1e-5", "largest difference"),
    ]
    measured = table(headings, _lines(result))
    unable = [f"- {peer}: {runs.unable}" for peer, runs in result.peers.items() if runs.unable]
    heading = (
        f"### {result.kind}, {result.rows:,} rows, {result.threads} thread{'s' * (result.threads > 1)}\n\n"
    )
    return heading + measured + "\n" + ("\nNot measured:\n\n" + "\n".join(unable) + "\n" if unable else "")


def _lines(result: Result) -> Iterator[list[str]]:
    floor = result.peers.get("floor")
    for peer, runs in result.peers.items():
        if not runs.figures:
            continue
        above = runs.median("memory") - floor.median("memory") if floor and floor.figures else None
        yield [
            peer,
            f"{result.rows / runs.median('wall') / 1e6:.2f}",
            f"{runs.median('wall'):.3f}",
            f"{runs.median('cpu'):.3f}",
            f"{runs.median('memory'):,.0f}",
            "" if above is None else f"{above:,.0f}",
            f"{runs.median('setup'):.2f}",
            f"{1000 * runs.median('first_call'):.0f}",
            f"{1000 * runs.median('one_row'):.1f}",
            f"{int(runs.worst('differing')):,}",
            f"{int(runs.worst('wrong')):,}",
            f"{runs.worst('max_abs_diff'):.1e}",
        ]


def _shown(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"
