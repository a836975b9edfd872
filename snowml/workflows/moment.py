"""Reading the clock, and reading a moment that the user gave: doors call this, workflows are handed the answer."""

import re
from datetime import UTC, date, datetime, timedelta

from snowml.errors import UserError
from snowml.spec.fields import length_of


def now() -> datetime:
    """The present, in UTC without a zone, to the second."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def moment(given: object) -> datetime:
    """A moment in UTC, without a zone: what was given (a text, a date or a time), or now.

    Raises:
        UserError: It is no ISO 8601 date or time.
    """
    if given is None:
        return now()
    try:
        read = given if isinstance(given, date) else _read(str(given))
        if not isinstance(read, datetime):
            read = datetime(read.year, read.month, read.day)
        return read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read
    except (ValueError, OverflowError) as error:
        raise UserError(
            f"'{given}' is no date or time. Give one such as 2013-10-01 or 2013-10-01T06:00."
        ) from error


def _read(given: str) -> datetime:
    # ISO 8601 has more forms, such as 20131001 and 2013-W40: a slip of the keyboard is more likely.
    if not re.match(r"\d{4}-\d{2}-\d{2}([T ]|$)", given):
        raise ValueError(given)
    return datetime.fromisoformat(given)


def before(end: datetime, length: timedelta) -> datetime:
    """The moment `length` before `end`.

    Raises:
        UserError: The calendar begins later.
    """
    try:
        return end - length
    except OverflowError as error:
        raise UserError(f"{length} before {end} is before the first day of the calendar.") from error


def duration(given: str) -> timedelta:
    """A length of time such as '7 days' or '12 hours'.

    Raises:
        UserError: It is none.
    """
    length = length_of(given)
    if length is None:
        raise UserError(f"'{given}' is no length of time. Give one such as '7 days' or '12 hours'.")
    return length
