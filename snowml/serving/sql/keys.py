"""What a choice depends on: a category, the bin of a number, or one of listed numbers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from snowml.names import Dialect
from snowml.serving.sql.columns import MISSING, Number, Split
from snowml.serving.sql.expressions import answer, case, double, either, is_null, parameter

# CASE against map on DuckDB 2.0, 2 M rows, one thread: 16 categories 0.06 and 0.09 s, 105 categories 0.18 and
# 0.12 s, 1,000 categories 1.5 and 0.4 s.
LARGEST_CASE: Final = 50

At = Mapping[int, float | None]


@dataclass(frozen=True, slots=True)
class Category:
    """A text parameter that is one of `values`, missing, or something else."""

    name: str
    values: tuple[str, ...]

    def sql(self, at: At, other: float | None, dialect: Dialect) -> exp.Expression:
        """A CASE of the text, or a map where that is faster."""
        listed = {text: at[i] for i, text in enumerate(self.values) if i in at and not _same(at[i], other)}
        missing = at.get(MISSING, other)
        as_map = dialect == "duckdb" and len(listed) > LARGEST_CASE and None not in listed.values()
        found = self._map(listed, other, dialect) if as_map else self._case(listed, other, dialect)
        if _same(missing, other):
            return found
        return case([(is_null(self._text(dialect)), answer(missing))], found)

    def refused(self, _: Dialect) -> None:
        """Never."""
        return

    def test(self, branches: frozenset[int], *, other: bool, dialect: Dialect) -> Split:
        """Membership in a list; NULL is in none, and goes where a test that is not true goes."""
        if other:
            everything = frozenset([MISSING, *range(len(self.values))])
            rest = everything - branches
            if not rest:
                return Split(None, left=True)
            found = self.test(rest, other=False, dialect=dialect)
            return Split(found.condition, left=not found.left)
        texts = [exp.Literal.string(self.values[branch]) for branch in sorted(branches) if branch != MISSING]
        tests: list[exp.Expression] = []
        if len(texts) == 1:
            tests.append(exp.EQ(this=self._text(dialect), expression=texts[0]))
        elif texts:
            tests.append(_among(self._text(dialect), texts, dialect))
        if MISSING in branches:
            tests.append(is_null(self._text(dialect)))
        return Split(either(tests) if tests else None, left=bool(tests))

    def _text(self, dialect: Dialect) -> exp.Expression:
        return parameter(self.name, dialect, "varchar")

    def _case(
        self, listed: Mapping[str, float | None], other: float | None, dialect: Dialect
    ) -> exp.Expression:
        if not listed:
            return answer(other)
        branches = [(exp.Literal.string(text), answer(value)) for text, value in listed.items()]
        return case(branches, answer(other), of=self._text(dialect))

    def _map(
        self, listed: Mapping[str, float | None], other: float | None, dialect: Dialect
    ) -> exp.Expression:
        keys = exp.Array(expressions=[exp.Literal.string(text) for text in listed])
        values = exp.Array(expressions=[answer(value) for value in listed.values()])
        found = exp.Bracket(this=exp.Map(keys=keys, values=values), expressions=[self._text(dialect)])
        return found if other is None else exp.Coalesce(this=found, expressions=[double(other)])


@dataclass(frozen=True, slots=True)
class Bins:
    """The bin of a number: how many of the ascending `edges` it has reached."""

    number: Number
    edges: tuple[float, ...]

    def sql(self, at: At, other: float | None, dialect: Dialect) -> exp.Expression:
        """A CASE from the lowest edge up, on the number's own source."""
        values = [at.get(i, other) for i in range(len(self.edges) + 1)]
        branches: list[tuple[exp.Expression, exp.Expression]] = []
        refused = self.number.refused(dialect)
        if refused is not None:
            branches.append((refused, exp.Null()))
        filled = self.number.missing_value()
        if filled is not None:
            branches.append((self.number.is_missing(dialect), answer(values[self._bin(filled)])))
        last = values[-1]
        tests = self.number.bin_tests(self.edges, dialect)
        for i, test in enumerate(tests):
            if test is True:
                last = values[i]
                break
            if test is False or _same(values[i], values[i + 1]):
                continue
            branches.append((test, answer(values[i])))
        return case(branches, answer(last)) if branches else answer(last)

    def refused(self, dialect: Dialect) -> exp.Expression | None:
        """Where its number refuses the row."""
        return self.number.refused(dialect)

    def test(self, branches: frozenset[int], *, other: bool, dialect: Dialect) -> Split | None:
        """It takes a value."""
        return None

    def _bin(self, value: float) -> int:
        return sum(edge <= value for edge in self.edges)


@dataclass(frozen=True, slots=True)
class Values:
    """A number that is one of `values`, of which NaN may be one, or something else."""

    number: "Number"
    values: tuple[float, ...]

    def sql(self, at: At, other: float | None, dialect: Dialect) -> exp.Expression:
        """A CASE of the number."""
        branches = [
            (double(value), answer(at[i]))
            for i, value in enumerate(self.values)
            if i in at and not _same(at[i], other)
        ]
        if MISSING in at and not _same(at[MISSING], other):
            branches.append((double(math.nan), answer(at[MISSING])))
        found = case(branches, answer(other), of=self.number.sql(dialect)) if branches else answer(other)
        refused = self.number.refused(dialect)
        return found if refused is None else case([(refused, exp.Null())], found)

    def refused(self, dialect: Dialect) -> exp.Expression | None:
        """Where its number refuses the row."""
        return self.number.refused(dialect)

    def test(self, branches: frozenset[int], *, other: bool, dialect: Dialect) -> Split | None:
        """It takes a value."""
        return None


def _among(text: exp.Expression, texts: Sequence[exp.Expression], dialect: Dialect) -> exp.Expression:
    if dialect == "snowflake":
        return exp.In(this=text, expressions=list(texts))
    # DuckDB's optimizer spends 20 s on 400 times IN, or list_contains, in nested CASEs, and half a second on these.
    return case([(one, exp.true()) for one in texts], exp.false(), of=text)


def _same(one: float | None, other: float | None) -> bool:
    """The same double, or refused both."""
    if one is None or other is None:
        return one is other
    return one == other or (math.isnan(one) and math.isnan(other))
