"""A compiled forest's bytes: the same forest back, and nothing but an error from any others."""

import json
import struct
from dataclasses import fields, replace

import numpy as np
import pytest
from forests import columns, random_forest, random_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from snowml.kernel import blob
from snowml.kernel.forest import MOST_CATEGORIES, Forest, MalformedForest
from snowml.kernel.scorer import Scorer

FOREST = random_forest(1, trees=3, leaves=9, features=3, category_sizes=(5,), outputs=2)
DATA = blob.dumps(FOREST)
START = len(blob.MAGIC) + 4
LENGTH = struct.unpack_from("<I", DATA, len(blob.MAGIC))[0]


def with_header(**changes):
    """The same arrays below another header."""
    header = json.loads(DATA[START : START + LENGTH]) | changes
    text = json.dumps({name: value for name, value in header.items() if value != "absent"}).encode()
    head = blob.MAGIC + struct.pack("<I", len(text)) + text
    return head + b"\0" * (-len(head) % 8) + DATA[START + LENGTH + -(START + LENGTH) % 8 :]


def changed(name, place, value):
    array = getattr(FOREST, name).copy()
    array[place] = value
    return {name: array}


@pytest.mark.parametrize("sums", [np.float64, np.float32])
def test_the_same_forest_comes_back(sums):
    forest = random_forest(2, trees=4, category_sizes=(40, 3), outputs=3, wide=True, sums=sums, single=True)
    found = blob.loads(blob.dumps(forest))
    for field in fields(Forest):
        one, other = getattr(forest, field.name), getattr(found, field.name)
        assert np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other
        assert not isinstance(one, np.ndarray) or one.dtype == other.dtype
    assert blob.dumps(found) == blob.dumps(forest)


def test_an_unchanged_header_would_pass():
    assert blob.dumps(blob.loads(with_header())) == DATA


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("features", 2, "feature is out of range"),
        ("features", 0, "0 features"),
        ("features", 10**9, "1000000000 features"),
        ("features", True, "'features' is True"),
        ("features", "absent", "keys of this format"),
        ("surprise", 1, "keys of this format"),
        ("link", "os.system", "no answer 0 by 'os.system'"),
        ("pick", -2, "no answer -2"),
        ("pick", 2, "no answer 2"),
        ("strict", 1, "'strict' is 1"),
        ("zero", float("nan"), "a limit is not a number"),
        ("factor", float("inf"), "a parameter is not a number"),
        ("rounding", "up", "read by 'up'"),
        ("sums", "<O8", "of no known type"),
        ("sums", "<f4", "its length is not the one"),
        ("width", 0, "of no known type"),
        ("width", 7, "no common width"),
        ("lengths", [], "arrays are not those"),
    ],
)
def test_a_changed_header_is_refused(name, value, says):
    with pytest.raises(MalformedForest, match=says):
        blob.loads(with_header(**{name: value}))


@pytest.mark.parametrize("length", [-1, 2**62, 1.0, None])
def test_a_changed_length_is_refused(length):
    lengths = json.loads(DATA[START : START + LENGTH])["lengths"] | {"roots": length}
    with pytest.raises(MalformedForest, match="length"):
        blob.loads(with_header(lengths=lengths))


INNER = int(np.flatnonzero(FOREST.feature >= 0)[0])
BY_SET = int(np.flatnonzero(FOREST.sets >= 0)[0])
BY_NUMBER = int(np.flatnonzero((FOREST.feature >= 0) & (FOREST.sets < 0))[0])
NODES = len(FOREST.feature)


@pytest.mark.parametrize(
    ("name", "place", "value", "says"),
    [
        ("left", INNER, NODES, "child is out of range"),
        ("left", INNER, -1, "child is out of range"),
        ("left", -1, NODES + 5, "a leaf has a child"),
        ("right", -1, 1, "a leaf has a child"),
        ("left", INNER, INNER, "child is out of range"),
        ("right", INNER, 2**31 - 1, "child is out of range"),
        ("left", INNER, int(FOREST.right[INNER]), "no parent, or two"),
        ("feature", INNER, 3, "feature is out of range"),
        ("feature", INNER, -1, "leaves|parent"),
        ("roots", 0, 1, "out of order"),
        ("roots", 1, 0, "out of order"),
        ("roots", -1, NODES + 5, "out of order"),
        ("output", 0, 2, "output is out of range"),
        ("output", 0, -1, "output is out of range"),
        ("sets", BY_SET, len(FOREST.words), "categories are out of range"),
        ("sets", BY_SET, 2**62, "categories are out of range"),
        ("sets", BY_SET, -1, "splits a number by category"),
        ("sets", BY_NUMBER, 0, "splits a number by category"),
        ("categories", 2, 0, "known categories"),
        ("categories", 2, MOST_CATEGORIES + 1, "more than 4096"),
        ("categories", 2, -5, "more than 4096"),
        ("categories", 0, 5, "known categories"),
        ("threshold", INNER, np.nan, "not a number"),
        ("limits", 0, np.nan, "limit is not a number"),
        ("values", 0, np.inf, "not a number"),
        ("base", 0, np.nan, "not a number"),
    ],
)
def test_an_index_or_a_number_out_of_range_is_refused(name, place, value, says):
    with pytest.raises(MalformedForest, match=says):
        replace(FOREST, **changed(name, place, value))


def test_a_child_in_another_tree_is_refused():
    last_of_first = int(FOREST.roots[1])
    node = int(np.flatnonzero(FOREST.feature[:last_of_first] >= 0)[-1])
    with pytest.raises(MalformedForest, match="child is out of range"):
        replace(FOREST, **changed("right", node, last_of_first))


@pytest.mark.parametrize(
    "data", [b"", blob.MAGIC, blob.MAGIC + b"\xff" * 4, b"PK\3\4" + DATA, DATA + b"\0" * 8]
)
def test_other_bytes_are_refused(data):
    with pytest.raises(MalformedForest, match=r"[Tt]rain the version again"):
        blob.loads(data)


def test_every_truncation_is_refused():
    for end in range(0, len(DATA), 7):
        with pytest.raises(MalformedForest):
            blob.loads(DATA[:end])


def test_a_deeply_nested_header_is_refused():
    text = b"[" * 100_000
    with pytest.raises(MalformedForest, match="no JSON"):
        blob.loads(blob.MAGIC + struct.pack("<I", len(text)) + text)


@settings(max_examples=300)
@given(st.integers(0, len(DATA) - 1), st.integers(1, 255), st.integers(0, 2**20))
def test_any_damage_is_an_error_or_another_forest(place, change, more):
    damaged = bytearray(DATA)
    damaged[place] ^= change
    damaged[more % len(damaged)] ^= change
    try:
        forest = blob.loads(bytes(damaged))
    except MalformedForest:
        return
    rows = columns(random_rows(forest, 20, 1))
    with np.errstate(all="ignore"):
        assert Scorer(forest).raw(rows).shape == (2, 20)
