"""What a project says about its deployment: `snowml.yml` beside `dbt_project.yml`, each key of it optional."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from snowml.errors import ProjectError, did_you_mean
from snowml.spec.fields import Length, length_of, refusal

FILE = "snowml.yml"
Size = Literal["XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE"]
Memory = Literal["MEMORY_1X", "MEMORY_1X_x86", "MEMORY_16X", "MEMORY_16X_x86", "MEMORY_64X", "MEMORY_64X_x86"]
LogLevel = Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF"]
About = Literal["failure", "drift", "retraining", "promotion"]
_NAMES = 3


def _object(value: str) -> str:
    if len(value.split(".")) != _NAMES or "'" in value or '"' in value:
        raise refusal(f"{value!r} is no full name: write database.schema.name, without quotes")
    return value


class Notify(BaseModel):
    """Who is told, by Snowflake's own mail, and of what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    integration: str
    emails: Annotated[tuple[str, ...], Field(min_length=1)]
    about: Annotated[tuple[About, ...], Field(min_length=1)] = ("failure", "drift")


class Serverless(BaseModel):
    """Tasks and alerts without a warehouse: Snowflake finds the size, from `initial`, within `min` and `max`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    initial: Size = "XSMALL"
    min: Size | None = None
    max: Size | None = None

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        sizes = [size for size in (self.min, self.initial, self.max) if size]
        if sizes != sorted(sizes, key=get_args(Size).index):
            raise refusal(f"{', '.join(sizes)}: sizes go from 'min' over 'initial' to 'max'")
        return self


class Deployment(BaseModel):
    """How tasks and procedures stand on Snowflake.

    Attributes:
        warehouse: What tasks run on; the profile's, if none is given.
        warehouse_size: How large that one is, for the estimate.
        serverless: Tasks and alerts have no warehouse; retraining has one if `training_warehouse` names it.
        training_warehouse: What retraining runs on, such as a Snowpark-optimised one; the same, if none is given.
        training_memory: That one is to be Snowpark-optimised, with so much memory: the setup makes it.
        dbt_project: A DBT PROJECT object that builds the features; without one that is left to a dbt job of your own.
        feature_store: Show the feature tables in Snowflake's own feature store, in the registry's schema.
        roles: Who may call the procedures.
        timeout: When a task is stopped.
        retries: How often Snowflake runs a failed graph again, from the task that failed.
        suspend_after: After how many failures in a row it stops the schedule.
        log_level: From which level on procedures and tasks write to the event table; the account's, if not given.
        notify: Who is told of what; nobody, if it is not given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    warehouse: str | None = None
    warehouse_size: Size = "XSMALL"
    serverless: Serverless | None = None
    training_warehouse: str | None = None
    training_memory: Memory | None = None
    dbt_project: Annotated[str, AfterValidator(_object)] | None = None
    feature_store: bool = False
    roles: tuple[str, ...] = ()
    timeout: Length = "60 minutes"
    retries: Annotated[int, Field(ge=0, le=30)] = 1
    suspend_after: Annotated[int, Field(ge=1)] = 3
    log_level: LogLevel | None = None
    notify: Notify | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.training_memory and not self.training_warehouse:
            raise refusal("name the warehouse too: 'training_warehouse'", "training_memory")
        return self

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
        inner: dict[str, type[BaseModel]] = {"notify": Notify, "serverless": Serverless}
        known = (inner[above[0]] if above else Deployment).model_fields
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
