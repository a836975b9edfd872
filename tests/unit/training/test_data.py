import math
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from snowml.errors import DataError
from snowml.names import Relation, quoted
from snowml.records import Feature
from snowml.training.data import Columns, read

AS_OF = datetime(2013, 2, 1)
FEATURES = (
    Feature(name='Wind "Gust"', kind="number"),
    Feature(name="town", kind="category"),
    Feature(name="flag", kind="number"),
)
COLUMNS = Columns(FEATURES, ("id",), "as_of", "late", "known_at")
SET = Relation("main", "training_set")


def frame(rows=6):
    as_of = [AS_OF - timedelta(days=rows - i) for i in range(rows)]
    return pd.DataFrame(
        {
            "id": range(rows),
            "as_of": as_of,
            "known_at": [moment + timedelta(hours=1) for moment in as_of],
            'Wind "Gust"': [0.5, None, math.nan, -0.0, math.inf, 5e-324][:rows],
            "town": ["a", None, "it's", "", "a", "ł"][:rows],
            "flag": [True, False, None, True, False, True][:rows],
            "late": [True, False, True, False, True, False][:rows],
        }
    )


def ask(engine, task="classification", columns=COLUMNS, as_of=AS_OF):
    return read(engine, SET, columns, task=task, as_of=as_of)


def test_numbers_are_doubles_and_categories_text(engine, load):
    load("training_set", frame())
    found = ask(engine)
    assert found.frame.columns.tolist() == ['Wind "Gust"', "town", "flag"]
    np.testing.assert_array_equal(found.frame['Wind "Gust"'], [0.5, np.nan, np.nan, -0.0, np.inf, 5e-324])
    assert found.frame["town"].tolist() == ["a", None, "it's", "", "a", "ł"]
    np.testing.assert_array_equal(found.frame["flag"], [1.0, 0.0, np.nan, 1.0, 0.0, 1.0])
    assert found.label.tolist() == [True, False, True, False, True, False]
    assert found.as_of[0] == np.datetime64(AS_OF - timedelta(days=6))
    assert (found.label_at - found.as_of == np.timedelta64(1, "h")).all()


def test_only_what_was_known_by_then_is_read(engine, load):
    rows = frame()
    rows.loc[0, "known_at"] = AS_OF + timedelta(microseconds=1)
    rows.loc[1, "known_at"] = AS_OF
    rows.loc[2, "known_at"] = pd.NaT
    rows.loc[3, "as_of"] = AS_OF
    rows["late"] = rows["late"].astype(object)
    rows.loc[4, "late"] = None
    load("training_set", rows)
    engine.execute("alter table training_set alter late type boolean")
    assert len(ask(engine).label) == 2


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("kind", ["double", "float"])
def test_a_label_that_is_not_a_number_is_missing_as_null_is(engine, load, task, kind):
    load("training_set", frame().assign(late=[0.0, 1.0, math.nan, None, 1.0, 0.0]))
    engine.execute(f"alter table training_set alter late type {kind}")
    engine.execute("update training_set set late = 'nan'::double where id in (2, 3)")
    found = ask(engine, task)
    assert found.label.tolist() == [0.0, 1.0, 1.0, 0.0]
    assert len(found.frame) == len(found.as_of) == 4


def test_no_row_known_by_then_is_an_error(engine, load):
    load("training_set", frame())
    with pytest.raises(
        DataError, match=r"main\.training_set has no row with a label known by 2012-01-01 00:00"
    ):
        ask(engine, as_of=datetime(2012, 1, 1))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("boolean", [False, True]),
        ("tinyint", [0, 1]),
        ("hugeint", [0, 1]),
        ("decimal(38, 0)", [0, 1]),
        ("decimal(9, 1)", [0.0, 1.5]),
        ("varchar", ["it's", "no"]),
        ("enum('it''s', 'no')", ["it's", "no"]),
    ],
)
def test_labels_of_any_type_are_pythons_own(engine, load, kind, values):
    load("training_set", frame().assign(late=values * 3))
    engine.execute(f"alter table training_set alter late type {kind}")
    found = ask(engine).label
    assert found.tolist() == values * 3
    assert {type(value) for value in found.tolist()} == {type(values[0])}


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_a_label_that_is_nan_is_missing(engine, load, task):
    load("training_set", frame().assign(late=[0.0, math.nan, 1.0, None, 0.0, 1.0]))
    assert ask(engine, task).label.tolist() == [0.0, 1.0, 0.0, 1.0]


def test_an_infinite_label_is_named(engine, load):
    load("training_set", frame().assign(late=[0.0, math.inf, 1.0, -math.inf, 0.0, 1.0]))
    with pytest.raises(DataError, match="the label 'late' is infinite in 2 rows"):
        ask(engine, "regression")


def test_the_fingerprint_does_not_depend_on_the_physical_order(engine, load):
    load("training_set", frame())
    first = ask(engine).fingerprint
    load("training_set", frame().sample(frac=1, random_state=3))
    assert ask(engine).fingerprint == first
    assert len(first) == 64


CELLS = [
    ('Wind "Gust"', "0.25"),
    ('Wind "Gust"', "null"),
    ("town", "'b'"),
    ("town", "null"),
    ("town", "''"),
    ("flag", "false"),
    ("late", "false"),
    ("as_of", "as_of - interval 1 microsecond"),
    ("known_at", "known_at - interval 1 microsecond"),
]


@pytest.mark.parametrize(("column", "value"), CELLS)
def test_the_fingerprint_changes_with_any_cell(engine, load, column, value):
    load("training_set", frame())
    first = ask(engine).fingerprint
    engine.execute(f"update training_set set {quoted(column, engine.name)} = {value} where id = 0")
    assert ask(engine).fingerprint != first


def test_null_and_nan_and_both_zeros_have_one_fingerprint(engine, load):
    load("training_set", frame())
    first = ask(engine).fingerprint
    name = quoted('Wind "Gust"', engine.name)
    engine.execute(f"update training_set set {name} = 'nan'::double where id = 1")
    engine.execute(f"update training_set set {name} = 0.0 where id = 3")
    assert ask(engine).fingerprint == first
