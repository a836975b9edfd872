"""A rule over one feature: its values in bins, and the mean label of each bin."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snowml.records import Feature

BINS = 64
# Rows at the overall mean that are added to each bin: enough that a bin of one row makes no bold claim.
SMOOTHING = 10.0

_Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rule:
    """A fitted rule.

    Attributes:
        feature: The column it reads.
        known: A number's bin edges, ascending; a category's values.
        means: The score of each bin; the last is for missing numbers, or for missing and unseen categories. Of more
            than two classes, (bins, classes) the share of each.
    """

    feature: Feature
    known: NDArray[np.float64] | pd.Index
    means: _Doubles

    def predict(self, frame: pd.DataFrame) -> _Doubles:
        """A score a row."""
        return self.means[_bins(frame, self.feature, self.known)]


def fit_rule(frame: pd.DataFrame, y: _Doubles, feature: Feature) -> Rule:
    """Bin a number by up to 64 quantiles, a category by value; each bin's mean leans to the overall one.

    Args:
        frame: The rows.
        y: (rows,) what is averaged; or (rows, classes).
        feature: The column.
    """
    known = _edges(frame, feature) if feature.kind == "number" else _categories(frame, feature)
    bins = _bins(frame, feature, known)
    size = len(known) + (2 if feature.kind == "number" else 1)
    counts = np.bincount(bins, minlength=size)
    means = [_leaning(bins, counts, column) for column in (y.T if y.ndim == 2 else [y])]
    return Rule(feature, known, np.stack(means, axis=1) if y.ndim == 2 else means[0])


def _leaning(bins: NDArray[np.int64], counts: NDArray[np.int64], y: _Doubles) -> _Doubles:
    totals = np.bincount(bins, weights=y, minlength=len(counts))
    means: _Doubles = (totals + SMOOTHING * float(np.mean(y))) / (counts + SMOOTHING)
    return means


def _edges(frame: pd.DataFrame, feature: Feature) -> _Doubles:
    numbers = _numbers(frame, feature)
    numbers = np.sort(numbers[~np.isnan(numbers)])
    if not len(numbers):
        return numbers
    return np.unique(numbers[np.arange(1, BINS) * len(numbers) // BINS])


def _categories(frame: pd.DataFrame, feature: Feature) -> pd.Index:
    values: pd.Index[Any] = pd.Index(frame[feature.name].astype(object).dropna().unique())
    return values


def _bins(frame: pd.DataFrame, feature: Feature, known: _Doubles | pd.Index) -> NDArray[np.int64]:
    if isinstance(known, pd.Index):
        found = known.get_indexer(pd.Index(frame[feature.name].astype(object)))
        return np.where(found < 0, len(known), found)
    numbers = _numbers(frame, feature)
    return np.where(np.isnan(numbers), len(known) + 1, np.searchsorted(known, numbers, side="right"))


def _numbers(frame: pd.DataFrame, feature: Feature) -> _Doubles:
    numbers: _Doubles = frame[feature.name].to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers
