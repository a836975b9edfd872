"""`snowml tasks`: what the schedules of the specifications ask for, run once by cron or any other scheduler."""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from snowml.cli.console import ConsoleProgress, emit_json, say, shown, table
from snowml.cli.loop import open_registry
from snowml.cli.options import as_of_option, json_option, load_project, project_options
from snowml.cli.several import raise_worst
from snowml.errors import RetryableError, UserError

if TYPE_CHECKING:
    from snowml.records import TaskRun
    from snowml.registry.store import Registry
    from snowml.workflows.tasks import GraphRun

# Longer sleeps would miss that the machine itself was asleep.
_NAP = timedelta(minutes=1)


@click.group()
def tasks() -> None:
    """Features, scores, monitoring and retraining, when their schedules say so.

    For each schedule in the specifications (monitor.schedule, else retrain.schedule) there is one graph: build the
    features; then for each model score, monitor and retrain; then record the outcome.
    """


@tasks.command("list")
@as_of_option
@json_option
@project_options
def list_(as_of: str | None, as_json: bool, **options: Any) -> None:
    """The tasks of the project, when they were due, what came of it, and when they are due next."""
    from snowml.workflows.dbt import Dbt
    from snowml.workflows.tasks import expected, scheduled

    project, progress = load_project(options), ConsoleProgress(quiet=as_json)
    dbt = Dbt(project, progress)
    found = expected(dbt, scheduled(dbt), as_of=project.moment(as_of))
    if as_json:
        emit_json({"graphs": [one.summary() for one in found]})
        return
    if not found:
        say("No model of this project has a schedule: add 'monitor: {schedule: …}' to the settings of one.")
    for one in found:
        say(f"{one.graph.schedule}: {', '.join(one.graph.models)}")
        say(f"  {one.standing}, due {shown(one.due_at)}; next {shown(one.next_at)}")
        table(["  task", "after"], [[f"  {task.name}", ", ".join(task.after)] for task in one.graph.tasks])


@tasks.command()
@as_of_option
@click.option("--again", is_flag=True, help="Also what has failed three times for the same moment.")
@json_option
@project_options
def run(as_of: str | None, again: bool, as_json: bool, **options: Any) -> None:
    """Run what is due, once, and end: for cron, or any other scheduler.

    What has succeeded for its moment is not run again; what was killed or has failed is taken up where it stopped.
    While another process runs the tasks of this warehouse, nothing is done. Exit code 0 where all succeeded or nothing
    was due; else the worst of what went wrong.
    """
    from snowml.workflows.dbt import Dbt
    from snowml.workflows.moment import now
    from snowml.workflows.tasks import alone, run_due, scheduled

    project, progress = load_project(options), ConsoleProgress(quiet=as_json)
    at = project.moment(as_of)
    with alone(project) as other:
        if other is not None:
            progress.note(f"Process {other} is running the tasks of this warehouse; nothing was done.")
            done = []
        else:
            dbt = Dbt(project, progress)
            done = run_due(dbt, scheduled(dbt), as_of=at, clock=now, again=again)
    if as_json:
        emit_json({"as_of": at, "running": other, "graphs": [one.summary() for one in done]})
    else:
        _show(done)
    raise_worst([error for one in done for error in one.errors])


@tasks.command()
@project_options
def watch(**options: Any) -> None:
    """Run what is due, wait for the next moment, and so on until it is stopped.

    Reads the project anew each time. What goes wrong is told, and does not end it.
    """
    from snowml.workflows.dbt import Dbt
    from snowml.workflows.moment import now
    from snowml.workflows.tasks import alone, expected, run_due, scheduled

    project, progress = load_project(options), ConsoleProgress()
    while True:
        with alone(project) as other:
            if other is not None:
                raise RetryableError(f"Process {other} is running the tasks of this warehouse.")
            dbt = Dbt(project, progress)
            specs, at = scheduled(dbt), now()
            done = run_due(dbt, specs, as_of=at, clock=now)
            coming = [one.next_at for one in expected(dbt, specs, as_of=at) if one.next_at]
        _show(done)
        for error in (error for one in done for error in one.errors):
            progress.note(f"error: {error}")
        if not coming:
            raise UserError("No model of this project has a schedule: there is nothing to wait for.")
        progress.note(f"The next tasks are due at {shown(min(coming))}, UTC.")
        while (left := min(coming) - now()) > timedelta():
            time.sleep(min(left, _NAP).total_seconds())


@tasks.command()
@click.argument("model", required=False)
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many of the newest."
)
@json_option
@project_options
def history(model: str | None, limit: int, as_json: bool, **options: Any) -> None:
    """The tasks that ended, newest first; of one model, if one is named."""
    project, progress = load_project(options), ConsoleProgress(quiet=as_json)
    with open_registry(project, progress) as registry:
        runs = registry.create().task_runs(model=model, limit=limit)[::-1]
        _check_known(registry, model, runs)
    if as_json:
        emit_json({"tasks": [one.summary() for one in runs]})
    else:
        _table(runs)


@tasks.command()
@click.argument("model", required=False)
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many of the newest."
)
@json_option
@project_options
def messages(model: str | None, limit: int, as_json: bool, **options: Any) -> None:
    """What there is to tell, newest first: failures, drift, retraining, promotions; of one model, if one is named."""
    project, progress = load_project(options), ConsoleProgress(quiet=as_json)
    with open_registry(project, progress) as registry:
        found = registry.create().messages(model=model, limit=limit)[::-1]
        _check_known(registry, model, found)
    if as_json:
        emit_json({"messages": found})
    else:
        table(["told", "kind", "model", "message"], [list(one.values()) for one in found])


def _check_known(registry: "Registry", model: str | None, found: Sequence[object]) -> None:
    """Of a model that is misspelt there is nothing to tell, which is not what it would look like."""
    if model and not found and model not in registry.models():
        raise registry.unknown(model)


def _show(done: Sequence["GraphRun"]) -> None:
    if not done:
        say("Nothing is due.")
    for one in done:
        say()
        say(f"{one.graph.schedule}, due {shown(one.due_at)}: {one.runs[-1].state}")
        _table(one.runs)


def _table(runs: Sequence["TaskRun"]) -> None:
    table(
        ["due", "task", "state", "seconds", "what came of it"],
        [
            [
                one.due_at,
                one.task,
                one.state,
                int((one.ended_at - one.started_at).total_seconds()),
                one.detail,
            ]
            for one in runs
        ],
    )
