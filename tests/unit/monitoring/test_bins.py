import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowml.errors import DataError
from snowml.monitoring.bins import freeze

NUMBERS = st.lists(st.floats() | st.sampled_from([0.0, 1.0, math.nan]), min_size=1, max_size=60)


def _numbers(values):
    return freeze("x", "number", np.array(values, dtype=np.float64))


@given(NUMBERS)
def test_bins_partition_the_numbers(values):
    bins = _numbers(values)
    present = [value for value in values if not math.isnan(value)]
    assert bins[0].lower is None
    assert bins[-1].upper is None
    assert all(a.upper == b.lower for a, b in pairwise(bins))
    edges = [one.upper for one in bins[:-1]]
    assert edges == sorted(set(edges))
    for one in bins:
        inside = [
            x
            for x in present
            if (one.lower is None or x >= one.lower) and (one.upper is None or x < one.upper)
        ]
        assert one.share == (len(inside) / len(present) if present else 0.0)
    assert bins[0].null_rate == (len(values) - len(present)) / len(values)
    assert bins[0].row_count == len(values)
    assert len(bins) <= 10


def test_quantile_bins_have_equal_shares():
    shares = [one.share for one in _numbers(np.random.default_rng(0).normal(size=10_000))]
    assert shares == pytest.approx([0.1] * 10)


def test_few_values_have_a_bin_each():
    bins = _numbers([3, 1, 1, 2, math.nan])
    assert [(one.lower, one.upper, one.share) for one in bins] == [
        (None, 2, 0.5),
        (2, 3, 0.25),
        (3, None, 0.25),
    ]
    assert bins[0].null_rate == 0.2


def test_a_frequent_value_leaves_bins_for_the_others():
    bins = _numbers(np.concatenate([np.zeros(950), np.arange(1, 51)]))
    assert len(bins) == 10
    assert [one.share for one in bins[:1]] == [0.95]


def test_a_constant_has_a_bin_of_its_own():
    assert [one.share for one in _numbers([5.0, 5.0])] == [0.0, 1.0, 0.0]


@pytest.mark.parametrize(("kind", "values"), [("number", [math.nan] * 3), ("category", [None] * 3)])
def test_a_column_without_values(kind, values):
    (only,) = freeze("x", kind, np.array(values, dtype=object if kind == "category" else float))
    assert (only.share, only.null_rate, only.row_count) == (0.0, 1.0, 3)


def test_the_most_frequent_categories_and_all_others():
    values = [f"v{i:02}" for i in range(30) for _ in range(100 - i)] + [None, math.nan]
    bins = freeze("x", "category", np.array(values, dtype=object))
    assert [one.category for one in bins] == [f"v{i:02}" for i in range(20)] + [None]
    assert sum(one.share for one in bins) == pytest.approx(1)
    assert bins[-1].share == sum(100 - i for i in range(20, 30)) / (len(values) - 2)


def test_booleans_are_the_text_the_warehouse_casts_them_to():
    assert [one.category for one in freeze("x", "category", np.array([True, True, False]))] == [
        "true",
        "false",
        None,
    ]


def test_arrays_of_text_are_categories():
    assert [one.category for one in freeze("x", "category", np.array(["b", "a"]))] == ["a", "b", None]


def test_no_rows_are_an_error():
    with pytest.raises(DataError, match="no rows"):
        freeze("x", "number", np.array([]))
