"""The demonstration: the whole loop on the reference project, each station once, and again only where it changed."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from snowml.progress import Progress
from snowml.records import Parity
from snowml.registry.store import Registry
from snowml.scaffold.files import write_packages, write_project
from snowml.scaffold.load import load
from snowml.scaffold.tour import Tour, read_tour
from snowml.spec.exposure import model_names
from snowml.workflows.batch import Predicted
from snowml.workflows.dbt import Dbt
from snowml.workflows.moment import duration
from snowml.workflows.monitor import Monitored, monitor
from snowml.workflows.outcome import Outcome
from snowml.workflows.predict import predict
from snowml.workflows.project import Project
from snowml.workflows.promote import promote
from snowml.workflows.specs import from_project, from_registry
from snowml.workflows.train import Trained, train

# The models that need a champion are built once there is one.
_AFTER_TRAINING = ("tag:predictions", "tag:monitoring")


@dataclass(frozen=True, slots=True)
class Station:
    """One model at the end of the loop.

    Attributes:
        trained: The training, of now or of an earlier time where nothing has changed since.
        parity: How its function compares with scikit-learn.
        weeks: What monitoring found, window after window.
        whole: What it found over all of the scored time.
    """

    model: str
    metric: str
    trained: Trained
    parity: Parity
    predicted: Predicted
    weeks: tuple[Monitored, ...]
    whole: Monitored


@dataclass(frozen=True, slots=True)
class Demonstrated:
    """What the demonstration came to."""

    folder: Path
    database: Path
    rows: dict[str, int]
    built: Outcome
    stations: tuple[Station, ...]
    queries: tuple[str, ...]


def demonstrate(folder: Path, *, now: datetime, progress: Progress) -> Demonstrated:
    """Write the project, load the data, and go once around the loop.

    Raises:
        ProjectError: The folder is in use, or the data are not installed.
    """
    write_project(folder)
    write_packages(folder)
    project, tour = Project.load(folder, profiles_dir=folder), read_tour(folder)
    with _registry(project, progress) as registry:
        rows = load(registry.engine, tour.data, now=now, progress=progress)
    dbt = Dbt(project, progress)
    built = _build(dbt, tour, json.dumps(rows))
    manifest = dbt.manifest(_scoring(tour))
    stations = []
    for model in model_names(manifest):
        with _registry(project, progress) as registry:
            located = from_project(project, manifest, model, database=registry.engine.database)
            trained = train(
                registry.engine,
                registry,
                located,
                as_of=tour.train_as_of,
                now=now,
                if_changed=True,
                progress=progress,
            )
            if registry.champions(model)[-1:] != [trained.version.version]:
                promote(registry.engine, registry, model, now=now, progress=progress)
            parity = registry.parity(model)[trained.version.version]
        predicted = predict(dbt, model, as_of=tour.score_as_of)
        with _registry(project, progress) as registry:
            weeks, whole = _watch(registry, model, tour, progress)
        metric = located.spec.settings.metric
        stations.append(Station(model, metric, trained, parity, predicted, weeks, whole))
    dbt.build(select=["tag:monitoring"], variables=_scoring(tour), title="test for drift")
    return Demonstrated(
        folder=folder,
        database=project.folder / str(project.target.settings["path"]),
        rows=rows,
        built=built,
        stations=tuple(stations),
        queries=tour.queries,
    )


def _build(dbt: Dbt, tour: Tour, data: str) -> Outcome:
    """Everything up to the training sets: all of it, or what changed since it was last built from the same data."""
    state = dbt.project.folder / "target" / "demo"
    same_data = (state / "data.json").is_file() and (state / "data.json").read_text("utf-8") == data
    outcome = dbt.build(
        exclude=_AFTER_TRAINING,
        changed_since=state if same_data else None,
        variables=_scoring(tour),
        # What changed is computed anew: an increment would leave the rows of before as the old SQL made them.
        full_refresh=True,
        title="build and test the features",
    )
    state.mkdir(parents=True, exist_ok=True)
    written = dbt.project.folder / "target" / dbt.project.target.name / "manifest.json"
    shutil.copyfile(written, state / "manifest.json")
    (state / "data.json").write_text(data, "utf-8")
    return outcome


def _watch(
    registry: Registry, model: str, tour: Tour, progress: Progress
) -> tuple[tuple[Monitored, ...], Monitored]:
    """Monitor each window at its end, as its labels arrive, then all of the scored time."""
    located, width = from_registry(registry, model), duration(tour.monitor_every)
    engine, end = registry.engine, tour.score_as_of
    with progress.step(f"monitor {model}") as step:
        weeks, start = [], tour.train_as_of
        while start < end:
            until = min(start + width, end)
            weeks.append(monitor(engine, registry, located, as_of=until, window=until - start))
            start = until
        whole = monitor(engine, registry, located, as_of=end, window=end - tour.train_as_of)
        step.outcome(f"{len(weeks)} windows")
    return tuple(weeks), whole


def _scoring(tour: Tour) -> dict[str, str]:
    return {"as_of": tour.score_as_of.isoformat(sep=" ")}


@contextmanager
def _registry(project: Project, progress: Progress) -> Iterator[Registry]:
    engine = project.open(notify=progress.note)
    try:
        yield project.registry(engine)
    finally:
        engine.close()
