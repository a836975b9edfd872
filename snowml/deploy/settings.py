"""What a project says about its deployment: `snowml.yml` beside `dbt_project.yml`, each key of it optional."""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from snowml.errors import ProjectError, did_you_mean
from snowml.spec.fields import Length, length_of, refusal

FILE = "snowml.yml"
Size = Literal["XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE"]
_NAMES = 3


def _object(value: str) -> str:
    if len(value.split(".")) != _NAMES or "'" in value or '"' in value:
        raise refusal(f"{value!r} is no full name: write database.schema.name, without quotes")
    return value


class Notify(BaseModel):
    """Who is told of drift and of failures, by Snowflake's own mail."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    integration: str
    emails: Annotated[tuple[str, ...], Field(min_length=1)]


class Deployment(BaseModel):
    """How tasks and procedures stand on Snowflake.

    Attributes:
        warehouse: What tasks run on; the profile's, if none is given.
        warehouse_size: How large that one is, for the estimate.
        training_warehouse: What retraining runs on, such as a Snowpark-optimised one; the same, if none is given.
        dbt_project: A DBT PROJECT object that builds the features; without one that is left to a dbt job of your own.
        feature_store: Show the feature tables in Snowflake's own feature store, in the registry's schema.
        roles: Who may call the procedures.
        timeout: When a task is stopped.
        retries: How often Snowflake runs a failed graph again, from the task that failed.
        suspend_after: After how many failures in a row it stops the schedule.
        notify: Who is told of drift and failures; nobody, if it is not given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    warehouse: str | None = None
    warehouse_size: Size = "XSMALL"
    training_warehouse: str | None = None
    dbt_project: Annotated[str, AfterValidator(_object)] | None = None
    feature_store: bool = False
    roles: tuple[str, ...] = ()
    timeout: Length = "60 minutes"
    retries: Annotated[int, Field(ge=0, le=30)] = 1
    suspend_after: Annotated[int, Field(ge=1)] = 3
    notify: Notify | None = None

    @property
    def seconds(self) -> int:
        """The timeout in seconds."""
        length = length_of(self.timeout)
        return int(length.total_seconds()) if length else 0


def read_deployment(folder: Path) -> Deployment:
    """The key `deploy` of the project's `snowml.yml`; the defaults where there is no such file.

    Raises:
        ProjectError: It is no YAML, or holds what is not known; it lists everything that is wrong.
    """
    file = folder / FILE
    if not file.is_file():
        return Deployment()
    try:
        text = file.read_text("utf-8")
        raw, node = yaml.safe_load(text) or {}, yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ProjectError(f"{file} is not valid YAML: {error}") from error
    if not isinstance(raw, dict) or set(raw) - {"deploy"}:
        raise ProjectError(f"{file} must have the one key 'deploy'.")
    try:
        return Deployment.model_validate(raw.get("deploy") or {})
    except ValidationError as failure:
        lines = [_complaint(dict(error), node) for error in failure.errors(include_url=False)]
        raise ProjectError("\n".join(lines)) from failure


def _complaint(error: dict[str, Any], node: Any) -> str:
    path = ["deploy", *(str(part) for part in error["loc"])]
    place = f"{FILE}:{_line(node, path)}: "
    if error["type"] == "extra_forbidden":
        *above, key = path[1:]
        known = (Notify if above == ["notify"] else Deployment).model_fields
        return f"{place}unknown key '{key}'.{did_you_mean(key, known)}"
    message = error.get("ctx", {}).get("message") or f"{error['input']!r}: {error['msg']}"
    return f"{place}{'.'.join(path[1:])}: {message}."


def _line(node: Any, path: list[str]) -> int:
    """The line of the key at `path`, or of the nearest one above it."""
    line = 1
    for part in path:
        if not isinstance(node, yaml.MappingNode):
            break
        found = [(key, value) for key, value in node.value if key.value == part]
        if not found:
            break
        line, node = found[-1][0].start_mark.line + 1, found[-1][1]
    return line
