"""The distribution of a column at training, frozen so that later windows can be counted against it in SQL."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snowml.errors import DataError
from snowml.records import Bin, FeatureKind

NUMBER_BINS = 10
CATEGORY_BINS = 20


def freeze(name: str, kind: FeatureKind, values: NDArray[Any]) -> tuple[Bin, ...]:
    """The bins of one column: a feature, a score or a prediction.

    Numbers fall into up to 10 bins of about equal counts, or one for each value where there are few.
    Categories are the 20 most frequent values (ties in order of the text) and all others. A column without
    any value has one bin.

    Args:
        name: The column's name.
        kind: `number`, or `category`.
        values: One dimension: doubles where NaN is missing, or objects where None and NaN are missing.

    Raises:
        DataError: There are no rows.
    """
    if not len(values):
        raise DataError(f"There are no rows to freeze the distribution of '{name}' from.")
    ranges = _numbers(values) if kind == "number" else _categories(values)
    present = sum(count for *_, count in ranges)
    return tuple(
        Bin(
            column_name=name,
            kind=kind,
            bin=index,
            lower=lower,
            upper=upper,
            category=category,
            share=count / present if present else 0.0,
            null_rate=(len(values) - present) / len(values),
            row_count=len(values),
        )
        for index, (lower, upper, category, count) in enumerate(ranges)
    )


_Range = tuple[float | None, float | None, str | None, int]


def _numbers(values: NDArray[Any]) -> list[_Range]:
    numbers = values.astype(np.float64)
    numbers = numbers[~np.isnan(numbers)]
    edges = _edges(*np.unique(numbers, return_counts=True))
    counts = np.bincount(np.searchsorted(edges, numbers, side="right"), minlength=len(edges) + 1)
    ends = zip([None, *edges], [*edges, None], strict=True)
    return [(lower, upper, None, int(count)) for (lower, upper), count in zip(ends, counts, strict=True)]


def _edges(distinct: NDArray[np.float64], counts: NDArray[np.int64]) -> list[float]:
    """Where bins start, the first excepted.

    A constant gets a bin of its own between two empty ones: in a single bin nothing could be seen to move.
    """
    if len(distinct) == 1:
        starts = [float(distinct[0]), math.nextafter(float(distinct[0]), math.inf)]
    elif len(distinct) <= NUMBER_BINS:
        starts = [float(value) for value in distinct[1:]]
    else:
        starts = [float(distinct[index]) for index in _equal_counts(counts)]
    return [start for start in starts if math.isfinite(start)]


def _equal_counts(counts: NDArray[np.int64]) -> list[int]:
    """The positions, among sorted distinct values, at which a new bin starts.

    Each bin takes its part of what is left, so that one very frequent value does not swallow all quantiles.
    """
    total = np.cumsum(counts)
    starts: list[int] = []
    done = 0
    for left in range(NUMBER_BINS, 1, -1):
        target = done + (int(total[-1]) - done) / left
        end = int(np.searchsorted(total, target)) + 1
        if end >= len(counts):
            break
        starts.append(end)
        done = int(total[end - 1])
    return starts


def _categories(values: NDArray[Any]) -> list[_Range]:
    counts = Counter(_text(value) for value in values[~pd.isna(values)])
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:CATEGORY_BINS]
    others = counts.total() - sum(count for _, count in frequent)
    return [*((None, None, text, count) for text, count in frequent), (None, None, None, others)]


def _text(value: object) -> str:
    """A category as both warehouses cast it to text."""
    return str(value).lower() if isinstance(value, bool | np.bool_) else str(value)


def in_order(bins: Sequence[Bin]) -> list[Bin]:
    """The bins of one column as they were frozen, whatever order a table gave them back in."""
    return sorted(bins, key=lambda one: one.bin)
