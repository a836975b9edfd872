"""Rows where they lie in memory: a struct of columns of doubles, as Arrow's C interface gives it away.

What is compiled reads them there. It takes the addresses of the array and of its schema, and no object of Arrow's, of
which there would be two for each column and batch.
"""

from typing import TypeAlias

import numpy as np

from snowml.kernel.forest import Array, Forest

# Where the array and its schema are.
Place: TypeAlias = tuple[int, int]
# The largest number of each column, and whether NULL, or NaN, is refused.
Rule: TypeAlias = tuple[Array, bool, bool]
# Which of `loops`' links, its parameter, and which of its answers.
Link: TypeAlias = tuple[int, float, int]


def rule_of(forest: Forest) -> Rule:
    """Which rows are refused."""
    limits = np.array(forest.limits) if forest.is_limited else np.full(forest.features, np.inf)
    return limits, forest.null_refused, not forest.takes_missing


def matrix_of(place: Place, rule: Rule, rows: int) -> tuple[Array, Array | None]:
    """A matrix (columns, rows), NULL as NaN, and which rows are refused; None where none is.

    Raises:
        ValueError: These are no doubles, or there are more or fewer columns.
    """
    from snowml.kernel import loops

    matrix, refused = np.empty((len(rule[0]), rows)), np.empty(rows, np.bool_)
    some = loops.read(place, rule, matrix, refused)
    return matrix, refusals(some, refused, len(rule[0]))


def refusals(some: int, refused: Array, columns: int) -> Array | None:
    """What `loops.read` answered: which rows are refused; None where none is.

    Raises:
        ValueError: It found no such columns.
    """
    if some < 0:
        raise ValueError(f"{columns} columns of doubles are needed.")
    return refused if some else None
