"""The steps of a pipeline: each makes columns of columns, as scikit-learn's transformer would."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from typing import Any, Final

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import (
    RFE,
    RFECV,
    SelectFromModel,
    SelectKBest,
    SelectPercentile,
    VarianceThreshold,
)
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils import get_tags
from sklearn.utils.validation import check_array
from sqlglot import exp

from snowml.names import Dialect
from snowml.serving.sql.columns import (
    MISSING,
    Choice,
    Column,
    Computed,
    Number,
    Numeric,
    Op,
    Text,
    checked,
    numeric,
    without,
)
from snowml.serving.sql.encoding import encoded
from snowml.serving.sql.expressions import Unsupported, balanced, case, divide, double, multiply
from snowml.serving.sql.functions import LISTED, box_cox, clip, minus, over, plus, times, yeo_johnson
from snowml.serving.sql.keys import Bins, Category, Values


def prepared(step: Any, columns: Sequence[Column]) -> list[Column]:
    """The columns that a fitted transformer makes of these.

    Raises:
        Unsupported: The transformer, or one of its settings, cannot be written as SQL.
    """
    if isinstance(step, str) or step is None:
        return [] if step == "drop" else list(columns)
    how = STEPS.get(type(step))
    if how is None:
        raise Unsupported(f"{type(step).__name__} is not written as SQL")
    return how(step, columns)


def _pipeline(step: Pipeline, columns: Sequence[Column]) -> list[Column]:
    return reduce(
        lambda made, inner: prepared(inner, made), [inner for _, inner in step.steps], list(columns)
    )


def _union(step: FeatureUnion, columns: Sequence[Column]) -> list[Column]:
    made: list[Column] = []
    for name, inner in step.transformer_list:
        block = prepared(inner, columns)
        weight = (step.transformer_weights or {}).get(name)
        made += block if weight is None else [column.apply(times(weight)) for column in numeric(block)]
    return made


def _by_column(step: ColumnTransformer, columns: Sequence[Column]) -> list[Column]:
    made: list[Column] = []
    positions = step._transformer_to_input_indices  # noqa: SLF001
    for name, inner, _ in step.transformers_:
        made += prepared(inner, [columns[position] for position in positions[name]])
    return made


def _imputed(step: SimpleImputer, columns: Sequence[Column]) -> list[Column]:
    marker = step.missing_values
    statistics = step.statistics_.tolist()
    made: list[Column] = []
    dropped: list[Column] = []
    for column, value in zip(columns, statistics, strict=True):
        if _is_nan(value) and not step.keep_empty_features:
            dropped.append(column if isinstance(column, Text) else column.finite(missing=True))
        else:
            made.append(_imputed_column(column, value, marker))
    made = without(made, dropped)
    if step.add_indicator:
        made += _indicator(step.indicator_, columns)
    return made


def _imputed_column(column: Column, value: Any, marker: Any) -> Column:
    if isinstance(column, Text):
        return Text(column.name, value) if _is_marked(column, marker) else column
    if not _is_nan(marker):
        raise Unsupported(f"SimpleImputer with missing_values={marker!r} is not written as SQL")
    return column.finite(missing=True).imputed(float(value))


def _is_marked(column: Text, marker: Any) -> bool:
    """Whether what the column has for a NULL is what the imputer takes for missing."""
    if _is_nan(marker):
        return _is_nan(column.missing)
    if marker is None:
        return column.missing is None
    raise Unsupported(f"SimpleImputer with missing_values={marker!r} is not written as SQL")


def _indicator(step: MissingIndicator, columns: Sequence[Column]) -> list[Column]:
    return [_is_missing(columns[i], step.missing_values) for i in step.features_.tolist()]


def _is_missing(column: Column, marker: Any) -> Column:
    if isinstance(column, Text):
        marked = _is_marked(column, marker)
        return Choice(Category(column.name, ()), {MISSING: 1.0} if marked else {}, 0.0)
    if not _is_nan(marker):
        raise Unsupported(f"MissingIndicator with missing_values={marker!r} is not written as SQL")
    found = column.finite(missing=True)
    if isinstance(found, Choice):
        return found.apply(Op(lambda x: np.isnan(x).astype(float), lambda x, _: x))
    return Choice(Values(found, ()), {MISSING: 1.0}, 0.0)


def _standardised(step: StandardScaler, columns: Sequence[Column]) -> list[Column]:
    return _scaled(columns, (minus, step.mean_ if step.with_mean else None), (over, step.scale_))


def _robust(step: RobustScaler, columns: Sequence[Column]) -> list[Column]:
    center = step.center_ if step.with_centering else None
    return _scaled(columns, (minus, center), (over, step.scale_ if step.with_scaling else None))


def _largest_absolute(step: MaxAbsScaler, columns: Sequence[Column]) -> list[Column]:
    made = _scaled(columns, (over, step.scale_))
    return (
        [column.apply(clip(-1.0, 1.0)) for column in numeric(made)] if getattr(step, "clip", False) else made
    )


def _between(step: MinMaxScaler, columns: Sequence[Column]) -> list[Column]:
    made = _scaled(columns, (times, step.scale_), (plus, step.min_))
    if not step.clip:
        return made
    return [column.apply(clip(*map(float, step.feature_range))) for column in numeric(made)]


def _scaled(columns: Sequence[Column], *ops: tuple[Callable[[float], Op], Any]) -> list[Column]:
    """Each column through functions of its own constants; a function without constants is left out."""
    made = checked(columns, missing=True)
    for op, constants in ops:
        if constants is not None:
            made = [column.apply(op(c)) for column, c in zip(made, constants.tolist(), strict=True)]
    return list(made)


def _power(step: PowerTransformer, columns: Sequence[Column]) -> list[Column]:
    made = checked(columns, missing=True)
    if step.method == "box-cox":
        made = [_above_zero(column) for column in made]
    op = yeo_johnson if step.method == "yeo-johnson" else box_cox
    # A lambda of NaN is that of a constant column, which scikit-learn leaves as it is.
    powers = step.lambdas_.tolist()
    made = [column.apply(op(power)) for column, power in zip(made, powers, strict=True)]
    return _standardised(step._scaler, made) if step.standardize else list(made)  # noqa: SLF001


def _above_zero(column: Numeric) -> Numeric:
    """Box-Cox refuses a row with a number that is not above zero."""
    if not isinstance(column, Number) or column.steps:
        raise Unsupported("PowerTransformer by Box-Cox is written as SQL of plain or imputed columns only")
    fill = column.fill if column.fill is None or math.isnan(column.fill) or column.fill > 0 else None
    return Number(column.source, (), math.nextafter(0.0, 1.0), column.high, fill)


def _function(step: FunctionTransformer, columns: Sequence[Column]) -> list[Column]:
    if step.kw_args:
        raise Unsupported("FunctionTransformer with kw_args is not written as SQL")
    made: Sequence[Column] = checked(columns, missing=False) if step.validate else columns
    if step.func is None or _checks_nothing(step.func):
        return list(made)
    op = LISTED.get(step.func)
    if op is None:
        name = getattr(step.func, "__name__", repr(step.func))
        raise Unsupported(f"FunctionTransformer of {name} is not written as SQL")
    return [column.apply(op) for column in numeric(made)]


def _checks_nothing(function: Any) -> bool:
    """HistGradientBoosting passes its numbers through a check that lets everything through."""
    return (
        isinstance(function, partial)
        and function.func is check_array
        and not function.args
        and function.keywords.get("ensure_all_finite") is False
    )


def _binary(step: Binarizer, columns: Sequence[Column]) -> list[Column]:
    edge = math.nextafter(float(step.threshold), math.inf)
    return [_binned(column, (edge,), {1: 1.0}) for column in checked(columns, missing=False)]


def _bins(step: KBinsDiscretizer, columns: Sequence[Column]) -> list[Column]:
    made: list[Column] = []
    for column, edges in zip(checked(columns, missing=False), step.bin_edges_, strict=True):
        inner = tuple(map(float, edges[1:-1]))
        if step.encode == "ordinal":
            made.append(_binned(column, inner, {i: float(i) for i in range(1, len(inner) + 1)}))
        else:
            made += [_binned(column, inner, {i: 1.0}) for i in range(len(inner) + 1)]
    return made


def _binned(column: Numeric, edges: tuple[float, ...], values: Mapping[int, float]) -> Choice:
    if isinstance(column, Choice):
        table = [values.get(i, 0.0) for i in range(len(edges) + 1)]
        place = Op(lambda x: np.take(table, np.searchsorted(edges, x, side="right")), lambda x, _: x)
        return column.apply(place)
    return Choice(Bins(column, edges), dict(values), 0.0)


def _products(step: PolynomialFeatures, columns: Sequence[Column]) -> list[Column]:
    made = checked(columns, missing=False)
    terms: list[Column] = []
    for powers in step.powers_.tolist():
        factors = [column for column, power in zip(made, powers, strict=True) for _ in range(power)]
        terms.append(_product(factors))
    return terms


def _product(factors: list[Numeric]) -> Numeric:
    """The product, from the last factor to the first, as scikit-learn multiplies."""
    if not factors:
        return Number(Computed((), lambda _values, _dialect: double(1.0)))
    if len(factors) == 1:
        return factors[0]

    def how(values: list[exp.Expression], _: Dialect) -> exp.Expression:
        # ((c * d) * b) * a
        *first, last = values
        return reduce(multiply, reversed(first), last)

    if len(factors) > 2:
        *rest, second, last = factors
        ordered = [*rest, second, last]
        return Number(Computed(tuple(ordered), how))
    return Number(Computed(tuple(factors), how))


def _normalised(step: Normalizer, columns: Sequence[Column]) -> list[Column]:
    made = tuple(checked(columns, missing=False))

    def how(i: int) -> Callable[[list[exp.Expression], Dialect], exp.Expression]:
        def divided(values: list[exp.Expression], _: Dialect) -> exp.Expression:
            norm = _norm(step.norm, values)
            zero = exp.EQ(this=exp.Paren(this=norm), expression=double(0.0))
            return divide(values[i].copy(), case([(zero, double(1.0))], norm.copy()))

        return divided

    return [Number(Computed(made, how(i))) for i in range(len(made))]


def _norm(kind: str, values: list[exp.Expression]) -> exp.Expression:
    if kind == "l2":
        squares = [multiply(exp.Paren(this=value.copy()), exp.Paren(this=value.copy())) for value in values]
        return exp.Sqrt(this=balanced(squares))
    absolute: list[exp.Expression] = [exp.Abs(this=value.copy()) for value in values]
    if kind == "l1":
        return balanced(absolute)
    return exp.Greatest(this=absolute[0], expressions=absolute[1:], ignore_nulls=False)


def _selected(step: Any, columns: Sequence[Column]) -> list[Column]:
    made: Sequence[Column] = columns
    if not get_tags(step).input_tags.allow_nan:
        made = checked(columns, missing=False)
    chosen = step.get_support().tolist()
    dropped = [column for column, kept in zip(made, chosen, strict=True) if not kept]
    return without([column for column, kept in zip(made, chosen, strict=True) if kept], dropped)


def _is_nan(value: object) -> bool:
    return isinstance(value, float | np.floating) and math.isnan(value)


STEPS: Final[Mapping[type, Callable[[Any, Sequence[Column]], list[Column]]]] = {
    Pipeline: _pipeline,
    FeatureUnion: _union,
    ColumnTransformer: _by_column,
    SimpleImputer: _imputed,
    MissingIndicator: _indicator,
    StandardScaler: _standardised,
    RobustScaler: _robust,
    MaxAbsScaler: _largest_absolute,
    MinMaxScaler: _between,
    PowerTransformer: _power,
    FunctionTransformer: _function,
    OneHotEncoder: encoded,
    OrdinalEncoder: encoded,
    KBinsDiscretizer: _bins,
    Binarizer: _binary,
    PolynomialFeatures: _products,
    Normalizer: _normalised,
    SelectKBest: _selected,
    SelectPercentile: _selected,
    SelectFromModel: _selected,
    VarianceThreshold: _selected,
    RFE: _selected,
    RFECV: _selected,
}
"""How each transformer is written, by its exact type: a subclass may do anything."""
