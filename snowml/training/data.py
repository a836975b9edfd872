"""A training set out of the warehouse, in the memory layout that scikit-learn works on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from snowml.engines.base import Engine
from snowml.errors import DataError
from snowml.names import Dialect, Relation, quoted
from snowml.records import Feature, Task

Times = NDArray[np.datetime64]

# Gradients are float32, and errors are squared: beyond this a regression's label becomes an infinity in one of them.
LARGEST_LABEL: Final = 1e37


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Rows whose label was known at the training's as-of time, in the order of their key.

    Attributes:
        frame: The features, n rows: numbers as float64 (NaN: missing), categories as str (None: missing).
        label: n labels: float64 for regression, the warehouse's own values for classification.
        as_of: n moments of prediction, UTC.
        label_at: n moments when the label became known, UTC.
        fingerprint: sha256 of all of it; equal data in an equal order give the same.
    """

    frame: pd.DataFrame
    label: NDArray[np.generic]
    as_of: Times
    label_at: Times
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a training set by their role."""

    features: tuple[Feature, ...]
    entity: tuple[str, ...]
    as_of: str
    label: str
    label_at: str | None


def read(
    engine: Engine, relation: Relation, columns: Columns, *, task: Task, as_of: datetime
) -> TrainingData:
    """Read the rows of `relation` that a training as of `as_of` may know.

    Raises:
        DataError: There is no such row, or a label is infinite or, for a regression, too large.
    """
    sql = _query(engine.name, relation.within(engine.database), columns, task)
    table = _with_label(engine.query(sql, [as_of, as_of]))
    if table.num_rows == 0:
        raise DataError(
            f"{relation} has no row with a label known by {as_of:%Y-%m-%d %H:%M}. "
            "Build it further (dbt build), or train as of a later time (--as-of)."
        )
    frame = to_frame(table, columns.features)
    label = _labels(table["snowml_label"], relation, columns.label)
    if task == "regression":
        _check_size(label, relation, columns.label)
    times = [_times(table[name]) for name in ("snowml_as_of", "snowml_label_at")]
    return TrainingData(frame, label, times[0], times[1], _fingerprint(frame, label, *times))


def count_new(
    engine: Engine,
    relation: Relation,
    columns: Columns,
    *,
    task: Task,
    since: datetime,
    as_of: datetime,
) -> int:
    """How many rows a training as of `as_of` would read that one as of `since` could not, at most."""
    label_at = quoted(columns.label_at or columns.as_of, engine.name)
    found = engine.query(
        f"select count(*) as n from {relation.within(engine.database).sql(engine.name)} "
        f"where {_known(engine.name, columns, task)} and ({label_at} > ? or {quoted(columns.as_of, engine.name)} >= ?)",
        [as_of, as_of, since, since],
    )
    return int(found["n"][0].as_py())


def feature_columns(features: Sequence[Feature], dialect: Dialect) -> list[str]:
    """The select list of features: numbers as doubles, categories as text, under their own names."""
    types = {"number": "double", "category": "varchar"}
    return [
        f"cast({quoted(item.name, dialect)} as {types[item.kind]}) as {quoted(item.name, dialect)}"
        for item in features
    ]


def to_frame(table: pa.Table, features: Sequence[Feature]) -> pd.DataFrame:
    """The table's first columns as features: one column-major block of doubles, filled without a copy between.

    Columns go by position: an engine gives their names in lower case.
    """
    columns = {feature.name: table.column(i) for i, feature in enumerate(features)}
    numbers = [feature.name for feature in features if feature.kind == "number"]
    block = np.empty((table.num_rows, len(numbers)), dtype=np.float64, order="F")
    for position, name in enumerate(numbers):
        block[:, position] = pc.fill_null(columns[name], np.nan).to_numpy()
    categories = {
        feature.name: columns[feature.name].to_numpy() for feature in features if feature.kind == "category"
    }
    frame = pd.DataFrame(block, columns=numbers, copy=False)
    return frame.assign(**categories)[[feature.name for feature in features]] if categories else frame


def _query(dialect: Dialect, relation: Relation, columns: Columns, task: Task) -> str:
    as_of, label = quoted(columns.as_of, dialect), quoted(columns.label, dialect)
    label_at = quoted(columns.label_at, dialect) if columns.label_at else as_of
    answer = _answer(label, task)
    selected = [
        *feature_columns(columns.features, dialect),
        f"{answer} as snowml_label",
        f"cast({as_of} as timestamp) as snowml_as_of",
        f"cast({label_at} as timestamp) as snowml_label_at",
    ]
    key = ", ".join(quoted(name, dialect) for name in (*columns.entity, columns.as_of))
    return (
        f"select {', '.join(selected)} from {relation.sql(dialect)} "
        f"where {_known(dialect, columns, task)} order by {key}"
    )


def _known(dialect: Dialect, columns: Columns, task: Task) -> str:
    """Whether a row's label was known at a moment, which two `?` stand for."""
    as_of, label = quoted(columns.as_of, dialect), quoted(columns.label, dialect)
    label_at = quoted(columns.label_at, dialect) if columns.label_at else as_of
    return f"{_answer(label, task)} is not null and {as_of} < ? and {label_at} <= ?"


def _answer(label: str, task: Task) -> str:
    return f"nullif(cast({label} as double), cast('NaN' as double))" if task == "regression" else label


def _labels(column: pa.ChunkedArray, relation: Relation, name: str) -> NDArray[np.generic]:
    """Labels in NumPy's types: a warehouse may keep whole numbers as decimals, and text as an enumeration."""
    kind = column.type
    if pa.types.is_decimal(kind):
        column = column.cast(pa.float64() if kind.scale else pa.int64())
    elif pa.types.is_dictionary(kind):
        column = column.cast(pa.string())
    label: NDArray[np.generic] = column.to_numpy()
    if label.dtype.kind == "f" and np.isinf(label).any():
        raise DataError(f"{relation}: the label '{name}' is infinite in {int(np.isinf(label).sum()):,} rows.")
    return label


def _with_label(table: pa.Table) -> pa.Table:
    """The rows whose label is not NaN, which is missing as NULL is; which types have a NaN only the answer tells."""
    label = table["snowml_label"]
    return table.filter(pc.invert(pc.is_nan(label))) if pa.types.is_floating(label.type) else table


def _check_size(label: NDArray[np.generic], relation: Relation, name: str) -> None:
    sizes = np.abs(label.astype(np.float64))
    if (sizes > LARGEST_LABEL).any():
        raise DataError(
            f"{relation}: the label '{name}' is beyond {LARGEST_LABEL:.0e} in {int((sizes > LARGEST_LABEL).sum()):,} "
            f"rows (up to {sizes.max():.4g}), which no regression can be fitted to. Correct it, or use another unit."
        )


def _times(column: pa.ChunkedArray) -> Times:
    return column.cast(pa.timestamp("us")).to_numpy()  # type: ignore[no-any-return]


def _fingerprint(frame: pd.DataFrame, *arrays: NDArray[np.generic]) -> str:
    digest = hashlib.sha256()
    for name in frame.columns:
        digest.update(name.encode())
        _digest(digest, frame[name].to_numpy())
    for array in arrays:
        _digest(digest, array)
    return digest.hexdigest()


def _digest(digest: "hashlib._Hash", array: NDArray[np.generic]) -> None:
    if array.dtype == object:
        codes, values = pd.factorize(array, use_na_sentinel=True)
        digest.update("\x00".join(map(str, values)).encode())
        array = codes
    elif array.dtype == np.float64:
        # One bit pattern for every missing value, and for both zeros.
        doubles = array.astype(np.float64)
        array = np.where(np.isnan(doubles), np.nan, doubles + 0.0)
    digest.update(np.ascontiguousarray(array).tobytes())
