"""`snowml demo`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from snowml.cli.console import ConsoleProgress, emit_json, say, shown, table
from snowml.cli.options import json_option

if TYPE_CHECKING:
    from snowml.scaffold.demo import Demonstrated, Station


@click.command()
@click.argument("folder", default="snowml-demo", type=click.Path(path_type=Path, file_okay=False))
@json_option
def demo(folder: Path, as_json: bool) -> None:
    """Run the whole loop on real data, in FOLDER (default: ./snowml-demo).

    Loads the raw tables, builds and tests the features, trains and promotes both models, scores the month that
    follows, evaluates it as labels arrive, and monitors it. A second run does only what changed.
    """
    from snowml.scaffold.demo import demonstrate
    from snowml.workflows.moment import now

    done = demonstrate(folder, now=now(), progress=ConsoleProgress(quiet=as_json))
    if as_json:
        emit_json(_document(done))
    else:
        _show(done)


def _document(done: "Demonstrated") -> dict[str, object]:
    return {
        "folder": str(done.folder),
        "database": str(done.database),
        "rows": done.rows,
        "models": [
            {
                "trained": station.trained.summary(),
                "parity": station.parity.summary(),
                "predicted": station.predicted.summary(),
                "monitored": station.whole.summary(),
                "windows": [week.summary() for week in station.weeks],
            }
            for station in done.stations
        ],
    }


def _show(done: "Demonstrated") -> None:
    loaded = ", ".join(f"{count:,} {name}" for name, count in done.rows.items())
    say()
    say(f"{done.folder} is a dbt project, and {done.database.name} in it the warehouse.")
    say(f"loaded     {loaded}")
    for station in done.stations:
        _show_station(station)
    say()
    say("SQL to try, in Python:")
    say()
    say("    import snowml")
    say(f'    warehouse = snowml.connect("{done.database}")')
    for query in done.queries:
        lines = query.strip().splitlines()
        say(f'    warehouse.sql("""{lines[0]}' + ('""").show()' if len(lines) == 1 else ""))
        for line in lines[1:-1]:
            say(f"        {line}")
        if len(lines) > 1:
            say(f'        {lines[-1]}""").show()')
    say()
    say(
        f"and from the shell, in {done.folder}: snowml versions --all, snowml show MODEL, dbt build, dbt docs generate"
    )


def _show_station(station: "Station") -> None:
    trained, metric = station.trained, station.metric
    say()
    say(f"{station.model}: version {trained.version.version}, trained as of {shown(trained.run.as_of)}")
    parity = station.parity
    say(
        f"  function  equals scikit-learn on {parity.held_out:,} held-out and {parity.rows - parity.held_out:,} "
        f"adversarial rows (largest difference {parity.max_abs_diff:.1e})"
    )
    later = station.whole.measured()
    tested = {name: splits.get("test", {}).get(metric) for name, splits in trained.measured.items()}
    names = {"model": "model", "best_rule": f"best single rule ({trained.best_rule})", "constant": "constant"}
    table(
        [f"  {metric}", "test window", "as scored since"],
        [[f"  {words}", tested.get(name), later.get(name, {}).get(metric)] for name, words in names.items()],
    )
    say(
        f"  scored    {station.predicted.total:,} rows, {station.whole.labelled:,} of them with a label by now; "
        "week by week:"
    )
    table(
        ["  until", "scored", metric, "best rule", "drifted the furthest", "psi"],
        [
            [
                f"  {week.window.end:%Y-%m-%d}",
                week.row_count,
                week.measured().get("model", {}).get(metric),
                week.measured().get("best_rule", {}).get(metric),
                week.furthest[0].column_name,
                week.furthest[0].psi,
            ]
            for week in station.weeks
        ],
    )
    furthest = ", ".join(f"{row.column_name} {row.psi:.2f}" for row in station.whole.furthest[:5])
    say(f"  drifted the furthest over all of it (PSI): {furthest}")
