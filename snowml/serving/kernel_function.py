"""A compiled forest as a vectorised function: Arrow columns of doubles in, Arrow doubles, or lists of them, out.

This is the handler of a `VectorFunction` whose artifact is a `kernel.blob`. Its columns are the inputs of the final
estimator, which SQL has prepared: it needs neither scikit-learn nor what the model was trained with.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from snowml.errors import DataError
from snowml.kernel import blob
from snowml.kernel.forest import ALL, Forest, MalformedForest
from snowml.kernel.scorer import Scorer
from snowml.kernel.scorer import refused as refused_by
from snowml.serving.answers import arrow

# What this module and those of snowml that it needs import; without numba it answers the same, slower.
PACKAGES: Final = ("numba", "numpy", "pyarrow")

Column: TypeAlias = "pa.Array | pa.ChunkedArray"
Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Reader: TypeAlias = Callable[[Sequence[pa.Array]], tuple[Floats, "Flags | None"]]

_DOUBLE: Final = pa.float64()


def load(artifact: bytes) -> Callable[..., pa.Array]:
    """The function of a compiled forest's bytes: one column for each input, in order; an answer for each row.

    That is a double; or, of a forest that answers for every class, a list of them.

    NaN is a missing value. NULL is one too, where every row is taken; where the model or what prepares its inputs
    refuses some, NULL stands for such a one, as in the answer.

    Raises:
        DataError: The bytes are not a compiled forest, or a damaged one.
    """
    try:
        scorer = Scorer(blob.loads(artifact))
    except MalformedForest as wrong:
        raise DataError(str(wrong)) from wrong
    return over_columns(scorer.forest, scorer.predict, several=scorer.forest.pick == ALL)


def over_columns(
    forest: Forest, compute: Callable[[Floats], Any], *, several: bool
) -> Callable[..., pa.Array]:
    """What is computed of a matrix (columns, rows), as a function of columns, with NULL where the row is refused.

    It answers a double for each row, or a list of them where `several`.
    """
    read, features = _reader(forest), forest.features

    def answer(*columns: Column) -> pa.Array:
        if len(columns) != features:
            raise ValueError(f"{features} columns are needed, not {len(columns)}.")
        if len(columns[0]) == 0:
            return nothing
        inputs, refused = read([_doubles(column) for column in columns])
        return arrow(compute(inputs), refused)

    nothing = pa.array([], pa.list_(pa.float64()) if several else pa.float64())
    # Compiled now, under the caller's lock, and not by several threads in their first batch.
    answer(*[pa.array([0.0])] * forest.features)
    return answer


def _doubles(column: Column) -> pa.Array:
    """A column as one array of doubles."""
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return column if column.type == _DOUBLE else column.cast(_DOUBLE)


def _reader(forest: Forest) -> Reader:
    """What makes of columns a matrix (columns, rows), NULL as NaN, and which rows are refused; None where none."""
    limited = bool((forest.limits[forest.categories == 0] < np.inf).any())
    refusing = limited or forest.null_refused or not forest.takes_missing
    try:
        from snowml.kernel import loops
    except ImportError:
        return lambda columns: _read_by_numpy(forest, columns, refusing=refusing)
    # Of a category's codes, none that SQL makes is refused.
    limits = np.array(forest.limits) if limited else np.full(forest.features, np.inf)

    def read(columns: Sequence[pa.Array]) -> tuple[Floats, Flags | None]:
        filled, refused = np.empty((len(columns), len(columns[0]))), np.empty(len(columns[0]), np.bool_)
        places, nulls, nans = _places(columns), forest.null_refused, not forest.takes_missing
        some = loops.read(places, limits, nulls, nans, filled, refused)
        return filled, refused if some else None

    return read


def _places(columns: Sequence[pa.Array]) -> npt.NDArray[np.int64]:
    """For `loops.read`: where each column's doubles and bits begin in memory, and with which bit."""
    rows, places = len(columns[0]), []
    for column in columns:
        if len(column) != rows:
            raise ValueError(f"A column has {len(column)} rows, another {rows}.")
        valid, doubles = column.buffers()
        offset = column.offset
        places.append((doubles.address + 8 * offset, valid.address if valid is not None else 0, offset))
    return np.array(places, np.int64)


def _read_by_numpy(
    forest: Forest, columns: Sequence[pa.Array], *, refusing: bool
) -> tuple[Floats, Flags | None]:
    filled = np.stack([column.to_numpy(zero_copy_only=False) for column in columns])
    if not refusing:
        return filled, None
    refused = refused_by(forest, filled)
    if forest.null_refused and any(column.null_count for column in columns):
        absent = np.any([column.is_null().to_numpy(zero_copy_only=False) for column in columns], axis=0)
        refused = absent if refused is None else refused | absent
    return filled, refused
