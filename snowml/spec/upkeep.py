"""How a model is kept up: what watches it, and what makes it be trained again."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator

from snowml.spec.fields import Length, Number, Text, length_of, refusal
from snowml.spec.schedule import Schedule


def _threshold(value: float) -> float:
    if value <= 0:
        raise refusal(f"{value:g} is no threshold: give a positive number such as 0.2")
    return value


def _rows(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise refusal(f"{value!r} is no number of rows from 1 on")
    return value


def _columns(value: object) -> int | None:
    """How many columns must have drifted; `true` is one, `false` is not to ask."""
    if value is None or isinstance(value, bool):
        return 1 if value else None
    if not isinstance(value, int) or value < 1:
        raise refusal(f"{value!r} is neither true nor a number of columns from 1 on")
    return value


def _interval(value: str) -> str:
    if (length_of(value) or timedelta()) < timedelta(minutes=1):
        raise refusal(f"{value!r} is too short: a minute is the least")
    return value


def _whole_days(value: str) -> str:
    length = length_of(value) or timedelta()
    if length % timedelta(days=1):
        raise refusal(f"{value!r} is no number of whole days. Give one such as '1 day' or '2 weeks'")
    return value


class Native(BaseModel):
    """Snowflake's own model monitor, beside the tables that snowml keeps.

    Attributes:
        refresh: How often it looks for new rows.
        aggregate: The windows by which it counts: whole days.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    refresh: Annotated[Length, AfterValidator(_interval)] = "1 day"
    aggregate: Annotated[Length, AfterValidator(_whole_days)] = "1 day"

    @property
    def minutes(self) -> int:
        """Minutes from one refresh to the next."""
        return int((length_of(self.refresh) or timedelta()) / timedelta(minutes=1))

    @property
    def days(self) -> int:
        """Days of a window."""
        return (length_of(self.aggregate) or timedelta()).days


def _native(value: object) -> object:
    """`true` is one with all its defaults, `false` is none."""
    return (Native() if value else None) if isinstance(value, bool) else value


class Monitor(BaseModel):
    """How the champion is watched.

    Attributes:
        schedule: When the scheduled tasks build the features, score, and monitor.
        stream: A table, as `source.table` or by a node's name: without new rows in it they do nothing.
        window: How far back each monitoring looks.
        threshold: The PSI above which a column has drifted.
        native: Snowflake's own model monitor too; None: not that.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schedule: Schedule = None
    stream: Text | None = None
    window: Length = "7 days"
    threshold: Annotated[Number, AfterValidator(_threshold)] = 0.2
    native: Annotated[Native | None, BeforeValidator(_native)] = None

    @model_validator(mode="after")
    def _looks_when_told(self) -> Self:
        if self.stream and not self.schedule:
            raise refusal("how often is it to be looked for new rows? Add 'schedule'", "stream")
        return self

    @property
    def length(self) -> timedelta:
        """The window as a length of time."""
        return length_of(self.window) or timedelta()


class Retrain(BaseModel):
    """What makes a model be trained again; one reason is enough.

    Attributes:
        schedule: When it is due anyway.
        on_new_rows: After so many labels that the last training could not know.
        on_drift: After so many columns have drifted in a window that began after the last training.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schedule: Schedule = None
    on_new_rows: Annotated[int | None, BeforeValidator(_rows)] = None
    on_drift: Annotated[int | None, BeforeValidator(_columns)] = None

    @model_validator(mode="after")
    def _has_a_reason(self) -> Self:
        if not (self.schedule or self.on_new_rows or self.on_drift):
            raise refusal("nothing would ever retrain the model. Add 'schedule', 'on_new_rows' or 'on_drift'")
        return self
