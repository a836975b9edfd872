"""`snowml deploy`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from snowml.cli.console import ConsoleProgress, emit_json, say, table
from snowml.cli.options import json_option, load_project, project_options

if TYPE_CHECKING:
    from snowml.deploy.cost import Estimate
    from snowml.deploy.steps import Step


@click.command()
@click.option(
    "--dry-run", is_flag=True, help="Print the plan for an empty account; no login, nothing is done."
)
@click.option(
    "--compare", is_flag=True, help="With --dry-run: log in, and print what differs from the account."
)
@click.option("--sql", is_flag=True, help="Print the SQL of the plan too.")
@click.option("--resume", is_flag=True, help="Let the tasks and alerts run; they are suspended until then.")
@click.option("--destroy", is_flag=True, help="Take away what deployments made, and nothing that holds data.")
@click.option(
    "--take-over",
    is_flag=True,
    help="Deploy although another deployment seems to run: it is known to be dead.",
)
@click.option("--setup", is_flag=True, help="Print what an administrator runs once, and end.")
@json_option
@project_options
def deploy(
    dry_run: bool,
    compare: bool,
    sql: bool,
    resume: bool,
    destroy: bool,
    take_over: bool,
    setup: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Put procedures, tasks and alerts on Snowflake, by a plan; a second time it does nothing.

    What is on the account and was not made by a deployment is left alone. The registry, predictions, functions and
    models are never dropped.
    """
    from snowml.deploy.deploying import Deploying
    from snowml.deploy.setup import setup_script
    from snowml.workflows.dbt import Dbt
    from snowml.workflows.moment import now

    project, progress = load_project(options), ConsoleProgress(quiet=as_json)
    deploying = Deploying.of(Dbt(project, progress), now())
    if setup:
        say(setup_script(deploying.place, deploying.shelf(None)))
        return
    costs = [] if destroy else deploying.costs
    if not as_json:
        _show_costs(costs, deploying.rate)
    steps = deploying.run(
        dry_run=dry_run,
        login=compare or not dry_run,
        resume=resume,
        destroy=destroy,
        take_over=take_over,
    )
    if as_json:
        emit_json(
            {
                "applied": not dry_run,
                "steps": [step.summary() for step in steps],
                "estimate": [cost.summary() for cost in costs],
            }
        )
        return
    _show(steps, sql)


def _show(steps: Sequence["Step"], sql: bool) -> None:
    table(["action", "kind", "name"], [[step.action, step.what, step.name] for step in steps])
    if not steps:
        say("There is nothing of ours.")
    for step in steps if sql else ():
        if step.action != "keep":
            say()
            say("\n".join(one if one.startswith("--") else f"{one};" for one in step.statements))
    counted = {
        action: sum(step.action == action for step in steps)
        for action in ("create", "replace", "keep", "remove")
    }
    say()
    say(", ".join(f"{count} to {action}" for action, count in counted.items()))
    if waiting := [step.name for step in steps if step.action == "skip"]:
        say(f"Not made yet: {', '.join(waiting)}. Deploy again when they are built.")


def _show_costs(costs: Sequence["Estimate"], rate: str) -> None:
    if costs:
        say(f"What the tasks may cost, {rate}:")
        table(
            ["schedule", "runs a month", "minutes a run", "credits a month"],
            [
                [cost.schedule, cost.runs, "{} to {}".format(*cost.minutes), "{} to {}".format(*cost.credits)]
                for cost in costs
            ],
        )
        say()
