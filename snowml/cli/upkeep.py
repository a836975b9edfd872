"""The commands that keep a model fresh."""

from typing import Any

import click

from snowml.cli.console import ConsoleProgress, say, shown, table
from snowml.cli.loop import open_registry
from snowml.cli.options import (
    as_of_option,
    json_option,
    load_project,
    model_argument,
    models_asked,
    project_options,
)
from snowml.cli.several import Several
from snowml.errors import GateFailed, UserError
from snowml.records import Decision

_WORDS = {
    "nothing": "nothing to do",
    "promoted": "trained and promoted",
    "kept": "trained; the champion stays",
    "rejected": "trained; its gates reject it",
    "uncertified": "trained; its function is not certified",
}


@click.command()
@model_argument
@as_of_option
@click.option("--force", is_flag=True, help="Train whatever the policy says.")
@json_option
@project_options
def retrain(
    model: str | None, every: bool, as_of: str | None, force: bool, as_json: bool, **options: Any
) -> None:
    """Train a model again where its policy says so, and promote what is better than the champion.

    The policy is `retrain` in the specification: a schedule, new rows, drift. --all is every model that has one. Ends
    with exit code 1 where it trained and the champion stays.
    """
    from snowml.spec.exposure import model_names
    from snowml.workflows.dbt import Dbt
    from snowml.workflows.moment import now
    from snowml.workflows.retrain import retrain as run
    from snowml.workflows.specs import from_project

    project, progress = load_project(options), ConsoleProgress(quiet=as_json)
    at = project.moment(as_of)
    manifest = Dbt(project, progress).manifest()
    names = models_asked(model, every, lambda: model_names(manifest, having="retrain"))
    if not names:
        raise UserError("No model of this project has a policy: add 'retrain' to the settings of one.")
    several = Several(every)
    with open_registry(project, progress, create=True) as registry:
        for name in names:
            with several.model(name):
                located = from_project(project, manifest, name, database=registry.engine.database)
                done = run(
                    registry.engine, registry, located, as_of=at, now=now(), force=force, progress=progress
                )
                several.documents.append(done.summary())
                if not as_json:
                    _show(done)
                if done.outcome not in ("nothing", "promoted"):
                    several.failed.append(
                        GateFailed(f"{name} version {done.version} is not promoted: {done.detail}")
                    )
    several.finish(as_json)


def _show(done: Decision) -> None:
    say()
    version = f" (version {done.version})" if done.version else ""
    say(f"{done.model}, as of {shown(done.as_of)}: {_WORDS[done.outcome]}{version}")
    table(
        ["policy", "due", "because"],
        [[reason.reason.replace("_", " "), reason.due, reason.detail] for reason in done.reasons],
    )
    if done.outcome != "nothing":
        say(done.detail)
