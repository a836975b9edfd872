"""`python -m benchmarks.training_set`: every way to a training set, in turn; ratios to a hand-written ASOF join."""

import json
from pathlib import Path

import click

from benchmarks.harness import CACHE, Runs, alternate, machine, table
from benchmarks.options import names, numbers
from benchmarks.training_set.data import Question
from benchmarks.training_set.peers import PEERS, by_hand

PACKAGES = ("duckdb", "pandas", "pyarrow", "dbt-core", "dbt-duckdb", "feast", "ibis-framework")
YARDSTICK = "asof"


@click.command()
@click.option(
    "--spine", default="100000,1000000", callback=numbers, help="Questions; a history has ten times as many."
)
@click.option("--peers", default=",".join(PEERS), callback=names(PEERS), help="Ways.", show_default=True)
@click.option("--threads", default=2, type=click.IntRange(1), help="Of DuckDB.", show_default=True)
@click.option("--runs", default=5, type=click.IntRange(1), help="Turns of each peer.", show_default=True)
@click.option("--cache", type=click.Path(path_type=Path), default=CACHE, help="Where the tables are kept.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Where the figures go.")
def main(
    *, spine: list[int], peers: list[str], threads: int, runs: int, cache: Path, file: Path | None
) -> None:
    """Make the same training set in every way, each in a process of its own, in turn."""
    results = []
    for size in spine:
        question = Question(cache.absolute() / "training_set", size)
        question.make(by_hand())
        _note(f"{size} questions")
        requests = {
            peer: {"folder": str(question.folder), "spine": size, "peer": peer, "threads": threads}
            for peer in peers
        }
        found = alternate("benchmarks.training_set.child", requests, runs=runs, note=_note)
        results.append({"spine": size, "threads": threads, "peers": {n: _plain(r) for n, r in found.items()}})
        if file:
            everything = {"machine": machine(PACKAGES), "results": results}
            file.write_text(json.dumps(everything, indent=1) + "\n", "utf-8")
        click.echo(_shown(size, threads, found))


def _plain(runs: Runs) -> dict[str, object]:
    return {"unable": runs.unable, "figures": runs.figures}


def _shown(size: int, threads: int, found: dict[str, Runs]) -> str:
    lines = []
    for peer, runs in found.items():
        if not runs.figures:
            continue
        yardstick = found.get(YARDSTICK)
        ratio = f"{runs.times_as_fast_as(yardstick):.2f}" if yardstick and yardstick.figures else "-"
        lines.append(
            [
                peer,
                ratio,
                f"{runs.median('wall'):.2f}",
                f"{runs.median('cpu'):.2f}",
                f"{runs.median('memory'):,.0f}",
                f"{int(runs.worst('differing')):,}",
            ]
        )
    unable = [f"- {peer}: {runs.unable}" for peer, runs in found.items() if runs.unable]
    headings = ["way", f"times as fast as {YARDSTICK}", "wall s", "CPU s", "peak MiB", "differing rows"]
    heading = f"### {size:,} questions, three histories of {10 * size:,}, {threads} threads\n\n"
    return (
        heading
        + table(headings, lines)
        + "\n"
        + ("\nNot measured:\n\n" + "\n".join(unable) if unable else "")
    )


def _note(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
