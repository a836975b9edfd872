"""`snowml call`."""

from typing import Any

import click

from snowml.cli.console import emit_json
from snowml.cli.options import load_project, project_options


@click.command()
@click.argument("procedure")
@click.argument("args", nargs=-1)
@click.option(
    "--json", is_flag=True, expose_value=False, help="As elsewhere; the answer is JSON without it too."
)
@project_options
def call(procedure: str, args: tuple[str, ...], **options: Any) -> None:
    """Run a stored procedure in the warehouse, as CALL would: snowml call train_model MODEL [AS_OF].

    On DuckDB this runs the same file of stored_procs/ that Snowflake runs. It reads the specification from the
    registry, not from the project's files. The answer is one JSON document.
    """
    engine = load_project(options).open()
    try:
        answer = engine.call(procedure, args)
    finally:
        engine.close()
    emit_json(answer)
