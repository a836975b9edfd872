"""The compiled engines against the plain one, on forests that no library would grow."""

from dataclasses import replace

import numpy as np
import pytest
from forests import columns, edges, random_forest, random_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from snowml.kernel import encoding
from snowml.kernel.loops import BLOCK
from snowml.kernel.masks import Masks
from snowml.kernel.plain import Plain
from snowml.kernel.scorer import Scorer
from snowml.kernel.walk import Walk

shapes = st.fixed_dictionaries(
    {
        "trees": st.integers(1, 6),
        "leaves": st.sampled_from([1, 2, 8, 9, 33, 64]),
        "features": st.integers(3, 6),
        "category_sizes": st.sampled_from([(), (3,), (33, 1), (254,)]),
        "thresholds": st.sampled_from([1, 3, 50, 2000]),
        "strict": st.booleans(),
        "single": st.booleans(),
        "rounding": st.sampled_from(["exact", "truncate", "floor"]),
        "zero": st.sampled_from([-1.0, 1e-35]),
        "sums": st.sampled_from([np.float64, np.float32]),
    }
)
outputs = st.sampled_from([(1, False), (3, False), (3, True)])


def same(forest, rows, *engines):
    matrix = columns(rows)
    expected = Plain(forest).raw(matrix)
    for engine in engines:
        found = engine(forest).raw(matrix)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected, err_msg=engine.__name__)


@settings(max_examples=60)
@given(st.integers(0, 2**32), shapes, outputs)
def test_small_trees_score_alike_in_every_engine(seed, shape, wanted):
    forest = random_forest(seed, outputs=wanted[0], wide=wanted[1], **shape)
    assert Masks.takes(forest)
    same(forest, edges(forest, random_rows(forest, 40, seed), most=20), Masks, Walk)


@settings(max_examples=15)
@given(st.integers(0, 2**32), shapes, outputs)
def test_large_trees_score_alike(seed, shape, wanted):
    forest = random_forest(seed, outputs=wanted[0], wide=wanted[1], **shape | {"leaves": 500, "trees": 3})
    same(forest, edges(forest, random_rows(forest, 40, seed), most=20), Walk)


@pytest.mark.parametrize("count", [253, 254, 255, 508, 509, 1300])
def test_a_feature_may_have_more_thresholds_than_a_byte_has_values(count):
    forest = random_forest(3, trees=count // 10, leaves=60, features=1)
    inner = forest.feature >= 0
    threshold = np.zeros(len(inner))
    threshold[inner] = np.random.default_rng(1).permutation(np.arange(inner.sum()) % count * 0.01)
    made = replace(forest, threshold=threshold)
    assert len(np.unique(threshold[inner])) == count
    same(made, edges(made, random_rows(made, 100, 1), most=2000), Masks, Walk)


def test_a_feature_may_have_more_thresholds_than_two_bytes_have_values():
    forest = random_forest(1, trees=3, leaves=60_000, features=1, thresholds=10**6)
    assert len(np.unique(forest.threshold[forest.feature == 0])) > 2**16
    same(forest, edges(forest, random_rows(forest, 500, 1), most=300), Walk)


@pytest.mark.parametrize("rows", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 17])
def test_any_number_of_rows(rows):
    for leaves in (40, 200):
        forest = random_forest(5, leaves=leaves, category_sizes=(9,), outputs=2)
        same(forest, random_rows(forest, rows, 2), Walk, *([Masks] if leaves < 64 else []))


def test_more_categories_than_a_byte_has_values_are_walked():
    forest = random_forest(5, category_sizes=(300, 4000))
    assert not Masks.takes(forest)
    assert type(Scorer(forest)._engine) is Walk
    same(forest, edges(forest, random_rows(forest, 500, 2)), Walk)


def test_a_forest_with_more_lanes_than_codes_is_scored_all_the_same(monkeypatch):
    forest = random_forest(5, features=6)
    monkeypatch.setattr(encoding, "MOST_LANES", 5)
    scorer, rows = Scorer(forest), columns(random_rows(forest, 30, 1))
    assert type(scorer._engine) is Plain
    monkeypatch.undo()
    assert type(Scorer(forest)._engine) is Masks
    np.testing.assert_array_equal(scorer.raw(rows), Scorer(forest).raw(rows))


def test_clustered_and_extreme_thresholds_are_found():
    odd = [-np.inf, -1.7976931348623157e308, 0.0, 5e-324, 1.0, *np.nextafter(1.0, [0, 2]), 1.7e308, np.inf]
    for strict in (False, True):
        forest = random_forest(2, trees=20, leaves=30, features=2, strict=strict, thresholds=1)
        threshold = np.where(forest.feature >= 0, np.resize(odd, len(forest.feature)), 0.0)
        made = replace(forest, threshold=threshold)
        same(made, edges(made, random_rows(made, 50, 1)), Masks, Walk)


def test_the_edges_tell_strict_from_not_strict():
    forest = random_forest(2, trees=1, features=3)
    rows = columns(edges(forest, random_rows(forest, 50, 1)))
    flipped = replace(forest, strict=True)
    for engine in (Plain, Masks, Walk):
        assert (engine(forest).raw(rows) != engine(flipped).raw(rows)).any()


def test_a_matrix_of_another_shape_or_type_is_refused():
    scorer = Scorer(random_forest(1, features=4))
    for wrong in (np.zeros((3, 5)), np.zeros((4, 5), np.float32), np.zeros(4)):
        with pytest.raises(ValueError, match="matrix of 4 rows of doubles"):
            scorer.raw(wrong)


def test_the_matrix_is_not_written_to_and_may_lie_anyhow():
    forest = random_forest(1, features=4, single=True, zero=1e-35)
    rows = random_rows(forest, 300, 1)
    scorer = Scorer(forest)
    expected = scorer.raw(columns(rows))
    frozen = np.asfortranarray(rows.T)
    frozen.setflags(write=False)
    np.testing.assert_array_equal(scorer.raw(frozen), expected)
    np.testing.assert_array_equal(scorer.raw(columns(rows.repeat(2, axis=0))[:, ::2]), expected)
