"""Reading the clock, and reading a moment that the user gave: doors call this, workflows are handed the answer."""

import re
from datetime import UTC, date, datetime, timedelta

from snowml.errors import UserError


def now() -> datetime:
    """The present, in UTC without a zone, to the second."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def moment(given: str | date | datetime | None) -> datetime:
    """A moment in UTC, without a zone: what was given, or now.

    Raises:
        UserError: It is no ISO 8601 date or time.
    """
    if given is None:
        return now()
    try:
        read = datetime.fromisoformat(given) if isinstance(given, str) else given
    except ValueError as error:
        raise UserError(
            f"'{given}' is no date or time. Give one such as 2013-10-01 or 2013-10-01T06:00."
        ) from error
    if not isinstance(read, datetime):
        read = datetime(read.year, read.month, read.day)
    return read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read


def duration(given: str) -> timedelta:
    """A length of time such as '7 days' or '12 hours'.

    Raises:
        UserError: It is none.
    """
    match = re.fullmatch(r"(\d{1,6})\s*(minute|hour|day|week)s?", given.strip().lower())
    length = timedelta(**{match[2] + "s": int(match[1])}) if match else timedelta()
    if not length:
        raise UserError(f"'{given}' is no length of time. Give one such as '7 days' or '12 hours'.")
    return length
