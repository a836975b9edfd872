"""`python -m benchmarks.scoring`: every way to a table of predictions, in turn; ratios to the pandas round trip."""

import json
from pathlib import Path
from typing import Any

import click

from benchmarks.harness import CACHE, Runs, alternate, machine
from benchmarks.options import names, numbers
from benchmarks.scoring.data import answers, inputs, rows_like_them
from benchmarks.scoring.models import KINDS, Trained
from benchmarks.scoring.peers import PEERS
from benchmarks.scoring.report import Result, details, ratios

PACKAGES = (
    *("duckdb", "scikit-learn", "numpy", "pandas", "pyarrow", "numba", "lightgbm", "xgboost-cpu", "orbital"),
    *("onnxruntime", "skl2onnx", "onnxmltools", "treelite", "tl2cgen"),
)
# A table this small is scored three times in each process; the median counts.
SMALL = 1_000_000


def _rows(context: click.Context, parameter: click.Parameter, text: str) -> list[str]:
    found = [name.strip().replace("_", "") for name in text.split(",")]
    for name in found:
        if name != "real" and not (name.isdecimal() and int(name) > 0):
            raise click.BadParameter(f"'{name}' is neither 'real' nor a number of rows.")
    return found


@click.command()
@click.option("--rows", default="real", callback=_rows, help="real (all there are), or so many like them: real,10000000")
@click.option("--models", default=",".join(KINDS), callback=names(KINDS), help="Kinds of model.", show_default=True)
@click.option("--peers", default=",".join(PEERS), callback=names(PEERS), help="Ways of scoring.", show_default=True)
@click.option("--threads", default="1,2", callback=numbers, help="Of DuckDB and of each library.", show_default=True)
@click.option("--runs", default=5, type=click.IntRange(1), help="Turns of each peer.", show_default=True)
@click.option("--base", type=click.Choice(["reference", "generated"]), default="reference", show_default=True)
@click.option("--cache", type=click.Path(path_type=Path), default=CACHE, help="Where data and models are kept.")
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
    base: Any,
    cache: Path,
    fresh: bool,
    patience: float,
    file: Path | None,
) -> None:
    """Score the same rows with the same model in every way, each in a process of its own, in turn."""
    folder = cache.absolute() / base
    data = inputs(folder, base)
    results = []
    for kind in models:
        trained = Trained(folder, kind)
        if fresh or not trained.exists:
            _note(f"{kind}: train")
            trained.train(data)
        unable = _converted(trained, folder, peers, patience)
        pipeline = trained.pipeline()
        for table in [rows_like_them(data, name) for name in rows]:
            expected = answers(
                data, table, kind, lambda frame: pipeline.predict_proba(frame[trained.features])[:, 1]
            )
            for count in threads:
                _note(f"{kind}, {table}, {count} threads")
                requests = {
                    peer: {
                        "folder": str(folder),
                        "kind": kind,
                        "peer": peer,
                        "threads": count,
                        "table": table,
                        "answers": expected,
                        "passes": 3 if data.count(table) <= SMALL else 1,
                    }
                    for peer in peers
                    if peer not in unable
                }
                found = alternate(
                    "benchmarks.scoring.child",
                    requests,
                    runs=runs,
                    environment={"OMP_NUM_THREADS": str(count)},
                    note=_note,
                )
                found |= {peer: Runs(unable=reason) for peer, reason in unable.items()}
                ordered = {peer: found[peer] for peer in peers}
                results.append(Result(kind, data.count(table), count, ordered))
                _save(file, results)
    click.echo(ratios(results))
    click.echo(details(results))


def _converted(trained: Trained, folder: Path, peers: list[str], patience: float) -> dict[str, str]:
    """Convert the model for the peers that need it; why some cannot."""
    unable = {}
    for name in peers:
        if PEERS[name].converted is None:
            continue
        notes = folder / f"{trained.kind}.{name}.json"
        if not notes.is_file():
            _note(f"{trained.kind}: convert for {name}")
            request = {"folder": str(folder), "kind": trained.kind, "peer": name, "threads": 1}
            found = alternate("benchmarks.scoring.child", {name: request}, runs=1, timeout=patience)[name]
            notes.write_text(json.dumps({"unable": found.unable, "figures": found.figures}), "utf-8")
        reason = json.loads(notes.read_text("utf-8"))["unable"]
        if reason:
            unable[name] = f"conversion: {reason}"
    return unable


def _save(file: Path | None, results: list[Result]) -> None:
    if file:
        found = {"machine": machine(PACKAGES), "results": [result.as_json() for result in results]}
        file.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def _note(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
