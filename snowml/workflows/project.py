"""A dbt project as snowml sees it: its folder, its target, its vars, and the environment that follows from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from snowml.engines.base import Engine
from snowml.engines.factory import Notify, open_engine
from snowml.engines.profile import Target, find_profiles_dir, read_target
from snowml.engines.yaml_files import read_yaml
from snowml.errors import ProjectError
from snowml.registry.store import Registry
from snowml.workflows.moment import moment


@dataclass(frozen=True, slots=True)
class Project:
    """A dbt project with one target chosen."""

    folder: Path
    name: str
    profiles_dir: Path
    target: Target
    vars: Mapping[str, Any] = field(default_factory=dict)
    given_vars: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        folder: Path | None = None,
        *,
        profiles_dir: Path | None = None,
        target: str | None = None,
        vars: Mapping[str, Any] | None = None,  # noqa: A002  # dbt's word
    ) -> "Project":
        """Read the project in `folder` (default: here) and its target, as dbt would.

        Raises:
            ProjectError: There is no dbt project there, or its profile or target is missing.
        """
        folder = (folder or Path.cwd()).resolve()
        file = folder / "dbt_project.yml"
        if not file.is_file():
            raise ProjectError(
                f"{folder} has no dbt_project.yml. Go to a dbt project, or name it with --project-dir."
            )
        settings = read_yaml(file)
        if not isinstance(settings, dict) or "name" not in settings or "profile" not in settings:
            raise ProjectError(f"{file} must name the project (name:) and its profile (profile:).")
        profiles = (profiles_dir or find_profiles_dir(folder)).resolve()
        return cls(
            folder=folder,
            name=settings["name"],
            profiles_dir=profiles,
            target=_placed(read_target(settings["profile"], target=target, profiles_dir=profiles), folder),
            vars={**_vars(settings), **(vars or {})},
            given_vars=vars or {},
        )

    @property
    def registry_schema(self) -> str:
        """Where the registry lives: the var `snowml_schema`, else beside the target's schema."""
        return str(self.vars.get("snowml_schema") or f"{self.target.schema}_snowml")

    @property
    def function_schema(self) -> str:
        """Where the prediction functions live: the var `snowml_function_schema`, else the target's schema."""
        return str(self.vars.get("snowml_function_schema") or self.target.schema)

    def moment(self, given: str | None) -> datetime:
        """The moment that a command stands for: what was given, else the project's var `as_of`, else now."""
        return moment(given if given is not None else self.vars.get("as_of"))

    def open(self, *, read_only: bool = False, notify: Notify | None = None) -> Engine:
        """A session of the target's warehouse."""
        return open_engine(self.target, read_only=read_only, notify=notify)

    def database(self, *, notify: Notify | None = None) -> str:
        """The database that the target's names without one belong to."""
        engine = self.open(notify=notify)
        try:
            return engine.database
        finally:
            engine.close()

    def registry(self, engine: Engine) -> Registry:
        """The registry of this project's environment."""
        return Registry(engine, self.registry_schema)


def _placed(target: Target, folder: Path) -> Target:
    """The target with the path of its DuckDB file in full: a relative one is the project's, wherever the profile is.

    That is where `dbt build` puts it for whoever runs it in the project's folder.
    """
    path = str(target.settings.get("path", ":memory:"))
    if target.type != "duckdb" or path == ":memory:":
        return target
    return replace(target, settings={**target.settings, "path": str(folder / Path(path).expanduser())})


def _vars(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The project's vars: those for all, those for the package snowml, those under the project's own name."""
    given = settings.get("vars") or {}
    if not isinstance(given, dict):
        raise ProjectError(f"The vars in dbt_project.yml are not a mapping: {given!r}.")
    scopes = [given[name] for name in ("snowml", settings["name"]) if isinstance(given.get(name), dict)]
    found = {key: value for key, value in given.items() if not isinstance(value, dict)}
    for scope in scopes:
        found |= scope
    return found
