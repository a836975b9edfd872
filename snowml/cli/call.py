"""`snowml call`."""

from typing import Any

import click

from snowml.cli.console import emit_json, say, shown
from snowml.cli.options import json_option, load_project, project_options


@click.command()
@click.argument("procedure")
@click.argument("args", nargs=-1)
@json_option
@project_options
def call(procedure: str, args: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Run a stored procedure in the warehouse, as CALL would: snowml call train_model MODEL [AS_OF].

    On DuckDB this runs the same file of stored_procs/ that Snowflake runs. It reads the specification from the
    registry, not from the project's files.
    """
    engine = load_project(options).open()
    try:
        answer = engine.call(procedure, args)
    finally:
        engine.close()
    if as_json:
        emit_json(answer)
    elif isinstance(answer, dict):
        for name, value in answer.items():
            say(f"{name}: {shown(value)}")
    else:
        say(shown(answer))
