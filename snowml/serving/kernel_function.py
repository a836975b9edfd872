"""A compiled forest as a vectorised function: an Arrow struct of doubles in, Arrow doubles, or lists of them, out.

This is the handler of a `VectorFunction` whose artifact is a `kernel.blob`. Its columns are the inputs of the final
estimator, which SQL has prepared: it needs neither scikit-learn nor what the model was trained with.

A struct and not columns, since DuckDB calls it once for 2,048 rows, with the interpreter's lock held: to make objects
of 26 columns takes a third as long as to score them, and meanwhile no other thread comes to its turn.
"""

import ctypes
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from snowml.errors import DataError
from snowml.kernel import blob
from snowml.kernel.forest import ALL, Forest, MalformedForest
from snowml.kernel.rows import Place, matrix_of, rule_of
from snowml.kernel.scorer import Scorer
from snowml.kernel.scorer import refused as refused_by
from snowml.serving.answers import arrow
from snowml.serving.structs import struct_of

# What this module and those of snowml that it needs import; without numba it answers the same, slower.
PACKAGES: Final = ("numba", "numpy", "pyarrow")

Function: TypeAlias = Callable[[pa.StructArray], pa.Array]
Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_address: Final = ctypes.pythonapi.PyCapsule_GetPointer
_address.restype, _address.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


def load(artifact: bytes) -> Function:
    """The function of a compiled forest's bytes: a struct of its inputs, in order; an answer for each row.

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
    return over_rows(scorer.forest, scorer.predict, scorer.at, several=scorer.forest.pick == ALL)


def over_rows(
    forest: Forest,
    compute: Callable[[Floats], Any],
    at: Callable[[Place, int], tuple[Any, Flags | None]] | None = None,
    *,
    several: bool,
) -> Function:
    """What is computed of a forest's inputs, as a function of a struct of them, with NULL where the row is refused.

    Args:
        forest: The forest.
        compute: The answers to a matrix (columns, rows): a double for each row, or a list of them where `several`.
        at: The same of rows where they lie, and which are refused, where one compiled call can do both.
        several: Whether there are several.
    """
    is_compiled, rule = _is_compiled(), rule_of(forest)

    def by_matrix(place: Place, rows: int) -> tuple[Any, Flags | None]:
        matrix, refused = matrix_of(place, rule, rows)
        return compute(matrix), refused

    answer_at = at or by_matrix

    def answer(rows: pa.StructArray) -> pa.Array:
        if len(rows) == 0:
            return nothing
        if not is_compiled:
            matrix, refused = _matrix(forest, rows)
            return arrow(compute(matrix), refused)
        # They are given back when the capsules go.
        schema, array = rows.__arrow_c_array__()
        place = (_address(array, b"arrow_array"), _address(schema, b"arrow_schema"))
        return arrow(*answer_at(place, len(rows)))

    nothing = pa.array([], pa.list_(pa.float64()) if several else pa.float64())
    # Compiled now, under the caller's lock, and not by several threads in their first batch.
    answer(struct_of([pa.array([0.0])] * forest.features))
    return answer


def _is_compiled() -> bool:
    try:
        from snowml.kernel import loops  # noqa: F401
    except ImportError:
        return False
    return True


def _matrix(forest: Forest, rows: pa.StructArray) -> tuple[Floats, Flags | None]:
    """What `kernel.rows.matrix_of` makes, by NumPy."""
    columns = rows.flatten()
    if [column.type for column in columns] != [pa.float64()] * forest.features:
        raise ValueError(f"{forest.features} columns of doubles are needed.")
    matrix = np.stack([column.to_numpy(zero_copy_only=False) for column in columns])
    refused = refused_by(forest, matrix)
    if forest.null_refused and any(column.null_count for column in columns):
        absent = np.any([column.is_null().to_numpy(zero_copy_only=False) for column in columns], axis=0)
        refused = absent if refused is None else refused | absent
    return matrix, refused
