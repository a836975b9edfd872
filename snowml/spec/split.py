"""How the rows of a training set are divided in time."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from snowml.spec.fields import length_of, refusal
from snowml.spec.problems import Problem, spec_error

if TYPE_CHECKING:
    from snowml.spec.location import Locator

_HINT = "Give a length such as '30 days', '12 hours' or '4 weeks', or the date on which the window begins"


@dataclass(frozen=True, slots=True)
class Windows:
    """Where each part begins: train, then `[validation_start, test_start)`, then `[test_start, end)`."""

    validation_start: datetime
    test_start: datetime
    end: datetime


def _parsed(text: str) -> timedelta | datetime | None:
    """A length back in time, or the moment where a window begins; None when `text` is neither."""
    if length := length_of(text):
        return length
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _window(value: object) -> str:
    text = value.isoformat() if isinstance(value, date) else value
    tidy = " ".join(text.split()) if isinstance(text, str) else ""
    tidy = tidy.lower() if length_of(tidy) else tidy
    if _parsed(tidy) is None:
        raise refusal(f"{value!r} is neither a length of time nor a date. {_HINT}.")
    return tidy


def _like(moment: datetime, as_of: datetime) -> datetime:
    """`moment` with or without a time zone, as `as_of` is; what has none is in UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(as_of.tzinfo) if as_of.tzinfo else aware.astimezone(UTC).replace(tzinfo=None)


def _begin(text: str, end: datetime, key: str, locator: "Locator | None") -> datetime:
    """Where the window that ends at `end` begins."""
    length = _parsed(text)
    try:
        begin = _like(length, end) if isinstance(length, datetime) else end - (length or timedelta())
    except OverflowError:
        begin = end
    if begin < end:
        return begin
    message = (
        f"split.{key}: {text!r} begins at {begin} and must end at {end}: the {key} window is empty. {_HINT}."
    )
    raise spec_error([Problem(message, ("split", key))], locator)


class Split(BaseModel):
    """The validation and test windows, each a length back from its end or the date on which it begins."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Literal["time"] = "time"
    validation: Annotated[str, BeforeValidator(_window)]
    test: Annotated[str, BeforeValidator(_window)]

    def windows(self, as_of: datetime, locator: "Locator | None" = None) -> Windows:
        """The windows of a training at `as_of`, with a time zone where `as_of` has one.

        Raises:
            SpecError: A window is empty, since it would begin at or after its own end.
        """
        test_start = _begin(self.test, as_of, "test", locator)
        return Windows(_begin(self.validation, test_start, "validation", locator), test_start, as_of)
