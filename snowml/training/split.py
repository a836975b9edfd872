"""Splitting a training set by time, so that no split knows the labels of a later one."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from snowml.errors import DataError
from snowml.spec.split import Windows
from snowml.training.data import TrainingData

Mask = NDArray[np.bool_]


def split(data: TrainingData, windows: Windows) -> Mapping[str, Mask]:
    """Which rows are `train`, `validation` and `test`.

    A row belongs to the window its `as_of` falls in, if its label was known when that window ended. A row whose label
    arrived only later is in none: whoever trained at that moment could not have used it (the embargo).

    Raises:
        DataError: A split has no row.
    """
    bounds = [np.datetime64(at, "us") for at in (windows.validation_start, windows.test_start, windows.end)]
    validation_start, test_start, end = bounds
    starts = {"train": None, "validation": validation_start, "test": test_start}
    ends = {"train": validation_start, "validation": test_start, "test": end}
    masks = {}
    for name, start in starts.items():
        inside = data.as_of < ends[name]
        inside = inside if start is None else inside & (data.as_of >= start)
        masks[name] = inside & (data.label_at <= ends[name])
        if not masks[name].any():
            raise _empty(name, start, ends[name], int(inside.sum()))
    return masks


def _empty(name: str, start: np.datetime64 | None, end: np.datetime64, late: int) -> DataError:
    span = f"from {_shown(start)} to {_shown(end)}" if start is not None else f"before {_shown(end)}"
    if late:
        return DataError(
            f"The {name} split is empty: {late:,} rows have their as_of {span}, but each label became known only after "
            f"{_shown(end)}. Make the windows under split: longer than a label takes, or train as of another time."
        )
    return DataError(
        f"The {name} split is empty: no labelled row has its as_of {span}. "
        "Change split: in the specification, or train as of another time."
    )


def _shown(moment: np.datetime64) -> str:
    return f"{moment.astype(datetime):%Y-%m-%d %H:%M}"
