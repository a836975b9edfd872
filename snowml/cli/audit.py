"""`snowml audit`."""

from typing import TYPE_CHECKING, Any

import click

from snowml.cli.console import ConsoleProgress, emit_json, say
from snowml.cli.options import (
    as_of_option,
    json_option,
    load_project,
    model_argument,
    models_asked,
    project_options,
)
from snowml.errors import AuditFailed

if TYPE_CHECKING:
    from snowml.workflows.audit import Audited


@click.command()
@model_argument
@as_of_option
@click.option(
    "--cut",
    "cuts",
    multiple=True,
    metavar="T",
    help="A moment at which to cut the future off, in UTC; as many as you like. Moments that the data suggest, if not "
    "given.",
)
@json_option
@project_options
def audit(
    model: str | None, every: bool, as_of: str | None, cuts: tuple[str, ...], as_json: bool, **options: Any
) -> None:
    """Look for features that know the future, in a model's training set.

    Builds it anew in a scratch schema, with all data and with what was known at several moments, and compares. Asks
    too whether each fact is dated, whether a feature alone tells the label, and whether splits share rows. Ends with
    exit code 1 where a check fails; the outcome is kept in the registry's table audits.
    """
    from snowml.spec.exposure import model_names
    from snowml.workflows.audit import audit as run
    from snowml.workflows.dbt import Dbt
    from snowml.workflows.moment import moment, now

    project, progress = load_project(options), ConsoleProgress(quiet=as_json)
    dbt, at = Dbt(project, progress), project.moment(as_of)
    found = []
    for name in models_asked(model, every, lambda: model_names(dbt.manifest())):
        found.append(run(dbt, name, as_of=at, now=now(), cuts=[moment(cut) for cut in cuts]))
        if not as_json:
            _show(found[-1])
    if as_json:
        documents = [one.summary() for one in found]
        emit_json(documents if every else documents[0])
    failed = [f"{one.spec.name}: {_names(one)}" for one in found if not one.passed]
    if failed:
        raise AuditFailed(f"The audit failed: {'; '.join(failed)}")


def _show(done: "Audited") -> None:
    say()
    say(f"{done.spec.name}, as of {done.as_of:%Y-%m-%d %H:%M}: {'passed' if done.passed else 'FAILED'}")
    for check in done.checks:
        first, *rest = check.detail.splitlines()
        say(f"  {'passed' if check.passed else 'FAILED'}  {check.name}: {first}")
        for line in rest:
            say(f"          {line}")


def _names(done: "Audited") -> str:
    return ", ".join(check.name for check in done.checks if not check.passed)
