"""A model's specification: out of the dbt project, or out of the registry where there is no project."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snowml.records import Version
from snowml.registry.store import Registry
from snowml.spec.exposure import read_spec
from snowml.spec.location import Locator, locate_exposure, locate_settings
from snowml.spec.model import ModelSpec
from snowml.workflows.project import Project


@dataclass(frozen=True, slots=True)
class Located:
    """A specification, with the place of its settings where files are at hand."""

    spec: ModelSpec
    locator: Locator | None = None
    overridden: bool = False


def from_project(
    project: Project,
    manifest: Mapping[str, Any],
    name: str,
    *,
    database: str,
    overrides: Mapping[str, object] | None = None,
) -> Located:
    """The specification of a model, as its exposure says it now."""
    spec = read_spec(
        manifest,
        name,
        project_dir=project.folder,
        registry_schema=project.registry_schema,
        function_schema=project.function_schema,
        database=database,
        target=project.target.name,
        git_commit=git_commit(project.folder),
        overrides=overrides,
    )
    place = locate_exposure(project.folder, spec.file, name)
    return Located(spec, locate_settings(place, overrides or {}), overridden=bool(overrides))


def from_registry(registry: Registry, name: str) -> Located:
    """The specification recorded last: what a procedure in the warehouse reads.

    Raises:
        ModelNotFound: None was recorded under that name.
    """
    text = registry.latest_spec(name)
    if text is None:
        raise registry.unknown(name)
    spec = ModelSpec.from_json(text)
    commit = registry.latest_commit(name) or spec.git_commit
    return Located(spec.model_copy(update={"git_commit": commit}))


def of_version(registry: Registry, version: Version) -> ModelSpec:
    """The specification that a version was trained by, in the environment that the model is in now.

    A version keeps to the relations it was made from; its functions stand where those of the model stand today.
    """
    current = from_registry(registry, version.model).spec
    text = registry.spec(version)
    own = ModelSpec.from_json(text) if text else current
    return own.model_copy(update={"function_schema": current.function_schema})


def git_commit(folder: Path) -> str | None:
    """The commit that the project is at, with `+changes` where files differ from it; None outside of git."""
    head = _git(folder, "rev-parse", "HEAD")
    if head is None:
        return None
    return f"{head}+changes" if _git(folder, "status", "--porcelain", "--", ".") else head


def _git(folder: Path, *args: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(folder), *args], capture_output=True, text=True, check=True)  # noqa: S603, S607
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
