from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from snowml.errors import DataError
from snowml.spec.split import Windows
from snowml.training.data import TrainingData
from snowml.training.split import split

START = datetime(2013, 1, 1)
WINDOWS = Windows(*(START + timedelta(hours=hours) for hours in (40, 60, 80)))
# A moment and how long after it the label became known, in hours; the windows' bounds are among them.
ROWS = st.lists(st.tuples(st.integers(0, 85), st.integers(0, 30)), min_size=5, max_size=60)


def data(rows):
    as_of = np.array([np.datetime64(START, "us") + np.timedelta64(at, "h") for at, _ in rows])
    delay = np.array([np.timedelta64(after, "h") for _, after in rows])
    return TrainingData(pd.DataFrame(), np.zeros(len(rows)), as_of, as_of + delay, "")


def divided(rows):
    try:
        return split(data(rows), WINDOWS)
    except DataError:
        return None


@given(ROWS)
def test_no_split_knows_a_label_of_a_later_one(rows):
    masks = divided(rows)
    assume(masks)
    found = data(rows)
    train, validation, test = masks["train"], masks["validation"], masks["test"]
    assert not (train & validation).any()
    assert not ((train | validation) & test).any()
    starts = [np.datetime64(at, "us") for at in (WINDOWS.validation_start, WINDOWS.test_start, WINDOWS.end)]
    for mask, end in zip((train, validation, test), starts, strict=True):
        assert (found.as_of[mask] < end).all()
        assert (found.label_at[mask] <= end).all()
    assert (found.as_of[validation] >= starts[0]).all()
    assert (found.as_of[test] >= starts[1]).all()


@given(ROWS)
def test_only_rows_whose_label_came_too_late_are_left_out(rows):
    masks = divided(rows)
    assume(masks)
    left = ~np.logical_or.reduce(list(masks.values()))
    for at, after in np.array(rows)[left]:
        end = next((end for end in (40, 60, 80) if at < end), None)
        assert end is None or at + after > end


@pytest.mark.parametrize(
    ("rows", "name"),
    [([(45, 1), (65, 1)], "train"), ([(1, 1), (65, 1)], "validation"), ([(1, 1), (45, 1), (65, 20)], "test")],
)
def test_an_empty_split_is_named(rows, name):
    with pytest.raises(DataError, match=f"The {name} split is empty"):
        split(data(rows), WINDOWS)


def test_a_split_whose_labels_all_came_too_late_says_how_many_and_what_to_do():
    with pytest.raises(DataError, match=r"2 rows have their as_of from .* the windows under split: longer"):
        split(data([(1, 1), (45, 30), (46, 30), (65, 1)]), WINDOWS)
