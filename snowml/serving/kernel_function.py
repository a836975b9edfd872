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


def load(artifact: bytes) -> Callable[..., pa.Array]:
    """The function of a compiled forest's bytes: one column for each input, in order; an answer for each row.

    That is a double; or, of a forest that answers for every class, a list of them.

    NaN is a missing value. NULL is one too, where the model takes every row; where it refuses some, NULL stands for
    such a one, as in the answer.

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
    refusing = _refuses(forest)

    def answer(*columns: Column) -> pa.Array:
        inputs = matrix(columns)
        if inputs.shape[1] == 0:
            return nothing
        refused = refused_by(forest, inputs) if refusing else None
        if refusing and any(column.null_count for column in columns):
            absent = np.logical_or.reduce([_nulls(column) for column in columns])
            refused = absent if refused is None else refused | absent
        return arrow(compute(inputs), refused)

    nothing = pa.array([], pa.list_(pa.float64()) if several else pa.float64())
    # Compiled now, under the caller's lock, and not by several threads in their first batch.
    answer(*[pa.array([0.0])] * forest.features)
    return answer


def matrix(columns: Sequence[Column]) -> Floats:
    """Columns of numbers as a matrix (columns, rows) of doubles, NULL as NaN."""
    filled = np.empty((len(columns), len(columns[0])))
    for row, column in zip(filled, columns, strict=True):
        doubles = column if column.type == pa.float64() else column.cast(pa.float64())
        row[:] = (
            doubles.to_numpy()
            if isinstance(doubles, pa.ChunkedArray)
            else doubles.to_numpy(zero_copy_only=False)
        )
    return filled


def _refuses(forest: Forest) -> bool:
    """Whether some number is refused; of a category's codes, none that SQL makes is."""
    numbers = forest.categories == 0
    return not forest.takes_missing or bool((forest.limits[numbers] < np.inf).any())


def _nulls(column: Column) -> npt.NDArray[np.bool_]:
    nulls = column.is_null()
    found: npt.NDArray[np.bool_] = (
        nulls.to_numpy() if isinstance(nulls, pa.ChunkedArray) else nulls.to_numpy(zero_copy_only=False)
    )
    return found
