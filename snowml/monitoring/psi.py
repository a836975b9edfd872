"""The population stability index, and how large it becomes by chance."""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

# One column in ten thousand is called drifted by chance alone: many columns are looked at, every day.
_FALSE_ALARM = 1e-4


def psi(baseline: NDArray[np.float64], baseline_rows: int, counts: NDArray[np.int64]) -> float:
    """`sum((a - b) * ln(a / b))` over the bins, a being a bin's share now and b its share at training.

    Shares below half a row of the smaller sample are raised to that, so that an empty bin gives no
    infinity; a bin that is empty on both sides says nothing. Source: Siddiqi, Credit Risk Scorecards
    (2006): below 0.1 little has changed, above 0.25 much has.

    Args:
        baseline: A share for each bin, the missing rows being one bin; their sum is 1.
        baseline_rows: How many rows those shares are from.
        counts: The rows now in each of the same bins; at least one row.
    """
    rows = int(counts.sum())
    known = (baseline > 0) | (counts > 0)
    floor = 0.5 / min(rows, baseline_rows)
    before = np.maximum(baseline[known], floor)
    now = np.maximum(counts[known] / rows, floor)
    return float(np.sum((now - before) * np.log(now / before)))


def by_chance(bins: int, rows: int, baseline_rows: int) -> float:
    """What the index of two samples of one distribution stays below, but for about one time in ten thousand.

    Without any drift it is about `(1/n + 1/m)` times a chi-square of `bins - 1` degrees, so its mean is
    `(bins - 1) * (1/n + 1/m)`. Source: Yurdakul (2018), Statistical Properties of Population Stability
    Index. The quantile is Wilson and Hilferty's (1931), within 8 % for three bins or fewer, 2 % for more. The
    chi-square is the limit for many rows: of simulated windows of 100 rows in 10 even bins, 9 in ten thousand
    exceed it.
    """
    degrees = max(bins - 1, 1)
    spread = 2 / (9 * degrees)
    quantile = degrees * (1 - spread + NormalDist().inv_cdf(1 - _FALSE_ALARM) * math.sqrt(spread)) ** 3
    return quantile * (1 / rows + 1 / baseline_rows)
