"""A row's paths: the same compiled and in NumPy, the raw score together, and bytes that are checked."""

import numpy as np
import pytest
from forests import columns, edges, random_forest, random_rows

from snowml.kernel import paths
from snowml.kernel.forest import MalformedForest
from snowml.kernel.plain import Plain, as_compared

FORESTS = [
    {"trees": 7, "features": 5, "category_sizes": (3, 40)},
    {"trees": 3, "strict": True, "single": True, "category_sizes": (9,), "rounding": "floor"},
    {"trees": 3, "zero": 1e-35, "category_sizes": (9,), "rounding": "truncate"},
]


def followed(seed, **options):
    forest = random_forest(seed, **options)
    object.__setattr__(forest, "cover", np.random.default_rng(seed).random(len(forest.feature)))
    return paths.paths_of(forest, np.arange(forest.features), forest.features)


@pytest.mark.parametrize("options", FORESTS)
def test_they_add_up_to_the_raw_score_at_every_edge(options):
    found = followed(1, **options)
    matrix = columns(edges(found.forest, random_rows(found.forest, 200, 2)))
    made = found.contributions(matrix)
    np.testing.assert_allclose(made.sum(axis=1), Plain(found.forest).raw(matrix)[0], atol=1e-12)
    plain = np.zeros_like(made)
    plain[:, -1] = found.base
    found.follow(as_compared(found.forest, matrix), plain)
    assert (plain == made).all()


def test_a_feature_that_no_tree_tests_has_nothing():
    found = followed(3, trees=1, leaves=3, features=6)
    unused = sorted(set(range(6)) - set(found.forest.feature.tolist()))
    assert unused
    assert (found.contributions(columns(random_rows(found.forest, 50, 1)))[:, unused] == 0).all()


def test_its_bytes_are_the_same_again_and_damage_is_refused():
    found = followed(4, **FORESTS[0])
    data = paths.dumps(found)
    again = paths.loads(data)
    assert paths.dumps(again) == data
    matrix = columns(random_rows(found.forest, 50, 1))
    assert (again.contributions(matrix) == found.contributions(matrix)).all()
    for cut in (0, 10, 20, 40, 100, len(data) // 2, len(data) - 1):
        with pytest.raises(MalformedForest):
            paths.loads(data[:cut])
    with pytest.raises(MalformedForest, match="credit"):
        paths.loads(data.replace(found.group.astype("<i4").tobytes(), b"\x7f" * 4 * len(found.group), 1))
