from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowml.errors import SpecError
from snowml.spec.split import Split

AS_OF = datetime(2013, 12, 1, tzinfo=UTC)
UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(1),
    "week": timedelta(7),
}

lengths = st.tuples(st.integers(1, 500), st.sampled_from(sorted(UNITS)))
moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.sampled_from([None, UTC]))


def split(validation, test):
    return Split.model_validate({"validation": validation, "test": test})


@given(lengths, lengths, moments)
def test_lengths_count_back_from_the_end_of_their_window(validation, test, as_of):
    (many, unit), (few, other) = validation, test
    windows = split(f"{many} {unit}s", f"{few}{other}").windows(as_of)
    assert windows.end == as_of
    assert windows.end - windows.test_start == few * UNITS[other]
    assert windows.test_start - windows.validation_start == many * UNITS[unit]


@given(moments, moments, moments)
def test_windows_are_in_order_or_refused(validation, test, as_of):
    try:
        windows = split(validation, test).windows(as_of)
    except SpecError:
        return
    assert windows.validation_start < windows.test_start < windows.end
    assert windows.validation_start.tzinfo is windows.test_start.tzinfo is as_of.tzinfo


def test_a_date_is_where_its_window_begins():
    windows = split("2013-10-01", "2013-11-15T12:00:00").windows(AS_OF)
    assert windows.validation_start == datetime(2013, 10, 1, tzinfo=UTC)
    assert windows.test_start == datetime(2013, 11, 15, 12, tzinfo=UTC)


def test_a_length_and_a_date_may_be_mixed():
    windows = split("2 weeks", "2013-11-15").windows(AS_OF.replace(tzinfo=None))
    assert windows.validation_start == datetime(2013, 11, 1)


def test_a_date_without_a_zone_is_in_utc():
    paris = timezone(timedelta(hours=1))
    windows = split("1 day", "2013-11-15").windows(datetime(2013, 12, 1, tzinfo=paris))
    assert windows.test_start == datetime(2013, 11, 15, tzinfo=UTC)
    assert split("1 day", "2013-11-15T01:00+01:00").windows(datetime(2013, 12, 1)).test_start == datetime(
        2013, 11, 15
    )


def test_a_date_object_is_as_good_as_its_text():
    assert split(date(2013, 10, 1), "30  Days") == split("2013-10-01", "30 days")


@pytest.mark.parametrize(
    "value",
    [
        "30",
        30,
        "0 days",
        "-3 days",
        "1.5 days",
        "2 moons",
        "1 month",
        "2013-13-01",
        "",
        None,
        True,
        "1 day ago",
    ],
)
def test_anything_else_is_refused_with_examples(value):
    with pytest.raises(
        ValueError, match=r"neither a length of time nor a date\. Give a length such as '30 days'"
    ):
        split("1 day", value)


@pytest.mark.parametrize(
    ("validation", "test", "window"),
    [
        ("1 day", "2013-12-01", "test"),
        ("1 day", "2014-01-01", "test"),
        ("2013-11-15", "2013-11-15", "validation"),
        ("2013-11-20", "30 days", "validation"),
        ("1 day", "999999 weeks", "test"),
    ],
)
def test_an_empty_window_is_refused_by_name(validation, test, window):
    with pytest.raises(SpecError, match=rf"^split\.{window}: .* the {window} window is empty"):
        split(validation, test).windows(AS_OF)
