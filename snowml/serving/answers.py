"""Answers as Arrow has them: a double for each row, or a list of doubles, one for each class."""

from typing import Any

import numpy as np
import pyarrow as pa


def arrow(answers: Any, refused: Any = None) -> pa.Array:
    """Answers, (rows,) or (rows, classes), as doubles or lists of them; NULL where a row is refused.

    Args:
        answers: NumPy doubles, in C order.
        refused: (rows,) which; None for none.
    """
    if answers.ndim == 1:
        return pa.array(answers, pa.float64(), mask=refused)
    rows, classes = answers.shape
    offsets = pa.array(np.arange(0, (rows + 1) * classes, classes, dtype=np.int32))
    mask = None if refused is None else pa.array(refused)
    return pa.ListArray.from_arrays(offsets, pa.array(answers.reshape(-1), pa.float64()), mask=mask)
