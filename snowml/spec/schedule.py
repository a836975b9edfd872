"""When something is due: a cron expression with a time zone, as Snowflake's tasks have it."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from pydantic import BeforeValidator

from snowml.errors import did_you_mean
from snowml.spec.fields import refusal

_EXAMPLE: Final = "'0 6 * * * Europe/Berlin'"
_FIELDS: Final = 5
# Files beside the zones, which another machine reads otherwise, or a warehouse does not know.
_OF_THE_MACHINE: Final = re.compile(r"(posix|right)/|(localtime|posixrules|Factory)$")
_ANY_TIME = datetime(2024, 1, 1)


def _schedule(value: object) -> str | None:
    """`minute hour day month weekday zone`, tidied; UTC where no zone is given."""
    if value is None:
        return None
    words = value.split() if isinstance(value, str) else []
    fields, zone = words[:_FIELDS], words[_FIELDS:] or ["UTC"]
    if len(fields) != _FIELDS or len(zone) != 1:
        raise refusal(
            f"{value!r} is no schedule: five fields (minute, hour, day, month, weekday) and a time zone, such as "
            f"{_EXAMPLE}"
        )
    _check_zone(zone[0])
    cron = " ".join(fields).upper()
    # What the library knows and a task of Snowflake does not.
    if "W" in cron.split()[2] or re.search("[#7]", fields[4]):
        raise refusal(
            f"{cron!r} has a day that not every warehouse knows. Weekdays are 0 (Sunday) to 6 or SUN to SAT; "
            "the last Friday of a month is '5L', its last day 'L'"
        )
    try:
        next(CronSim(cron, _ANY_TIME))
    except CronSimError as error:
        raise refusal(f"{cron!r} is no cron expression: {str(error).lower()}") from None
    except StopIteration:
        raise refusal(f"{cron!r} never comes: no such day is in any year") from None
    return f"{cron} {zone[0]}"


def _check_zone(name: str) -> None:
    # The zone of a folder's name is an OSError, that of a path a ValueError.
    with suppress(KeyError, ValueError, OSError):
        ZoneInfo(name)
        if not _OF_THE_MACHINE.match(name):
            return
    raise refusal(
        f"no time zone {name!r}.{did_you_mean(name, available_timezones()) or f' Write {_EXAMPLE}'}"
    )


Schedule = Annotated[str | None, BeforeValidator(_schedule)]
"""A cron expression and a time zone, as one text: `0 6 * * * Europe/Berlin`; or none."""


def last_due(schedule: str, at: datetime) -> datetime | None:
    """The last moment up to `at` (UTC, without a zone, as is the answer) that the schedule names."""
    cron, zone = _parts(schedule)
    start = at.replace(microsecond=0, tzinfo=UTC) + timedelta(seconds=1)
    with suppress(StopIteration):
        found = next(CronSim(cron, start.astimezone(zone), reverse=True))
        # Backwards through the hour that an autumn has twice, the moment before is found instead.
        later = next(CronSim(cron, found))
        return _utc(later if _utc(later) <= at else found)
    return None


def next_due(schedule: str, after: datetime) -> datetime | None:
    """The first moment after `after` that the schedule names."""
    cron, zone = _parts(schedule)
    with suppress(StopIteration):
        return _utc(next(CronSim(cron, after.replace(tzinfo=UTC).astimezone(zone))))
    return None


def _parts(schedule: str) -> tuple[str, ZoneInfo]:
    cron, _, zone = schedule.rpartition(" ")
    return cron, ZoneInfo(zone)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
