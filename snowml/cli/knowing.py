"""The commands about features and their past: audit, replay, features; and doctor, about everything."""

from typing import TYPE_CHECKING, Any

import click

from snowml.cli.certificate import parity_document, show_parity
from snowml.cli.console import ConsoleProgress, emit_json, say, shown, table
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
from snowml.documents import plain
from snowml.errors import AnswerIsNo, AuditFailed, ParityFailed, UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from snowml.auditing.findings import Check
    from snowml.workflows.audit import Audited
    from snowml.workflows.catalogue import FeatureTable


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
@click.option(
    "--parity",
    is_flag=True,
    help="Instead: does what serves the model answer what scikit-learn answers?",
)
@click.option("--version", type=int, help="With --parity: which version; the champion if not given.")
@json_option
@project_options
def audit(
    model: str | None,
    every: bool,
    as_of: str | None,
    cuts: tuple[str, ...],
    parity: bool,
    version: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Look for features that know the future, in a model's training set.

    Builds it anew in a scratch schema, with all data and with what was known at several moments, and compares. Asks
    too whether each fact is dated, whether a feature alone tells the label, and whether splits share rows. Ends with
    exit code 1 where a check fails; the outcome is kept in the registry's table audits.

    With --parity, scores the champion's test window and adversarial rows again, by the functions as they are in the
    warehouse now, by the handler packaged for Snowflake and by scikit-learn. Ends with exit code 1 where they differ;
    the outcome is kept in the tables parity and parity_checks.
    """
    if parity:
        if cuts or as_of is not None or (every and version is not None):
            raise UserError("--parity goes with --version, or with --all, and with no --cut or --as-of.")
        _audit_parity(model, every, version, as_json, options)
        return
    if version is not None:
        raise UserError("--version goes with --parity: features are audited as the project makes them now.")
    from snowml.spec.exposure import model_names
    from snowml.workflows.audit import audit as run
    from snowml.workflows.dbt import Dbt
    from snowml.workflows.moment import moment, now

    project, progress = load_project(options), ConsoleProgress(quiet=as_json)
    dbt, at = Dbt(project, progress), project.moment(as_of)
    several, asked = Several(every), [moment(cut) for cut in cuts]
    for name in models_asked(model, every, lambda: model_names(dbt.manifest())):
        with several.model(name):
            done = run(dbt, name, as_of=at, now=now(), cuts=asked)
            several.documents.append(done.summary())
            if not as_json:
                _show(done)
            if not done.passed:
                several.failed.append(AuditFailed(f"The audit failed: {name}: {_names(done.checks)}"))
    several.finish(as_json)


def _audit_parity(
    model: str | None, every: bool, version: int | None, as_json: bool, options: dict[str, Any]
) -> None:
    from snowml.workflows.certificate.parity import audit_parity, refusal
    from snowml.workflows.moment import now

    project, progress = load_project(options), ConsoleProgress(quiet=as_json)
    several = Several(every)
    with open_registry(project, progress) as registry:
        for name in models_asked(model, every, registry.models):
            with several.model(name):
                found = audit_parity(registry, name, version, now(), progress)
                several.documents.append(parity_document(found))
                if not as_json:
                    show_parity(found)
                if not found.certified:
                    several.failed.append(ParityFailed(refusal(found)))
    several.finish(as_json)


@click.command()
@click.argument("model")
@click.option("--as-of", required=True, help="The past moment, in UTC, ISO 8601.")
@json_option
@project_options
def replay(model: str, as_of: str, as_json: bool, **options: Any) -> None:
    """Build a training set again as it could have been built at a past moment.

    Reads only what was known and had arrived by then; for that each dated model must say when its rows arrived. The
    rows are kept in the schema <registry>_replay, and compared with what versions of that moment were trained on.
    """
    from snowml.workflows.dbt import Dbt
    from snowml.workflows.moment import moment
    from snowml.workflows.replay import replay as run

    project, progress = load_project(options), ConsoleProgress(quiet=as_json)
    done = run(Dbt(project, progress), model, as_of=moment(as_of))
    if as_json:
        emit_json(done.summary())
        return
    say()
    say(f"{done.relation}: {done.rows:,} rows that a training as of {shown(done.as_of)} uses")
    say(f"fingerprint {done.fingerprint}")
    for number, identical in done.versions.items():
        word = "exactly these rows" if identical else "OTHER rows: what was loaded, or the code, was another"
        say(f"version {number} of that moment was trained on {word}")


@click.command()
@json_option
@project_options
def features(as_json: bool, **options: Any) -> None:
    """List the feature tables: entity, columns, owner, freshness, and which models read what."""
    from snowml.workflows.catalogue import catalogue
    from snowml.workflows.dbt import Dbt

    project, progress = load_project(options), ConsoleProgress(quiet=as_json)
    found = catalogue(Dbt(project, progress))
    if as_json:
        emit_json({"tables": [_document(one) for one in found]})
        return
    for one in found:
        say()
        say(f"{one.name}: {one.description or 'no description'}")
        built = (
            f"{one.rows:,} rows, the newest of {shown(one.newest)}" if one.rows is not None else "not built"
        )
        say(f"  {one.relation}, by {', '.join((*one.entity, one.as_of))}; owner {one.owner or '-'}; {built}")
        rows = [
            [column.name, column.type, ", ".join(column.models) or "-", column.description]
            for column in one.columns
        ]
        table(["  column", "type", "read by", "what it is"], [[f"  {name}", *rest] for name, *rest in rows])
    if not found:
        say("No model reads a feature table yet: declare an exposure of type ml.")


@click.command()
@json_option
@project_options
def doctor(as_json: bool, **options: Any) -> None:
    """Check the installation, the project, the warehouse, and that each champion has the columns it reads.

    Ends with exit code 1 where something is wrong.
    """
    from snowml.workflows.dbt import Dbt
    from snowml.workflows.doctor import examine

    found = examine(
        lambda: load_project(options), lambda project: Dbt(project, ConsoleProgress(quiet=as_json))
    )
    if as_json:
        emit_json(found.summary())
    else:
        _show_checks(found.checks)
    if not found.passed:
        raise AnswerIsNo(f"Not in order: {_names(found.checks)}.")


def _document(one: "FeatureTable") -> dict[str, Any]:
    return {**plain(one), "relation": str(one.relation), "models": one.models}


def _show(done: "Audited") -> None:
    say()
    say(f"{done.spec.name}, as of {shown(done.as_of)}: {'passed' if done.passed else 'FAILED'}")
    _show_checks(done.checks)


def _show_checks(checks: "Iterable[Check]") -> None:
    for check in checks:
        first, *rest = check.detail.splitlines()
        say(f"  {'passed' if check.passed else 'FAILED'}  {check.name}: {first}")
        for line in rest:
            say(f"          {line}")


def _names(checks: "Iterable[Check]") -> str:
    return ", ".join(check.name for check in checks if not check.passed)
