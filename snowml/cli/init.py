"""`snowml init`."""

import shlex
from pathlib import Path

import click

from snowml.cli.console import emit_json, say
from snowml.cli.options import json_option


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", help="The project's name; made of the folder's if not given.")
@json_option
def init(folder: Path, name: str | None, as_json: bool) -> None:
    """Write a small dbt project with one model in it into FOLDER, to be made into one of your own.

    Its data are made up, so that the whole loop runs at once; its README says what to change first.
    """
    from snowml.scaffold.starter import start

    started = start(folder, name)
    if as_json:
        emit_json({"folder": str(started.folder), "project": started.project, "model": started.model})
        return
    say(f"{started.folder} is a dbt project with one model, {started.model}. Once around the loop:")
    say()
    for line in (
        f"cd {shlex.quote(str(started.folder))}",
        "snowml build --exclude tag:predictions",
        f"snowml audit {started.model}",
        f"snowml train {started.model}",
        f"snowml promote {started.model}",
        f"snowml predict {started.model}",
        f"snowml monitor {started.model}",
    ):
        say(f"    {line}")
    say()
    say("Its README says how to make it a model of your own.")
