"""`python -m benchmarks.scoring`: every way to a table of predictions, in turn; ratios to the pandas round trip."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from benchmarks.harness import CACHE, Runs, alternate, machine
from benchmarks.options import names, numbers
from benchmarks.scoring.data import Inputs, answers, inputs, rows_like_them
from benchmarks.scoring.models import KINDS, Trained
from benchmarks.scoring.peers import PEERS
from benchmarks.scoring.report import Result, details, ratios

PACKAGES: Final = (
    *("duckdb", "scikit-learn", "numpy", "pandas", "pyarrow", "numba", "lightgbm", "xgboost-cpu", "orbital"),
    *("onnxruntime", "skl2onnx", "onnxmltools", "treelite", "tl2cgen"),
)
CHILD: Final = "benchmarks.scoring.child"


def _rows(context: click.Context, parameter: click.Parameter, text: str) -> list[str]:
    return [name if name == "real" else str(*numbers(context, parameter, name)) for name in text.split(",")]


@click.command()
@click.option("--rows", default="real", callback=_rows, help="real: all; or so many like them: real,10000000")
@click.option("--models", default=",".join(KINDS), callback=names(KINDS), help="Kinds.", show_default=True)
@click.option("--peers", default=",".join(PEERS), callback=names(PEERS), help="Ways.", show_default=True)
@click.option(
    "--threads", default="1,2", callback=numbers, help="Of DuckDB and the libraries.", show_default=True
)
@click.option("--runs", default=5, type=click.IntRange(1), help="Turns of each peer.", show_default=True)
@click.option(
    "--passes",
    default=3,
    type=click.IntRange(1),
    help="In each process; their median counts.",
    show_default=True,
)
@click.option("--base", type=click.Choice(["reference", "generated"]), default="reference", show_default=True)
@click.option(
    "--cache", type=click.Path(path_type=Path), default=CACHE, help="Where data and models are kept."
)
@click.option("--fresh", is_flag=True, help="Train and convert the models again.")
@click.option("--patience", default=300.0, help="Seconds that a conversion may take.", show_default=True)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Where the figures go.")
def main(
    *,
    rows: list[str],
    models: list[str],
    peers: list[str],
    threads: list[int],
    runs: int,
    passes: int,
    base: Any,
    cache: Path,
    fresh: bool,
    patience: float,
    file: Path | None,
) -> None:
    """Score the same rows with the same model in every way, each in a process of its own, in turn."""
    folder = cache.absolute() / base
    plan = Plan(folder, inputs(folder, base), peers, threads, runs, passes, patience)
    results: list[Result] = []
    for kind in models:
        for result in plan.results(Trained(folder, kind), rows, fresh=fresh):
            results.append(result)
            if file:
                found = {"machine": machine(PACKAGES), "results": [each.as_json() for each in results]}
                file.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    click.echo(ratios(results))
    click.echo(details(results))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured, for whatever model."""

    folder: Path
    inputs: Inputs
    peers: list[str]
    threads: list[int]
    runs: int
    passes: int
    patience: float

    def results(self, trained: Trained, rows: list[str], *, fresh: bool) -> Iterator[Result]:
        """A result for each table and number of threads."""
        if fresh or not trained.exists:
            _note(f"{trained.kind}: train")
            trained.train(self.inputs)
        unable = dict(self._refusals(trained))
        pipeline = trained.pipeline()
        for table in [rows_like_them(self.inputs, each) for each in rows]:
            _note(f"{trained.kind}, {table}: scikit-learn's answers")
            expected = answers(
                self.inputs,
                table,
                trained.kind,
                # Called before the loop goes on.
                lambda frame: pipeline.predict_proba(frame[trained.features])[:, 1],
            )
            for threads in self.threads:
                _note(f"{trained.kind}, {table}, threads: {threads}")
                measured = self._measured(trained.kind, table, expected, threads, unable)
                yield Result(trained.kind, self.inputs.count(table), threads, measured)

    def _measured(
        self, kind: str, table: str, expected: str, threads: int, unable: dict[str, str]
    ) -> dict[str, Runs]:
        request = {"folder": str(self.folder), "kind": kind, "threads": threads}
        request |= {"table": table, "answers": expected, "passes": self.passes}
        requests = {peer: request | {"peer": peer} for peer in self.peers if peer not in unable}
        environment = {"OMP_NUM_THREADS": str(threads)}
        found = alternate(CHILD, requests, runs=self.runs, environment=environment, note=_note)
        return {peer: found[peer] if peer in found else Runs(unable=unable[peer]) for peer in self.peers}

    def _refusals(self, trained: Trained) -> Iterator[tuple[str, str]]:
        """Convert the model for the peers that need it, once; those that cannot, and why."""
        for peer in self.peers:
            if PEERS[peer].converted is None:
                continue
            notes = self.folder / f"{trained.kind}.{peer}.json"
            if not notes.is_file():
                _note(f"{trained.kind}: convert for {peer}")
                request = {"folder": str(self.folder), "kind": trained.kind, "peer": peer, "threads": 1}
                runs = alternate(CHILD, {peer: request}, runs=1, timeout=self.patience)[peer]
                notes.write_text(json.dumps({"unable": runs.unable, "figures": runs.figures}), "utf-8")
            reason = json.loads(notes.read_text("utf-8"))["unable"]
            if reason:
                yield peer, f"conversion: {reason}"


def _note(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
