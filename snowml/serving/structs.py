"""The one argument of a vector function: its columns as a struct."""

from collections.abc import Sequence

import pyarrow as pa


def struct_of(columns: Sequence[pa.Array]) -> pa.StructArray:
    """Columns, in order, as the struct that a handler's function takes."""
    return pa.StructArray.from_arrays(columns, [f"x{i}" for i in range(len(columns))])
