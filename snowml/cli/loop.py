"""The commands that move a model along the loop: train, promote, rollback, predict, monitor."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from snowml.cli import answers
from snowml.cli.console import ConsoleProgress, emit_json
from snowml.cli.options import (
    as_of_option,
    json_option,
    load_project,
    model_argument,
    models_asked,
    project_options,
)
from snowml.cli.several import Several
from snowml.errors import DriftFound, GateFailed, ParityFailed, UserError

if TYPE_CHECKING:
    from snowml.registry.store import Registry
    from snowml.workflows.project import Project


@contextmanager
def open_registry(
    project: "Project", progress: ConsoleProgress, *, read_only: bool = False, create: bool = False
) -> Iterator["Registry"]:
    """The project's registry over a session that is given back at the end.

    Raises:
        NotTrained: There is no registry yet, and none is to be created.
    """
    engine = project.open(read_only=read_only, notify=progress.note)
    try:
        registry = project.registry(engine)
        yield registry.create() if create else registry.require()
    finally:
        engine.close()


@click.command()
@model_argument
@as_of_option
@click.option(
    "--if-changed",
    is_flag=True,
    help="Only where rows, specification, --as-of or packages differ from the newest version's.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a setting: --set params.max_iter=50.",
)
@json_option
@project_options
def train(
    model: str | None,
    every: bool,
    as_of: str | None,
    if_changed: bool,
    settings: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Train a model on what was known at --as-of, and register the version.

    A version that passes its gates gets its functions, predict_<model>_v<N>, and its parity certificate: they answer
    what scikit-learn answers, on the test window and on adversarial rows. Ends with exit code 1 where a gate fails (the
    version is kept, as rejected) or an answer differs (it is kept, and cannot be promoted).
    """
    from snowml.spec.exposure import model_names
    from snowml.workflows.dbt import Dbt
    from snowml.workflows.moment import now
    from snowml.workflows.specs import from_project
    from snowml.workflows.train import train as run

    project, progress = load_project(options), ConsoleProgress(quiet=as_json)
    at = project.moment(as_of)
    overrides = dict(_setting(item) for item in settings)
    manifest = Dbt(project, progress).manifest()
    names = models_asked(model, every, lambda: model_names(manifest))
    several = Several(every)
    with open_registry(project, progress, create=True) as registry:
        engine = registry.engine
        for name in names:
            with several.model(name):
                located = from_project(project, manifest, name, database=engine.database, overrides=overrides)
                done = run(
                    engine, registry, located, as_of=at, now=now(), if_changed=if_changed, progress=progress
                )
                several.documents.append(done.summary())
                if not as_json:
                    answers.show_trained(done, located.spec.settings.metric)
                if done.refused:
                    several.failed.append(ParityFailed(done.refused))
                elif not done.passed:
                    several.failed.append(GateFailed(answers.failed_gates(done)))
    several.finish(as_json)


@click.command()
@model_argument
@click.option(
    "--version",
    type=int,
    help="Which version; if not given, the newest approved one that was not rolled back from.",
)
@json_option
@project_options
def promote(model: str | None, every: bool, version: int | None, as_json: bool, **options: Any) -> None:
    """Make a version the champion: create predict_<model>, if it has a parity certificate.

    The one from its training counts where functions and code are the same still; else it is compared anew. Ends with
    exit code 1 where an answer differs from scikit-learn's.
    """
    from snowml.workflows.moment import now
    from snowml.workflows.promote import promote as run

    if every and version is not None:
        raise UserError("--version names a version of one model; leave out --all.")
    project, progress = load_project(options), ConsoleProgress(quiet=as_json)
    several = Several(every)
    with open_registry(project, progress) as registry:
        for name in models_asked(model, every, registry.models):
            with several.model(name):
                done = run(registry.engine, registry, name, version=version, now=now(), progress=progress)
                several.documents.append(done.summary())
                if not as_json:
                    answers.show_promoted(done)
    several.finish(as_json)


@click.command()
@click.argument("model")
@click.option("--to", type=int, help="An earlier champion; the one before if not given.")
@json_option
@project_options
def rollback(model: str, to: int | None, as_json: bool, **options: Any) -> None:
    """Make the champion before this one the champion again."""
    from snowml.workflows.moment import now
    from snowml.workflows.promote import rollback as run

    project, progress = load_project(options), ConsoleProgress(quiet=as_json)
    with open_registry(project, progress) as registry:
        done = run(registry.engine, registry, model, to=to, now=now())
    if as_json:
        emit_json(done.summary())
    else:
        answers.show_promoted(done)


@click.command()
@model_argument
@as_of_option
@click.option("--upstream", is_flag=True, help="Build everything that the predictions depend on first.")
@json_option
@project_options
def predict(
    model: str | None, every: bool, as_of: str | None, upstream: bool, as_json: bool, **options: Any
) -> None:
    """Score what is due as of a moment: the scoring set and <model>_predictions, by dbt."""
    from snowml.workflows.dbt import Dbt
    from snowml.workflows.predict import predict as run

    project, progress = load_project(options), ConsoleProgress(quiet=as_json)
    dbt, several = Dbt(project, progress), Several(every)
    for name in models_asked(model, every, lambda: _registered(project, progress)):
        with several.model(name):
            done = run(dbt, name, as_of=project.moment(as_of), upstream=upstream)
            several.documents.append(done.summary())
            if not as_json:
                answers.show_predicted(done)
    several.finish(as_json)


@click.command()
@model_argument
@as_of_option
@click.option("--window", help="How far back from --as-of; as the specification says (7 days) if not given.")
@click.option(
    "--threshold",
    type=float,
    help="The PSI above which a column has drifted; as the specification says (0.2) if not given. In a window of few "
    "rows, what chance alone may give, where that is more.",
)
@json_option
@project_options
def monitor(
    model: str | None,
    every: bool,
    as_of: str | None,
    window: str | None,
    threshold: float | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Compare the scored rows of a window with training, and with the labels known by now.

    Ends with exit code 1 where a column drifted beyond its threshold.
    """
    from snowml.workflows.moment import duration
    from snowml.workflows.monitor import monitor as run
    from snowml.workflows.specs import from_registry

    project, progress = load_project(options), ConsoleProgress(quiet=as_json)
    several = Several(every)
    at, length = project.moment(as_of), None if window is None else duration(window)
    with open_registry(project, progress) as registry:
        for name in models_asked(model, every, registry.models):
            with several.model(name):
                located = from_registry(registry, name)
                done = run(registry.engine, registry, located, as_of=at, window=length, threshold=threshold)
                several.documents.append(done.summary())
                if not as_json:
                    answers.show_monitored(done)
                if done.drifted:
                    moved = ", ".join(f"{row.column_name} (PSI {row.psi:.3f})" for row in done.drifted)
                    columns = "1 column" if len(done.drifted) == 1 else f"{len(done.drifted)} columns"
                    several.failed.append(
                        DriftFound(f"{name}: {columns} drifted beyond the threshold: {moved}")
                    )
    several.finish(as_json)


def _registered(project: "Project", progress: ConsoleProgress) -> list[str]:
    with open_registry(project, progress, read_only=True) as registry:
        return registry.models()


def _setting(item: str) -> tuple[str, object]:
    import yaml

    key, equals, value = item.partition("=")
    if not equals or not key:
        raise UserError(f"--set takes KEY=VALUE, such as params.max_iter=50; got '{item}'.")
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UserError(f"--set {key}: '{value}' is not a YAML value.") from error
