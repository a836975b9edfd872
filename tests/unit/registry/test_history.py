"""What a model's events say about its versions."""

from datetime import datetime

import pytest

from snowml.records import VersionEvent
from snowml.registry.history import champions, statuses, withdrawn

AT = datetime(2024, 1, 1)


def events(story):
    """`1p 2p 1r`: version 1 promoted, version 2 promoted, rolled back to version 1."""
    words = {"g": "registered", "a": "approved", "x": "rejected", "p": "promoted", "r": "rolled_back"}
    return [VersionEvent("churn", int(one[:-1]), words[one[-1]], AT) for one in story.split()]


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("", []),
        ("1p", [1]),
        ("1p 2p", [1, 2]),
        ("1p 2p 1r", [1]),
        ("1p 2p 3p 1r", [1]),
        ("1p 2p 1r 3p", [1, 3]),
        ("1p 2p 1p 1r", [1]),
    ],
)
def test_champions_are_a_stack_that_a_roll_back_shortens(story, expected):
    assert champions(events(story)) == expected


@pytest.mark.parametrize(
    ("story", "expected"),
    [("1p 2p", set()), ("1p 2p 1r", {2}), ("1p 2p 1r 2p", set()), ("1p 2p 3p 1r", {2, 3})],
)
def test_a_version_rolled_back_from_is_withdrawn_until_it_is_promoted_again(story, expected):
    assert withdrawn(events(story)) == expected


def test_the_last_event_with_a_say_gives_the_status():
    assert statuses(events("1g 1a 2g 2x 3g 1p")) == {1: "approved", 2: "rejected", 3: "candidate"}
