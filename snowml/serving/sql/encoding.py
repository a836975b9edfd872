"""Encoders of categories, asked rather than read: each known value, an unseen and a missing one is put to them."""

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.preprocessing import OneHotEncoder

from snowml.serving.sql.columns import MISSING, Choice, Column, Text
from snowml.serving.sql.expressions import Unsupported
from snowml.serving.sql.keys import Category, Values

# No category of a model, as in `serving.inputs`: what an encoder makes of it, it makes of any unseen value.
UNSEEN: Final = "\N{REPLACEMENT CHARACTER} unseen"


def encoded(step: Any, columns: Sequence[Column]) -> list[Column]:
    """What a OneHotEncoder or an OrdinalEncoder makes of each column."""
    made: list[Column] = []
    first = 0
    for i, column in enumerate(columns):
        width = _width(step, i)
        made += _encoded_column(step, i, column, slice(first, first + width))
        first += width
    return made


def _encoded_column(step: Any, i: int, column: Column, outputs: slice) -> list[Column]:
    known = step.categories_[i].tolist()
    if isinstance(column, Text):
        texts = tuple(value for value in known if isinstance(value, str))
        unseen = UNSEEN if UNSEEN not in texts else _other_than(texts)
        rows = _ask(step, i, [*texts, column.missing, unseen], outputs)
        return _choices(Category(column.name, texts), rows)
    if isinstance(column, Choice):
        return _encoded_choice(step, i, column.finite(missing=True), outputs)
    number = column.finite(missing=True)
    values = tuple(float(value) for value in known if not math.isnan(value))
    if any(abs(value) >= 2.0**53 for value in values):
        raise Unsupported("an encoder of numbers beyond 2^53 is not written as SQL")
    unseen_number = max([abs(value) for value in values], default=0.0) * 2 + 1
    rows = _ask(step, i, [*values, math.nan, unseen_number], outputs)
    return _choices(Values(number, values), rows)


def _encoded_choice(step: Any, i: int, column: Choice, outputs: slice) -> list[Column]:
    """A choice encoded again, as HistGradientBoosting does with the codes of its native categories."""
    given = [column.other, *column.at.values()]
    rows = _ask(step, i, [math.nan if value is None else value for value in given], outputs)
    width = next((len(row) for row in rows if row is not None), outputs.stop - outputs.start)
    made: list[Column] = []
    for output in range(width):
        values = [
            None if value is None or row is None else float(row[output])
            for value, row in zip(given, rows, strict=True)
        ]
        made.append(Choice(column.key, dict(zip(column.at, values[1:], strict=True)), values[0]))
    return made


def _choices(key: Category | Values, rows: list[Any]) -> list[Column]:
    """A choice for each output; the last two rows are of a missing and of an unseen value, None is refused."""
    *listed, missing, unseen = rows
    width = next(len(row) for row in rows if row is not None)
    if width == 0 and any(row is None for row in rows):
        raise Unsupported("an encoder that drops all its columns is not written as SQL")
    others: list[float | None] = [None] * width if unseen is None else unseen.tolist()
    at: list[dict[int, float | None]] = [{} for _ in range(width)]
    for branch, row in [*enumerate(listed), (MISSING, missing)]:
        if row is None:
            for column in at:
                column[branch] = None
        else:
            for output in _differing(row, others):
                at[output][branch] = float(row[output])
    return [Choice(key, values, other) for values, other in zip(at, others, strict=True)]


def _differing(row: Any, others: list[float | None]) -> list[int]:
    if None in others:
        return list(range(len(others)))
    unseen = np.array(others, dtype=np.float64)
    found = np.flatnonzero(~((row == unseen) | (np.isnan(row) & np.isnan(unseen))))
    positions: list[int] = found.tolist()
    return positions


def _ask(step: Any, i: int, values: list[Any], outputs: slice) -> list[Any]:
    """What the encoder answers for each value of the column `i`; None where it refuses."""
    rows = _frame(step, i, values)
    with suppress(ValueError):
        return list(_transform(step, rows)[:, outputs])
    found: list[Any] = []
    for row in range(len(values)):
        try:
            found.append(_transform(step, rows.iloc[[row]])[0, outputs])
        except ValueError:
            found.append(None)
    return found


def _frame(step: Any, i: int, values: list[Any]) -> pd.DataFrame:
    """A row for each value, in which the other columns have their first category."""
    names = getattr(step, "feature_names_in_", range(step.n_features_in_))
    columns = {}
    for j, (name, known) in enumerate(zip(names, step.categories_, strict=True)):
        column = values if j == i else [known[0]] * len(values)
        columns[name] = np.array(column, dtype=known.dtype if known.dtype.kind == "f" else object)
    return pd.DataFrame(columns)


def _transform(step: Any, rows: pd.DataFrame) -> Any:
    given = rows if hasattr(step, "feature_names_in_") else rows.to_numpy()
    made = step.transform(given)
    return np.asarray(made.toarray() if hasattr(made, "toarray") else made, dtype=np.float64)


def _width(step: Any, i: int) -> int:
    if not isinstance(step, OneHotEncoder):
        return 1
    rare = getattr(step, "infrequent_categories_", None)
    grouped = 0 if rare is None or rare[i] is None else len(rare[i]) - 1
    dropped = step.drop_idx_ is not None and step.drop_idx_[i] is not None
    return len(step.categories_[i]) - grouped - int(dropped)


def _other_than(texts: Sequence[str]) -> str:
    return max(texts, key=len) + "?"
