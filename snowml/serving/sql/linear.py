"""Linear models: a weighted sum, and what is made of it.

A number is scaled as scikit-learn scales it, in that order: to fold means into the intercept would lose digits where a
mean is large beside its deviation, as in seconds since 1970. All columns that depend on one category are one term. What
differs from scikit-learn is the order of the sum: a few units in the last place of its largest term.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlglot import exp

from snowml.errors import DataError
from snowml.names import Dialect
from snowml.serving.sql.columns import MISSING, Choice, Key, Numeric
from snowml.serving.sql.expressions import balanced, double, multiply


def weighted(
    columns: Sequence[Numeric], weights: Sequence[float], intercept: float, dialect: Dialect
) -> exp.Expression:
    """The sum; the columns are finite or refused."""
    return balanced([double(intercept), *(term for _, term in terms(columns, weights, intercept, dialect))])


def terms(
    columns: Sequence[Numeric], weights: Sequence[float], intercept: float, dialect: Dialect
) -> list[tuple[Numeric, exp.Expression]]:
    """What is added to the intercept, with a column that each is made of."""
    if not np.isfinite(weights).all() or not math.isfinite(intercept):
        raise DataError("Training diverged: the model has weights that are not finite. Look at its inputs.")
    found: list[tuple[Numeric, exp.Expression]] = []
    choices: dict[Key, list[tuple[float, Choice]]] = {}
    for weight, column in zip(weights, columns, strict=True):
        if isinstance(column, Choice):
            choices.setdefault(column.key, []).append((weight, column))
        else:
            found.append((column, multiply(column.sql(dialect), double(weight))))
    merged = [_merged(key, members) for key, members in choices.items()]
    found += [(choice, choice.sql(dialect)) for choice in merged if _matters(choice, dialect)]
    return found


def _matters(choice: Choice, dialect: Dialect) -> bool:
    """Whether any of it is not zero, as after a lasso it may be."""
    return bool(choice.at) or choice.other != 0 or choice.refused(dialect) is not None


def _merged(key: Key, members: list[tuple[float, Choice]]) -> Choice:
    """The weighted sum of choices of one key, which is a choice."""
    weights = np.array([weight for weight, _ in members])
    others = np.array([_known(choice.other) for _, choice in members])
    other = _sum(weights, others)
    changed: dict[int, list[tuple[int, float | None]]] = {}
    for position, (_, choice) in enumerate(members):
        for branch, value in choice.at.items():
            changed.setdefault(branch, []).append((position, value))
    at: dict[int, float | None] = {}
    for branch, values in changed.items():
        row = others.copy()
        row[[position for position, _ in values]] = [_known(value) for _, value in values]
        at[branch] = _sum(weights, row)
    at = {branch: value for branch, value in at.items() if value != other}
    # In order, and the missing one first: two trainings of the same data write the same text.
    return Choice(key, dict(sorted(at.items(), key=lambda item: (item[0] != MISSING, item[0]))), other)


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _sum(weights: Any, values: Any) -> float | None:
    total = float(np.sum(weights * values))
    return None if math.isnan(total) else total
