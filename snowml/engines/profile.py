"""dbt's profile, read without dbt: importing dbt takes over a second, and most commands do not run it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from snowml.engines.yaml_files import read_yaml
from snowml.errors import ProjectError, did_you_mean


@dataclass(frozen=True, slots=True)
class Target:
    """One output of a profile."""

    profile: str
    name: str
    type: str
    # Not shown: it holds passwords.
    settings: Mapping[str, Any] = field(repr=False)
    file: Path

    @property
    def schema(self) -> str:
        """The schema dbt builds in."""
        return str(self.settings.get("schema") or "main")


def read_target(profile: str, *, target: str | None, profiles_dir: Path) -> Target:
    """The named output of a profile in `profiles_dir/profiles.yml`, its default one where `target` is None.

    Raises:
        ProjectError: The file, the profile or the output is not there, or a variable of the environment is missing.
    """
    file = profiles_dir / "profiles.yml"
    if not file.is_file():
        raise ProjectError(
            f"There is no {file}. Copy profiles.yml.example there, or name its folder with --profiles-dir."
        )
    profiles = _mapping(read_yaml(file), f"{file} is not a mapping of profiles.")
    if profile not in profiles:
        raise ProjectError(f"{file} has no profile '{profile}'.{did_you_mean(profile, profiles)}")
    settings = _mapping(profiles[profile], f"The profile '{profile}' in {file} is not a mapping.")
    outputs = _mapping(settings.get("outputs"), f"The profile '{profile}' in {file} has no outputs.")
    name = target or str(_rendered(settings.get("target", "default"), file))
    if name not in outputs:
        raise ProjectError(
            f"The profile '{profile}' in {file} has no target '{name}'.{did_you_mean(name, outputs)}"
        )
    output = _mapping(
        _rendered(outputs[name], file),
        f"The target '{name}' of the profile '{profile}' in {file} has no settings.",
    )
    return Target(profile, name, str(output.get("type")), output, file)


def find_profiles_dir(project_dir: Path) -> Path:
    """Where dbt would look: the variable of the environment, the project's folder, then ~/.dbt."""
    from_environment = os.environ.get("DBT_PROFILES_DIR")
    if from_environment:
        return Path(from_environment).expanduser()
    if (project_dir / "profiles.yml").is_file():
        return project_dir
    return Path.home() / ".dbt"


def _mapping(value: object, message: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ProjectError(message)
    return value


def _rendered(value: Any, file: Path) -> Any:
    """`value` with the Jinja that dbt allows in a profile: env_var, and the filters that give numbers and booleans."""
    if isinstance(value, dict):
        return {key: _rendered(item, file) for key, item in value.items()}
    if isinstance(value, list):
        return [_rendered(item, file) for item in value]
    if not isinstance(value, str) or "{" not in value:
        return value
    environment = SandboxedEnvironment(undefined=StrictUndefined)
    environment.filters.update(as_number=str, as_bool=str, as_native=str, as_text=str)
    try:
        text = environment.from_string(value).render(env_var=partial(_env_var, file))
    except TemplateError as error:
        raise ProjectError(f"{file}: cannot render {value!r}: {error}") from error
    if not any(name in value for name in ("as_number", "as_bool", "as_native")):
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ProjectError(f"{file}: {value!r} is {text!r}, which is no value of YAML.") from error


def _env_var(file: Path, name: object, default: str | None = None) -> str:
    value = os.environ.get(str(name), default)
    if value is None:
        raise ProjectError(
            f"{file} needs the environment variable {name}, which is not set. Set it, or write a default there: "
            f"env_var('{name}', '…')."
        )
    return value
