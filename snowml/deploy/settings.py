"""What a project says about its deployment: `snowml.yml` beside `dbt_project.yml`, each key of it optional."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from snowml.engines.yaml_files import read_yaml
from snowml.errors import ProjectError
from snowml.spec.fields import Length, Text, length_of, refusal
from snowml.spec.location import locate
from snowml.spec.problems import spec_error
from snowml.spec.validation import problems_in

FILE = "snowml.yml"
Size = Literal["XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE"]
Memory = Literal["MEMORY_1X", "MEMORY_1X_x86", "MEMORY_16X", "MEMORY_16X_x86", "MEMORY_64X", "MEMORY_64X_x86"]
LogLevel = Literal["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF"]
About = Literal["failure", "drift", "retraining", "promotion"]
_NAMES: Final = 3
# Snowflake lets neither a task nor a statement take longer.
_LONGEST: Final = timedelta(days=7)


def _object(value: str) -> str:
    parts = value.split(".")
    if len(parts) != _NAMES or not all(parts) or "'" in value or '"' in value:
        raise refusal(f"{value!r} is no full name: write database.schema.name, without quotes")
    return value


def _unquoted(value: str) -> str:
    if value.startswith('"') and value.endswith('"'):
        raise refusal(f"{value!r} stands between quotes: write the name as it is, without them")
    return value


def _email(value: str) -> str:
    if not re.fullmatch(r"[^@\s,]+@[^@\s,]+", value):
        raise refusal(f"{value!r} is no address of mail. Give one such as 'ops@example.com'")
    return value


def _in_time(value: str) -> str:
    if (length_of(value) or _LONGEST) > _LONGEST:
        raise refusal(f"{value!r} is more than 7 days, after which Snowflake stops a task anyway")
    return value


Name = Annotated[Text, AfterValidator(_unquoted)]
"""A name of the account's: plain lower-case ones are Snowflake's upper-case ones, any other is taken to the letter."""


class Notify(BaseModel):
    """Who is told, by Snowflake's own mail, and of what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    integration: Name
    emails: Annotated[tuple[Annotated[Text, AfterValidator(_email)], ...], Field(min_length=1)]
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

    warehouse: Name | None = None
    warehouse_size: Size = "XSMALL"
    serverless: Serverless | None = None
    training_warehouse: Name | None = None
    training_memory: Memory | None = None
    dbt_project: Annotated[str, AfterValidator(_object)] | None = None
    feature_store: bool = False
    roles: tuple[Name, ...] = ()
    timeout: Annotated[Length, AfterValidator(_in_time)] = "60 minutes"
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
    raw, place = read_yaml(file) or {}, locate(folder, FILE)
    if not isinstance(raw, dict) or set(raw) - {"deploy"}:
        raise ProjectError(f"{file} must have the one key 'deploy'.")
    given = raw.get("deploy") or {}
    if not isinstance(given, dict) or not all(isinstance(key, str) for key in given):
        raise ProjectError(f"{FILE}:{place.line_of(('deploy',))}: 'deploy' is no mapping of keys: {given!r}.")
    try:
        return Deployment.model_validate(given)
    except ValidationError as failure:
        problems = problems_in(failure, Deployment)
        raise ProjectError(str(spec_error(problems, place.under("deploy")))) from failure
