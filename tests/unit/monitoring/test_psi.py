import math

import numpy as np
import pytest

from snowml.monitoring.psi import by_chance, psi


def test_by_hand():
    # (0.5-0.5)·0 + (0.2-0.3)·ln(2/3) + (0.3-0.2)·ln(3/2) = 0.2·ln(1.5)
    index = psi(np.array([0.5, 0.3, 0.2]), 1000, np.array([50, 20, 30]))
    assert index == pytest.approx(0.2 * math.log(1.5), rel=1e-12)


def test_an_empty_bin_is_taken_for_half_a_row_of_the_smaller_sample():
    index = psi(np.array([0.5, 0.5, 0.0]), 1000, np.array([100, 0, 0]))
    expected = 0.5 * math.log(2) + (0.5 - 0.005) * math.log(0.5 / 0.005)
    assert index == pytest.approx(expected, rel=1e-12)


def test_unchanged_shares_give_zero():
    assert psi(np.array([0.25, 0.75]), 8, np.array([1, 3])) == 0.0


def test_chance_is_the_quantile_of_chi_square():
    stats = pytest.importorskip("scipy.stats")
    for bins in (2, 3, 11, 22):
        exact = stats.chi2.ppf(1 - 1e-4, bins - 1) * (1 / 300 + 1 / 9000)
        assert by_chance(bins, 300, 9000) == pytest.approx(exact, rel=0.08 if bins <= 3 else 0.02)


@pytest.mark.parametrize("rows", [50, 200, 2000])
@pytest.mark.parametrize("shape", [np.full(10, 0.1), np.r_[0.9, np.full(20, 0.005)]], ids=["even", "rare"])
def test_samples_of_one_distribution_stay_below_chance(rows, shape):
    random, over, total = np.random.default_rng(7), 0, 0.0
    for _ in range(2000):
        trained = random.multinomial(20_000, shape)
        index = psi(trained / 20_000, 20_000, random.multinomial(rows, shape))
        over += index > by_chance(len(shape), rows, 20_000)
        total += index
    assert over <= 2
    assert total / 2000 < 2 * (len(shape) - 1) * (1 / rows + 1 / 20_000)
