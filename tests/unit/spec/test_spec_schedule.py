from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_spec_settings import BARE, complaint

from snowml.spec.schedule import last_due, next_due
from snowml.spec.validation import validated

BERLIN = "Europe/Berlin"


def schedule(text):
    return validated({**BARE, "monitor": {"schedule": text}}).monitor.schedule


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("0 6 * * * Europe/Berlin", "0 6 * * * Europe/Berlin"),
        ("  */15  *  * * *", "*/15 * * * * UTC"),
        ("0 3 * * mon-fri America/New_York", "0 3 * * MON-FRI America/New_York"),
        ("0 3 L * *", "0 3 L * * UTC"),
        ("0 3 * jan 5L", "0 3 * JAN 5L UTC"),
        ("0 3 7 * wed", "0 3 7 * WED UTC"),
    ],
)
def test_a_schedule_is_cron_with_a_time_zone_which_is_utc_unless_told(given, kept):
    assert schedule(given) == kept


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "0 6 * *",
            "'0 6 * *' is no schedule: five fields (minute, hour, day, month, weekday) and a time zone",
        ),
        ("0 6 * * * Europe / Berlin", "is no schedule"),
        (6, "6 is no schedule"),
        ("@daily", "'@daily' is no schedule"),
        ("0 6 * * * Europe/Berln", "no time zone 'Europe/Berln'. Did you mean 'Europe/Berlin'?"),
        ("0 6 * * * ../UTC", "no time zone '../UTC'. Did you mean 'UTC'?"),
        ("0 6 * * * ./////", "no time zone './////'. Write '0 6 * * * Europe/Berlin'"),
        ("0 6 * * * America", "no time zone 'America'"),
        ("0 6 * * * localtime", "no time zone 'localtime'"),
        ("0 6 * * * right/UTC", "no time zone 'right/UTC'"),
        ("0 6 * * * utc", "no time zone 'utc'. Did you mean 'UTC'?"),
        ("61 * * * *", "'61 * * * *' is no cron expression: bad minute"),
        ("0 0 30 2 *", "'0 0 30 2 *' is no cron expression: bad day-of-month"),
        ("0 0 * * 7", "'0 0 * * 7' has a day that not every warehouse knows"),
        ("0 0 * * 1#2", "the last Friday of a month is '5L'"),
        ("0 0 LW * *", "its last day 'L'"),
    ],
)
def test_what_is_no_schedule_is_refused_with_what_would_be(given, message):
    found = complaint(BARE, monitor={"schedule": given})
    assert found.startswith("monitor.schedule: ")
    assert message in found


def test_a_moment_is_due_at_itself_and_until_the_next():
    daily = schedule("0 6 * * * Europe/Berlin")
    six = datetime(2024, 7, 1, 4)
    assert last_due(daily, six) == last_due(daily, six + timedelta(hours=23, microseconds=1)) == six
    assert last_due(daily, six - timedelta(microseconds=1)) == six - timedelta(days=1)
    assert next_due(daily, six) == six + timedelta(days=1)


def test_a_schedule_keeps_to_the_clock_on_the_wall():
    daily = schedule("0 6 * * * Europe/Berlin")
    assert last_due(daily, datetime(2024, 1, 1, 12)) == datetime(2024, 1, 1, 5)
    assert last_due(daily, datetime(2024, 7, 1, 12)) == datetime(2024, 7, 1, 4)


def test_an_hour_that_spring_leaves_out_is_made_up_for_when_it_is_over():
    assert last_due(schedule(f"30 2 * * * {BERLIN}"), datetime(2024, 3, 31, 1, 15)) == datetime(
        2024, 3, 31, 1
    )


def test_an_hour_that_autumn_has_twice_is_due_once():
    nightly = schedule(f"30 2 * * * {BERLIN}")
    first = datetime(2024, 10, 27, 0, 30)
    for minutes in (0, 15, 45, 60, 90, 600):
        assert last_due(nightly, first + timedelta(minutes=minutes)) == first, minutes
    assert next_due(nightly, first) == datetime(2024, 10, 28, 1, 30)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2039, 1, 1)),
    st.sampled_from(
        [
            "*/7 * * * *",
            "30 2 * * *",
            "0 3 * * 1",
            "15 1,2,3 * * *",
            "59 23 L * *",
            "0 0 29 2 *",
            "5 4 1 * 5L",
        ]
    ),
    st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_what_was_due_last_is_past_and_what_is_due_next_is_not(at, cron, zone):
    text = schedule(f"{cron} {zone}")
    last = last_due(text, at)
    assert last <= at < next_due(text, at)
    assert last_due(text, last) == last
    assert last < next_due(text, last)
    local = last.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    assert (local.second, local.microsecond) == (0, 0)
