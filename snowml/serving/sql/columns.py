"""What flows through a pipeline: a column as far as it is known before a row is seen.

A `Number` is a parameter, or what is computed of one, on which growing functions were applied; a `Choice` takes one of
finitely many values, by a category or a bin; a `Text` is a category that no encoder has met yet.

In SQL, NaN is a missing value and NULL a row that scikit-learn refuses, from which no answer but NULL can come. A
parameter alone, being the caller's, may also be NULL for missing; that is what `raw` says.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np
from sqlglot import exp

from snowml.names import Dialect
from snowml.serving.sql import doubles
from snowml.serving.sql.doubles import LARGEST, Doubles
from snowml.serving.sql.expressions import (
    Unsupported,
    both,
    case,
    double,
    either,
    is_nan,
    is_null,
    not_nan,
    parameter,
)

MISSING: Final = -1
"""The branch of a key for a missing value; those of listed ones are 0, 1, …"""


@dataclass(frozen=True, slots=True)
class Op:
    """A function of one number: as NumPy computes it, and as SQL says it.

    Attributes:
        value: The one. It maps NaN to NaN.
        sql: The other.
        grows: Whether it never falls, where it is defined, and is defined on one interval.
    """

    value: Callable[[Doubles], Doubles]
    sql: Callable[[exp.Expression, Dialect], exp.Expression]
    grows: bool = True


class Source(Protocol):
    """Something that SQL computes a double of."""

    @property
    def raw(self) -> bool:
        """Whether NULL, too, is a missing value in it."""

    def sql(self, dialect: Dialect) -> exp.Expression:
        """The double."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A numeric parameter of the function."""

    name: str
    raw: bool = True

    def sql(self, dialect: Dialect) -> exp.Expression:
        """The parameter as a double."""
        return parameter(self.name, dialect, "double")


@dataclass(frozen=True, slots=True)
class Computed:
    """What SQL computes of other columns."""

    of: "tuple[Number | Choice, ...]"
    how: Callable[[list[exp.Expression], Dialect], exp.Expression]
    raw: bool = False
    # How many of them, from the first on, its value is made of, where the others can only refuse a row.
    valued: int | None = None

    def sql(self, dialect: Dialect) -> exp.Expression:
        """The computation."""
        return self.how([column.sql(dialect) for column in self.of], dialect)


@dataclass(frozen=True, slots=True)
class Split:
    """A test in a tree: where `condition` is true the row goes left, or right where `left` is false."""

    condition: exp.Expression | None
    left: bool


@dataclass(frozen=True, slots=True)
class Number:
    """A column of numbers: a source, then growing functions.

    Attributes:
        source: What the functions are applied to.
        steps: The functions, in order.
        low: The row is refused where the source is below it.
        high: The row is refused where the source is above it.
        fill: What stands for a missing source: NaN while it stays missing, None where the row is refused for it.
    """

    source: "Source | Number | Choice"
    steps: tuple[Op, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    fill: float | None = math.nan
    raw: bool = False

    def sql(self, dialect: Dialect) -> exp.Expression:
        """The number; NaN is missing, NULL refused."""
        value = self._accepted(dialect)
        for step in self.steps:
            value = step.sql(value, dialect)
        return value

    @property
    def untouched(self) -> bool:
        """Whether it is a source as it came."""
        return not self.steps and not self._bounded and self._kept

    def apply(self, op: Op) -> "Number":
        """A function of it."""
        if op.grows:
            return replace(self, steps=(*self.steps, op))
        return Number(Computed((self,), lambda values, dialect: op.sql(values[0], dialect)))

    def finite(self, *, missing: bool, largest: float = LARGEST) -> "Number":
        """The same where it is no larger than `largest`; elsewhere, and without `missing` where it is missing, refused.

        The check is made on the source, of which a comparison is short, and not on what is computed of it: the last
        source whose result is finite is looked for among all doubles.
        """

        def holds(source: float) -> bool:
            return bool(abs(self._value(source)) <= largest)

        fill = self.fill
        if fill is not None and not holds(fill) and not (missing and math.isnan(self._value(fill))):
            fill = None
        if holds(self.low) and holds(self.high):
            return replace(self, fill=fill)
        undefined = math.isnan(self._value(self.low)) or math.isnan(self._value(self.high))
        inside = next((point for point in self._points() if holds(point)), None)
        if inside is None or (undefined and missing):
            return Number(self, low=-largest, high=largest, fill=math.nan if missing else None)
        low = self.low if holds(self.low) else doubles.last(holds, inside, self.low)
        high = self.high if holds(self.high) else doubles.last(holds, inside, self.high)
        return replace(self, low=low, high=high, fill=fill)

    def imputed(self, value: float) -> "Number":
        """The same with `value` where it is missing; it must have been found `finite`, or missing."""
        if not self.steps and self._kept:
            return replace(self, fill=value)
        settled = self.fill is None or not math.isnan(self._value(self.fill))
        return self if settled and self._always_defined else Number(self, fill=value)

    def refused(self, dialect: Dialect) -> exp.Expression | None:
        """Where the row is refused, as a condition that may be NULL for no; None where it never is."""
        source = self.source.sql(dialect)
        if not self.source.raw:
            # Nothing short can be said of what is computed: it is NULL where it is refused.
            return is_null(self.sql(dialect))
        if not self._bounded:
            return None if self.fill is not None else either([is_null(source), is_nan(source)])
        if self.fill is None:
            outside = exp.Not(this=exp.Paren(this=self._within(dialect)))
            return either([is_null(source), outside])
        beyond = self._outside(dialect)
        return both(beyond, not_nan(source)) if beyond is not None else None

    def split(self, threshold: float, *, missing_left: bool, narrow: bool, dialect: Dialect) -> Split:
        """Whether it is at most `threshold`, after rounding to float32 where `narrow`; refused rows may go anywhere.

        The threshold is carried back to the source, where the comparison is exact.
        """

        def holds(source: float) -> bool:
            value = self._value(source)
            return (float(np.float32(value)) if narrow else value) <= threshold

        if not self._always_defined:
            return Number(self).split(threshold, missing_left=missing_left, narrow=narrow, dialect=dialect)
        with np.errstate(over="ignore"):
            left = missing_left
            if self.fill is None:
                left = False
            elif not math.isnan(self._value(self.fill)):
                left = holds(self.fill)
            if holds(self.high):
                return self._whether_missing(left, present=True, dialect=dialect)
            if not holds(self.low):
                return self._whether_missing(left, present=False, dialect=dialect)
            mark = doubles.last(holds, self.low, self.high)
        source = self.source.sql(dialect)
        if not left:
            return Split(exp.LTE(this=paren_of(source), expression=double(mark)), left=True)
        above = exp.GT(this=paren_of(source), expression=double(mark))
        return Split(both(above, not_nan(self.source.sql(dialect))), left=False)

    def bin_tests(self, edges: Iterable[float], dialect: Dialect) -> list[exp.Expression | bool]:
        """For each edge, whether a number that is there is below it; a bool where that is known."""
        tests: list[exp.Expression | bool] = []
        for edge in edges:

            def holds(source: float, edge: float = edge) -> bool:
                return bool(self._value(source) < edge)

            if holds(self.high) or not holds(self.low):
                tests.append(holds(self.high))
                continue
            mark = doubles.last(holds, self.low, self.high)
            tests.append(exp.LTE(this=paren_of(self.source.sql(dialect)), expression=double(mark)))
        return tests

    def missing_value(self) -> float | None:
        """What a missing source becomes; None where it is refused."""
        return None if self.fill is None else self._value(self.fill)

    def is_missing(self, dialect: Dialect) -> exp.Expression:
        """Whether the source is missing."""
        tests = [is_nan(self.source.sql(dialect))]
        return either([is_null(self.source.sql(dialect)), *tests] if self.source.raw else tests)

    @property
    def _bounded(self) -> bool:
        return self.low > -math.inf or self.high < math.inf

    @property
    def _kept(self) -> bool:
        return self.fill is not None and math.isnan(self.fill)

    @property
    def _always_defined(self) -> bool:
        return not (math.isnan(self._value(self.low)) or math.isnan(self._value(self.high)))

    def _value(self, source: float) -> float:
        value = np.array([source], dtype=np.float64)
        with np.errstate(all="ignore"):
            for step in self.steps:
                value = step.value(value)
        return float(value[0])

    def _points(self) -> list[float]:
        """Where to look for a source with a finite result: most functions have one near zero."""
        fill = [] if self.fill is None or math.isnan(self.fill) else [self.fill]
        near = [0.0, 1.0, -1.0, 0.5, -0.5, 1e-6, 1e6, -1e6]
        return [point for point in [*fill, *near, self.low, self.high] if self.low <= point <= self.high]

    def _accepted(self, dialect: Dialect) -> exp.Expression:
        source = self.source.sql(dialect)
        if not self._bounded and self._kept:
            return exp.Coalesce(this=source, expressions=[double(math.nan)]) if self.source.raw else source
        if not self._bounded and not self.source.raw and self.fill is not None:
            return case([(self.is_missing(dialect), double(self.fill))], self.source.sql(dialect))
        branches = [(self._within(dialect), source)]
        if self.fill is not None:
            branches.append((self.is_missing(dialect), double(self.fill)))
        return case(branches)

    def _within(self, dialect: Dialect) -> exp.Expression:
        """Neither missing nor refused. NaN is above every limit."""
        source = paren_of(self.source.sql(dialect))
        if self.low == -self.high and self._bounded:
            return exp.LTE(this=exp.Abs(this=source), expression=double(self.high))
        above = exp.GTE(this=source, expression=double(self.low))
        if self.high == math.inf:
            known = not_nan(self.source.sql(dialect))
            return both(above, known) if self.low > -math.inf else known
        below = exp.LTE(this=paren_of(self.source.sql(dialect)), expression=double(self.high))
        return both(above, below) if self.low > -math.inf else below

    def _outside(self, dialect: Dialect) -> exp.Expression | None:
        source = paren_of(self.source.sql(dialect))
        if self.low == -self.high:
            return exp.GT(this=exp.Abs(this=source), expression=double(self.high))
        tests: list[exp.Expression] = []
        if self.low > -math.inf:
            tests.append(exp.LT(this=source, expression=double(self.low)))
        if self.high < math.inf:
            tests.append(exp.GT(this=paren_of(self.source.sql(dialect)), expression=double(self.high)))
        return either(tests) if tests else None

    def _whether_missing(self, left: bool, *, present: bool, dialect: Dialect) -> Split:
        """A test on which all numbers agree."""
        if left == present or self.fill is None:
            return Split(None, left=present)
        return Split(self.is_missing(dialect), left=left)


class Key(Protocol):
    """What a choice depends on: a value among listed ones, or a bin."""

    def sql(self, at: Mapping[int, float | None], other: float | None, dialect: Dialect) -> exp.Expression:
        """The value at each branch, `other` at those that are not listed; None is NULL."""

    def refused(self, dialect: Dialect) -> exp.Expression | None:
        """Where the row is refused, whatever the values are; None where it never is."""

    def test(self, branches: frozenset[int], *, other: bool, dialect: Dialect) -> Split | None:
        """Whether the branch is one of these, or one not listed where `other`; None where that takes a value."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A column with finitely many values.

    Attributes:
        key: What decides.
        at: The value at a branch; None where the row is refused.
        other: The value at all branches that `at` does not have.
    """

    key: Key
    at: Mapping[int, float | None]
    other: float | None
    raw: bool = False

    def sql(self, dialect: Dialect) -> exp.Expression:
        """The value; NaN is missing, NULL refused."""
        return self.key.sql(self.at, self.other, dialect)

    def apply(self, op: Op) -> "Choice":
        """A function of it, computed here."""
        return self._mapped(lambda value: _one(op, value))

    def finite(self, *, missing: bool, largest: float = LARGEST) -> "Choice":
        """The same, refused where it is larger than `largest`, and without `missing` where it is missing."""

        def kept(value: float) -> float | None:
            return value if abs(value) <= largest or (missing and math.isnan(value)) else None

        return self._mapped(kept)

    def imputed(self, value: float) -> "Choice":
        """The same with `value` where it is missing."""
        return self._mapped(lambda own: value if math.isnan(own) else own)

    def refused(self, dialect: Dialect) -> exp.Expression | None:
        """Where the row is refused; None where it never is."""
        values = [self.other, *self.at.values()]
        return is_null(self.sql(dialect)) if None in values else self.key.refused(dialect)

    def split(self, threshold: float, *, missing_left: bool, narrow: bool, dialect: Dialect) -> Split:
        """As of a `Number`."""

        def left(value: float | None) -> bool:
            if value is None:
                return False
            if math.isnan(value):
                return missing_left
            with np.errstate(over="ignore"):
                return (float(np.float32(value)) if narrow else value) <= threshold

        return self.test(left, dialect) or Number(self).split(
            threshold, missing_left=missing_left, narrow=narrow, dialect=dialect
        )

    def test(self, holds: Callable[[float | None], bool], dialect: Dialect) -> Split | None:
        """Whether `holds` is true of it, by its key; None where the key cannot tell."""
        other = holds(self.other)
        branches = frozenset(branch for branch, value in self.at.items() if holds(value) != other)
        if not branches:
            return Split(None, left=other)
        found = self.key.test(branches, other=False, dialect=dialect)
        return None if found is None else Split(found.condition, left=found.left != other)

    def _mapped(self, how: Callable[[float], float | None]) -> "Choice":
        at = {branch: None if value is None else how(value) for branch, value in self.at.items()}
        return replace(self, at=at, other=None if self.other is None else how(self.other))


@dataclass(frozen=True, slots=True)
class Text:
    """A category as text. `missing` is what Python has for a NULL: None, NaN, or the text that stands for it."""

    name: str
    missing: str | float | None = None


Numeric = Number | Choice
Column = Number | Choice | Text


def numeric(columns: Iterable[Column]) -> list[Numeric]:
    """The columns, none of which is text."""
    found: list[Numeric] = []
    for column in columns:
        if isinstance(column, Text):
            raise Unsupported(f"the category '{column.name}' is not encoded where a number is wanted")
        found.append(column)
    return found


def checked(columns: Iterable[Column], *, missing: bool, largest: float = LARGEST) -> list[Numeric]:
    """The columns as a step takes them that refuses infinities, and missing values unless `missing`."""
    return [column.finite(missing=missing, largest=largest) for column in numeric(columns)]


def without(kept: Iterable[Column], dropped: Iterable[Column], dialect: Dialect = "duckdb") -> list[Column]:
    """The kept columns; what the dropped ones refuse is refused by the first of them from now on."""
    columns = list(kept)
    refusing = [c for c in dropped if not isinstance(c, Text) and c.refused(dialect) is not None]
    if not refusing:
        return columns
    place = next((i for i, column in enumerate(columns) if not isinstance(column, Text)), None)
    if place is None:
        raise Unsupported("a step that drops all its columns is not written as SQL")
    first, *_ = numeric([columns[place]])

    def how(values: list[exp.Expression], _: Dialect) -> exp.Expression:
        return case([(either([is_null(value) for value in values[1:]]), exp.Null())], values[0])

    columns[place] = Number(Computed((first, *refusing), how, valued=1))
    return columns


def features_of(column: Column) -> frozenset[str]:
    """The parameters of which a column's value is made."""
    if isinstance(column, Text):
        return frozenset([column.name])
    if isinstance(column, Choice):
        name = getattr(column.key, "name", None)
        return frozenset([name]) if name is not None else features_of(column.key.number)  # type: ignore[attr-defined]
    source = column.source
    if isinstance(source, Number | Choice):
        return features_of(source)
    if isinstance(source, Computed):
        return frozenset().union(*map(features_of, source.of[: source.valued]))
    assert isinstance(source, Parameter)  # no other source is there
    return frozenset([source.name])


def paren_of(value: exp.Expression) -> exp.Expression:
    """Parentheses for what is compared."""
    return exp.Paren(this=value) if isinstance(value, exp.Binary | exp.Neg) else value


def _one(op: Op, value: float) -> float:
    with np.errstate(all="ignore"):
        return float(op.value(np.array([value], dtype=np.float64))[0])
