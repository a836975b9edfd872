"""Functions of one number, as NumPy computes them and as SQL can.

`log1p` and `expm1`, which SQL lacks, are Kahan's: they lose no digit near zero. `ln`, `exp` and their kin are a C
library's in a warehouse, and NumPy's own in NumPy: they may differ in the last place or two. Where Snowflake raises an
error, as of the logarithm of zero, a CASE answers what NumPy answers.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from scipy import special, stats
from sqlglot import exp

from snowml.names import Dialect
from snowml.serving.sql.columns import Op
from snowml.serving.sql.expressions import (
    add,
    both,
    bound,
    case,
    divide,
    double,
    multiply,
    not_nan,
    paren,
    subtract,
)

Sql = Callable[[exp.Expression, Dialect], exp.Expression]
Mention = Callable[[], exp.Expression]


def minus(offset: float) -> Op:
    """`x - offset`."""
    return Op(lambda x: x - offset, lambda x, _: subtract(x, double(offset)))


def plus(offset: float) -> Op:
    """`x + offset`."""
    return Op(lambda x: x + offset, lambda x, _: add(x, double(offset)))


def over(scale: float) -> Op:
    """`x / scale`."""
    return Op(lambda x: x / scale, lambda x, _: divide(x, double(scale)), grows=scale > 0)


def times(factor: float) -> Op:
    """`x * factor`."""
    return Op(lambda x: x * factor, lambda x, _: multiply(x, double(factor)), grows=factor > 0)


def clip(low: float, high: float) -> Op:
    """Between two limits; LEAST would take NaN, which is missing, for a large number."""

    def body(x: Mention) -> exp.Expression:
        above = both(_compared(exp.GT, x(), high), not_nan(x()))
        return case([(_compared(exp.LT, x(), low), double(low)), (above, double(high))], x())

    return Op(lambda x: np.clip(x, low, high), lambda x, dialect: bound(x, body, dialect))


def yeo_johnson(power: float) -> Op:
    """Yeo and Johnson's transformation, as scipy computes it."""

    def sql(value: exp.Expression, dialect: Dialect) -> exp.Expression:
        def body(x: Mention) -> exp.Expression:
            upper = _power(_log1p(x(), dialect), power, dialect)
            lower = _power(_log1p(exp.Neg(this=paren(x())), dialect), 2.0 - power, dialect)
            return case([(_compared(exp.LT, x(), 0.0), exp.Neg(this=paren(lower)))], upper)

        return bound(value, body, dialect)

    return Op(lambda x: np.asarray(stats.yeojohnson(x, power), dtype=np.float64), sql)


def box_cox(power: float) -> Op:
    """Box and Cox's transformation of a number above zero."""
    return Op(
        lambda x: np.asarray(special.boxcox(x, power), dtype=np.float64),
        lambda x, dialect: _power(_ln(x, dialect), power, dialect),
    )


def _power(log: exp.Expression, power: float, dialect: Dialect) -> exp.Expression:
    """`(exp(log * power) - 1) / power`, or its limit."""
    if abs(power) < np.spacing(1.0):
        return log
    return divide(_expm1(multiply(log, double(power)), dialect), double(power))


def _ln(value: exp.Expression, dialect: Dialect) -> exp.Expression:
    return _positive(value, lambda x: exp.Ln(this=x), dialect)


def _positive(
    value: exp.Expression, of: Callable[[exp.Expression], exp.Expression], dialect: Dialect
) -> exp.Expression:
    """A logarithm, of which Snowflake refuses zero and below."""
    if dialect == "duckdb":
        return of(value)
    return case(
        [
            (_compared(exp.GT, value, 0.0), of(value.copy())),
            (_compared(exp.EQ, value.copy(), 0.0), double(-math.inf)),
            (_compared(exp.LT, value.copy(), 0.0), double(math.nan)),
        ]
    )


def _log1p(value: exp.Expression, dialect: Dialect) -> exp.Expression:
    # Kahan: with u = 1 + x, ln(u) * (x / (u - 1)) makes good what was lost in the sum.
    def body(x: Mention) -> exp.Expression:
        def u() -> exp.Expression:
            return add(double(1.0), x())

        kept = divide(x(), subtract(u(), double(1.0)))
        return case(
            [
                (exp.EQ(this=u(), expression=double(1.0)), x()),
                (_compared(exp.GT, x(), 1e17), _ln(x(), dialect)),
                (_compared(exp.LTE, x(), -1.0), _ln(u(), dialect)),
            ],
            multiply(exp.Ln(this=u()), kept),
        )

    return bound(value, body, dialect)


def _expm1(value: exp.Expression, dialect: Dialect) -> exp.Expression:
    # Kahan: with u = exp(x), (u - 1) * (x / ln(u)). Below -37 it is -1, and above 37 the 1 does not count.
    def body(x: Mention) -> exp.Expression:
        def u() -> exp.Expression:
            return exp.Exp(this=x())

        return case(
            [
                (_compared(exp.LT, x(), -37.0), double(-1.0)),
                (_compared(exp.GT, x(), 37.0), u()),
                (exp.EQ(this=u(), expression=double(1.0)), x()),
            ],
            multiply(exp.Paren(this=subtract(u(), double(1.0))), divide(x(), exp.Ln(this=u()))),
        )

    return bound(value, body, dialect)


def _sqrt(value: exp.Expression, dialect: Dialect) -> exp.Expression:
    if dialect == "duckdb":
        return exp.Sqrt(this=value)
    return case([(_compared(exp.LT, value, 0.0), double(math.nan))], exp.Sqrt(this=value.copy()))


def _log_to(base: int) -> Sql:
    def sql(value: exp.Expression, dialect: Dialect) -> exp.Expression:
        def of(x: exp.Expression) -> exp.Expression:
            # DuckDB's own are exact for powers of the base, which a quotient of logarithms is not.
            if dialect == "duckdb":
                return exp.Anonymous(this=f"log{base}", expressions=[x])
            return exp.Anonymous(this="log", expressions=[double(base), x])

        return _positive(value, of, dialect)

    return sql


def _sign(value: exp.Expression, dialect: Dialect) -> exp.Expression:
    def body(x: Mention) -> exp.Expression:
        above = both(_compared(exp.GT, x(), 0.0), not_nan(x()))
        return case([(_compared(exp.LT, x(), 0.0), double(-1.0)), (above, double(1.0))], x())

    return bound(value, body, dialect)


def _square(value: exp.Expression, dialect: Dialect) -> exp.Expression:
    return bound(value, lambda x: multiply(paren(x()), paren(x())), dialect)


def _compared(
    how: type[exp.GT | exp.LT | exp.LTE | exp.EQ], value: exp.Expression, mark: float
) -> exp.Expression:
    return how(this=paren(value), expression=double(mark))


def _call(of: type[exp.Exp | exp.Cbrt | exp.Abs]) -> Sql:
    def sql(value: exp.Expression, _: Dialect) -> exp.Expression:
        return of(this=value)

    return sql


LISTED: Final[Mapping[Any, Op]] = {
    np.log1p: Op(np.log1p, _log1p),
    np.log: Op(np.log, _ln),
    np.log2: Op(np.log2, _log_to(2)),
    np.log10: Op(np.log10, _log_to(10)),
    np.expm1: Op(np.expm1, _expm1),
    np.exp: Op(np.exp, _call(exp.Exp)),
    np.sqrt: Op(np.sqrt, _sqrt),
    np.cbrt: Op(np.cbrt, _call(exp.Cbrt)),
    np.square: Op(np.square, _square, grows=False),
    np.abs: Op(np.abs, _call(exp.Abs), grows=False),
    np.sign: Op(np.sign, _sign, grows=False),
}
"""The functions that a FunctionTransformer may apply."""
