"""What `--as-of` takes, and what it refuses."""

from datetime import datetime, timedelta

import pytest

from snowml.errors import UserError
from snowml.workflows.moment import before, moment


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("2013-10-01", datetime(2013, 10, 1)),
        ("2013-10-01T06:00", datetime(2013, 10, 1, 6)),
        ("2013-10-01 06:00:30", datetime(2013, 10, 1, 6, 0, 30)),
        ("2013-10-01T06:00Z", datetime(2013, 10, 1, 6)),
        ("2013-10-01T06:00+09:00", datetime(2013, 9, 30, 21)),
    ],
)
def test_a_moment_is_in_utc(given: str, meant: datetime) -> None:
    assert moment(given) == meant


@pytest.mark.parametrize(
    "given",
    [
        *("", "yesterday", "20131001", "2013-W40", "2013-10", "2013-10-32", "2013-10-01T25:00"),
        # In UTC these are before the first year, and after the last.
        *("0001-01-01T00:00+09:00", "9999-12-31T23:59:59-09:00"),
    ],
)
def test_what_is_no_moment_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(UserError, match=r"is no date or time\. Give one such as 2013-10-01"):
        moment(given)


@pytest.mark.parametrize("given", [[1], {"a": 1}, 3, True])
def test_a_var_that_is_no_moment_is_refused_in_the_same_sentence(given: object) -> None:
    with pytest.raises(UserError, match="is no date or time"):
        moment(given)


def test_a_window_cannot_begin_before_the_calendar() -> None:
    with pytest.raises(UserError, match="before the first day of the calendar"):
        before(datetime(1, 1, 2), timedelta(days=7))
