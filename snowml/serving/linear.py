"""A linear model as one SQL expression over the function's parameters.

Each number is scaled as scikit-learn scales it, `(x - mean) / scale * weight`, in that order. To fold means
into the intercept would save a subtraction, and lose digits where a mean is large beside its deviation, as in
seconds since 1970. What differs is the order of the sum: a few units in the last place of its terms.

NULL and NaN are one missing value. A number that scikit-learn refuses, an infinity or one that becomes one
when scaled, makes the answer NULL.
"""

from collections.abc import Sequence
from typing import Final

from sklearn.pipeline import Pipeline
from sqlglot import exp

from snowml.errors import DataError
from snowml.names import Dialect, quoted
from snowml.records import Signature
from snowml.serving.weights import CategoryWeight, NumberWeight, is_linear, read

# CASE against map on DuckDB 2.0, 2 M rows, one thread: 16 categories 0.06 and 0.09 s, 105 categories 0.18 and
# 0.12 s, 1,000 categories 1.5 and 0.4 s.
LARGEST_CASE: Final = 50
# exp(710) overflows, and Snowflake may answer an error where DuckDB answers infinity; exp(-700) is 1e-304.
LARGEST_EXPONENT: Final = 700.0


def supports(pipeline: Pipeline) -> bool:
    """Whether `expression` can write this pipeline."""
    return is_linear(pipeline)


def expression(pipeline: Pipeline, signature: Signature, dialect: Dialect) -> str:
    """The model as SQL: a regression's value, or the probability of the signature's positive class.

    Raises:
        DataError: The pipeline is not linear, or the positive class is not one of its two.
    """
    if not supports(pipeline):
        raise DataError("Only a linear model with one answer can be written as SQL.")
    weights = read(pipeline)
    terms = [_number(term, dialect) for term in weights.numbers]
    terms += [_category(term, dialect) for term in weights.categories if term.matters]
    total = balanced([double(weights.intercept), *terms])
    if signature.task == "classification":
        total = _probability(total, _sign(pipeline, signature), dialect)
    return total.sql(dialect=dialect)


def double(value: float) -> exp.Expression:
    """A literal that reads back as exactly this double, and not as a DECIMAL."""
    text = repr(abs(float(value)))
    number = exp.Literal(this=text if "e" in text else f"{text}e0", is_string=False)
    return exp.Neg(this=number) if value < 0 else number


def balanced(terms: Sequence[exp.Expression]) -> exp.Expression:
    """The sum as a tree of logarithmic depth: parsers give up on a chain of a thousand."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return exp.Add(this=_paren(balanced(terms[:half])), expression=_paren(balanced(terms[half:])))


def _paren(term: exp.Expression) -> exp.Expression:
    return exp.Paren(this=term) if isinstance(term, exp.Binary) else term


def _parameter(name: str, dialect: Dialect, kind: str) -> exp.Expression:
    column = exp.Column(this=exp.Identifier(this=quoted(name, dialect)[1:-1].replace('""', '"'), quoted=True))
    return exp.cast(column, kind)


def _number(term: NumberWeight, dialect: Dialect) -> exp.Expression:
    # Three mentions of the parameter, since a macro pastes its argument at each. NaN is above every limit.
    value = _parameter(term.name, dialect, "double")
    nan = exp.cast(exp.Literal.string("NaN"), "double")
    offset = exp.Sub(this=value, expression=double(term.mean))
    scaled = exp.Div(this=exp.Paren(this=offset), expression=double(term.scale), typed=False, safe=False)
    within = exp.LTE(this=exp.Abs(this=offset.copy()), expression=double(term.limit))
    absent = exp.EQ(this=exp.Coalesce(this=value.copy(), expressions=[nan]), expression=nan.copy())
    return (
        exp.Case()
        .when(within, exp.Mul(this=scaled, expression=double(term.weight)))
        .when(absent, double(term.missing))
    )


def _category(term: CategoryWeight, dialect: Dialect) -> exp.Expression:
    value = _parameter(term.name, dialect, "varchar")
    known = {text: weight for text, weight in term.weights.items() if weight}
    as_map = dialect == "duckdb" and len(known) > LARGEST_CASE
    found = _from_map(value, known) if as_map else _from_case(value, known)
    if not term.missing:
        return found
    absent = exp.Is(this=value.copy(), expression=exp.Null())
    return exp.Case().when(absent, double(term.missing)).else_(found)


def _from_case(value: exp.Expression, known: dict[str, float]) -> exp.Expression:
    if not known:
        return double(0.0)
    case = exp.Case(this=value)
    for text, weight in known.items():
        case = case.when(exp.Literal.string(text), double(weight), copy=False)
    return case.else_(double(0.0))


def _from_map(value: exp.Expression, known: dict[str, float]) -> exp.Expression:
    keys = exp.Array(expressions=[exp.Literal.string(text) for text in known])
    weights = exp.Array(expressions=[double(weight) for weight in known.values()])
    found = exp.Bracket(this=exp.Map(keys=keys, values=weights), expressions=[value])
    return exp.Coalesce(this=found, expressions=[double(0.0)])


def _sign(pipeline: Pipeline, signature: Signature) -> int:
    classes = pipeline.classes_.tolist()
    if signature.positive not in classes:
        raise DataError(f"The positive class {signature.positive!r} is not one of the model's, {classes}.")
    return 1 if signature.positive == classes[1] else -1


def _probability(total: exp.Expression, sign: int, dialect: Dialect) -> exp.Expression:
    exponent: exp.Expression = exp.Paren(this=total)
    if sign > 0:
        exponent = exp.Neg(this=exponent)
    if dialect == "snowflake":
        # LEAST answers NULL for NULL there, and ignores it on DuckDB.
        exponent = exp.Least(this=exponent, expressions=[double(LARGEST_EXPONENT)], ignore_nulls=False)
    odds = exp.Add(this=double(1.0), expression=exp.Exp(this=exponent))
    return exp.Div(this=double(1.0), expression=exp.Paren(this=odds), typed=False, safe=False)
