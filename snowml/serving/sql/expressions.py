"""The words that all generated SQL is made of: doubles that read back exactly, sums, comparisons, choices."""

import math
from collections.abc import Callable, Sequence
from typing import Final

from sqlglot import exp

from snowml.errors import DataError
from snowml.names import Dialect, quoted

# exp(710) overflows, and Snowflake may answer an error where DuckDB answers infinity; exp(-700) is 1e-304.
LARGEST_EXPONENT: Final = 700.0
# Nodes of an expression that is mentioned several times, each in what may be mentioned several times again.
LONGEST_REPEATED: Final = 100


class Unsupported(DataError):
    """Why a pipeline, or a part of it, is not written as SQL."""


def double(value: float) -> exp.Expression:
    """A literal that reads back as exactly this double, and not as a DECIMAL."""
    value = float(value)
    if not math.isfinite(value):
        name = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        return exp.cast(exp.Literal.string(name), "double")
    text = repr(abs(value))
    number = exp.Literal(this=text if "e" in text else f"{text}e0", is_string=False)
    return exp.Neg(this=number) if math.copysign(1.0, value) < 0 else number


def answer(value: float | None) -> exp.Expression:
    """A double, or NULL where a row is refused."""
    return exp.Null() if value is None else double(value)


def parameter(name: str, dialect: Dialect, kind: str) -> exp.Expression:
    """A function's parameter, in the type that it is meant to have: macros are untyped."""
    column = exp.Column(this=exp.Identifier(this=quoted(name, dialect)[1:-1].replace('""', '"'), quoted=True))
    return exp.cast(column, kind)


def paren(term: exp.Expression) -> exp.Expression:
    """Parentheses where the term is an operation."""
    return exp.Paren(this=term) if isinstance(term, exp.Binary | exp.Neg) else term


def add(one: exp.Expression, other: exp.Expression) -> exp.Expression:
    """The sum of two; the left one may be a sum itself."""
    left = one if isinstance(one, exp.Add) else paren(one)
    return exp.Add(this=left, expression=paren(other))


def subtract(one: exp.Expression, other: exp.Expression) -> exp.Expression:
    """The difference."""
    return exp.Sub(this=paren(one), expression=paren(other))


def multiply(one: exp.Expression, other: exp.Expression) -> exp.Expression:
    """The product; a product or quotient on the left needs no parentheses."""
    left = one if isinstance(one, exp.Mul | exp.Div) else paren(one)
    return exp.Mul(this=left, expression=paren(other))


def divide(one: exp.Expression, other: exp.Expression) -> exp.Expression:
    """The quotient, with no protection against zero."""
    left = one if isinstance(one, exp.Mul | exp.Div) else paren(one)
    return exp.Div(this=left, expression=paren(other), typed=False, safe=False)


def balanced(terms: Sequence[exp.Expression]) -> exp.Expression:
    """The sum as a tree of logarithmic depth: parsers give up on a chain of a thousand."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return exp.Add(this=_summand(balanced(terms[:half])), expression=_summand(balanced(terms[half:])))


def chain(terms: Sequence[exp.Expression]) -> exp.Expression:
    """The sum from left to right, as a loop adds."""
    total = terms[0]
    for term in terms[1:]:
        total = add(total, term)
    return total


def _summand(term: exp.Expression) -> exp.Expression:
    return term if isinstance(term, exp.Mul | exp.Div) else paren(term)


def either(conditions: Sequence[exp.Expression]) -> exp.Expression:
    """One of the conditions holds; they stay flat, whatever their number."""
    return conditions[0] if len(conditions) == 1 else _joined(exp.Or, conditions)


def both(one: exp.Expression, other: exp.Expression) -> exp.Expression:
    """Both conditions hold."""
    return _joined(exp.And, (one, other))


def case(
    branches: Sequence[tuple[exp.Expression, exp.Expression]],
    default: exp.Expression | None = None,
    of: exp.Expression | None = None,
) -> exp.Expression:
    """CASE, searched or of one value."""
    ifs = [exp.If(this=condition, true=value) for condition, value in branches]
    return exp.Case(this=of, ifs=ifs, default=default)


def is_null(value: exp.Expression) -> exp.Expression:
    """Whether it is NULL."""
    return exp.Is(this=paren(value), expression=exp.Null())


def is_nan(value: exp.Expression) -> exp.Expression:
    """Whether it is NaN, which equals itself in both warehouses, and is greater than all numbers."""
    return exp.EQ(this=paren(value), expression=double(math.nan))


def not_nan(value: exp.Expression) -> exp.Expression:
    """Whether it is a number."""
    return exp.LT(this=paren(value), expression=double(math.nan))


def bound(
    value: exp.Expression, body: Callable[[Callable[[], exp.Expression]], exp.Expression], dialect: Dialect
) -> exp.Expression:
    """An expression that mentions a value several times; it gets a function that gives each mention.

    DuckDB computes the value once, as the parameter of a lambda over a list of one (a tenth slower than computing it,
    at a million rows). Snowflake's lambdas take VARIANT, which may change a double: there the text is repeated.
    """
    if not isinstance(value, exp.Binary | exp.Func | exp.Case | exp.Paren) or isinstance(value, exp.Cast):
        return body(value.copy)
    if dialect == "snowflake":
        if sum(1 for _ in value.walk()) > LONGEST_REPEATED:
            raise Unsupported(
                "a long expression that is needed several times is not written as SQL of Snowflake"
            )
        return body(value.copy)
    function = exp.Lambda(
        this=body(lambda: exp.column("x", quoted=True)),
        expressions=[exp.to_identifier("x", quoted=True)],
        colon=True,
    )
    items = exp.Array(expressions=[value])
    made = exp.Anonymous(this="list_transform", expressions=[items, function])
    return exp.Bracket(this=made, expressions=[exp.Literal.number(1)], offset=1)


def logistic(exponent: exp.Expression, dialect: Dialect) -> exp.Expression:
    """`1 / (1 + exp(-x))`."""
    negative: exp.Expression = exp.Neg(this=exp.Paren(this=exponent))
    if dialect == "snowflake":
        # LEAST answers NULL for NULL there, and ignores it on DuckDB.
        negative = exp.Least(this=negative, expressions=[double(LARGEST_EXPONENT)], ignore_nulls=False)
    return divide(double(1.0), add(double(1.0), exp.Exp(this=negative)))


def _joined(kind: type[exp.And | exp.Or], terms: Sequence[exp.Expression]) -> exp.Expression:
    wrapped = [exp.Paren(this=term) if isinstance(term, exp.Connector) else term for term in terms]
    half = len(wrapped) // 2
    if len(wrapped) == 1:
        return wrapped[0]
    # Two halves, so that no condition is nested deeper than its logarithm; AND and OR need no parentheses among kin.
    return kind(this=_joined(kind, terms[:half]), expression=_joined(kind, terms[half:]))
