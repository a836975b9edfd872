"""`snowml build`."""

from typing import Any

import click

from snowml.cli.console import ConsoleProgress, emit_json, say
from snowml.cli.options import as_of_option, json_option, load_project, project_options


@click.command()
@click.option(
    "--select",
    "-s",
    multiple=True,
    help="Which nodes, as dbt selects them; several: repeat it, or quote them together.",
)
@click.option("--exclude", multiple=True, help="Which nodes not.")
@click.option("--full-refresh", is_flag=True, help="Rebuild incremental models from nothing.")
@click.option(
    "--store-failures", is_flag=True, help="Keep the rows that tests find in tables, one for each test."
)
@as_of_option
@json_option
@project_options
def build(
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    full_refresh: bool,
    store_failures: bool,
    as_of: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Build features, training sets and predictions with dbt, and test them."""
    from snowml.workflows.dbt import Dbt
    from snowml.workflows.moment import moment
    from snowml.workflows.outcome import TestsFailed, in_words

    project = load_project(options)
    variables = {"as_of": moment(as_of).isoformat(sep=" ")} if as_of is not None else None
    try:
        outcome = Dbt(project, ConsoleProgress(quiet=as_json)).build(
            select=select,
            exclude=exclude,
            variables=variables,
            full_refresh=full_refresh,
            store_failures=store_failures,
        )
    except TestsFailed as failed:
        if as_json:
            emit_json({"nodes": failed.outcome.nodes})
        raise
    if as_json:
        emit_json({"nodes": outcome.nodes})
        return
    for node in outcome.warnings:
        say("\n".join(f"warning: {line}" if not place else line for place, line in enumerate(in_words(node))))
    say(f"Built {outcome.count('model')} models; {outcome.count('test')} tests passed or warned.")
