"""What `import snowml` offers: the loop's tables, functions and models in a notebook or a script."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snowml.engines.duckdb.connection import DuckDBFile
from snowml.engines.factory import duckdb_file
from snowml.errors import ProjectError, TerminalError
from snowml.registry.store import Registry
from snowml.workflows.champion import load_artifact
from snowml.workflows.project import Project
from snowml.workflows.specs import from_registry
from snowml.workflows.train import read_training_set

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    from sklearn.pipeline import Pipeline


def connect(
    database: str | Path | None = None,
    *,
    project_dir: str | Path | None = None,
    profiles_dir: str | Path | None = None,
    target: str | None = None,
    read_only: bool = False,
) -> "duckdb.DuckDBPyConnection":
    """A DuckDB connection on which every prediction function works, and whose time zone is UTC.

    Args:
        database: A DuckDB file; if not given, that of a dbt project's target.
        project_dir: The dbt project; the current folder if not given.
        profiles_dir: The folder of profiles.yml; found as dbt finds it if not given.
        target: The profile's target; its default one if not given.
        read_only: Open without the right to write, so that other processes may read too.

    Raises:
        ProjectError: There is no such file or project, or the target is no DuckDB file.
        RetryableError: Another process holds the file for longer than a minute.
    """
    if database is not None:
        return DuckDBFile(str(database)).open(read_only=read_only)
    project = _project(project_dir, profiles_dir, target)
    if project.target.type != "duckdb":
        raise ProjectError(
            f"The target '{project.target.name}' is of type {project.target.type}: its functions are in the warehouse "
            "itself, for any of its clients."
        )
    return duckdb_file(project.target).open(read_only=read_only)


def training_set(model: str, *, as_of: str | None = None, **where: Any) -> "pd.DataFrame":
    """The rows that a training as of `as_of` would use: the features, then `label`, `as_of` and `label_at`.

    Args:
        model: The model, trained at least once or recorded by a build.
        as_of: A moment in UTC, ISO 8601; the project's var as_of, else now, if not given.
        where: project_dir, profiles_dir and target, as `connect` takes them.

    Raises:
        ModelNotFound: The registry has no specification of that model.
        DataError: No row had a label by then.
    """
    project = _project(**where)
    with _registry(project) as registry:
        _, data = read_training_set(registry.engine, from_registry(registry, model), project.moment(as_of))
    rows: pd.DataFrame = data.frame.assign(label=data.label, as_of=data.as_of, label_at=data.label_at)
    return rows


def load_model(model: str, *, version: int | None = None, **where: Any) -> "Pipeline":
    """A version's fitted scikit-learn pipeline; the champion if none is named.

    Args:
        model: The model.
        version: The number of a version.
        where: project_dir, profiles_dir and target, as `connect` takes them.

    Raises:
        ModelNotFound: There is no such model or version; NotPromoted: there is no champion.
        DataError: The artifact is not the one that was registered.
    """
    with _registry(_project(**where)) as registry:
        found = registry.champion(model) if version is None else registry.version(model, version)
        return load_artifact(registry, found).pipeline


def _project(
    project_dir: str | Path | None = None, profiles_dir: str | Path | None = None, target: str | None = None
) -> Project:
    return Project.load(_path(project_dir), profiles_dir=_path(profiles_dir), target=target)


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)


@contextmanager
def _registry(project: Project) -> Iterator[Registry]:
    try:
        engine = project.open(read_only=True)
    except TerminalError:
        # Where this process has a session that may write, such as `connect` gives, DuckDB opens no other kind.
        engine = project.open()
    try:
        yield project.registry(engine).require()
    finally:
        engine.close()
