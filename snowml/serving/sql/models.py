"""The last step of a pipeline: from prepared columns to a regression's value or a class's probability."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
from sklearn._loss.link import HalfLogitLink, IdentityLink, LogitLink, LogLink
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    GammaRegressor,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
    Ridge,
    RidgeClassifier,
    TweedieRegressor,
)
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)
from sklearn.utils import get_tags
from sqlglot import exp

from snowml.boosting.base import Boosting
from snowml.names import Dialect
from snowml.serving.sql import trees
from snowml.serving.sql.columns import Column, Op, checked, numeric
from snowml.serving.sql.doubles import LARGEST, LARGEST_FLOAT32
from snowml.serving.sql.expressions import (
    Unsupported,
    add,
    bound,
    case,
    chain,
    divide,
    double,
    logistic,
    multiply,
    paren,
    subtract,
)
from snowml.serving.sql.functions import LISTED, minus, over, plus, times
from snowml.serving.sql.linear import weighted
from snowml.serving.sql.preparing import prepared

Columns = Sequence[Column]

LINEAR: Final = (
    *(LinearRegression, Ridge, Lasso, ElasticNet, BayesianRidge, HuberRegressor, QuantileRegressor),
    *(PoissonRegressor, GammaRegressor, TweedieRegressor, LogisticRegression, RidgeClassifier),
)
_TREES: Final = (DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor)
_FORESTS: Final = (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)
_STAGED: Final = (GradientBoostingClassifier, GradientBoostingRegressor)
_BINNED: Final = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)


def value(model: Any, columns: Columns, dialect: Dialect) -> exp.Expression:
    """A regression's answer."""
    return _found(VALUES, model)(model, columns, dialect)


def probability(model: Any, which: int, columns: Columns, dialect: Dialect) -> exp.Expression:
    """The probability of one of two classes, by its place among the model's."""
    how = _found(PROBABILITIES, model)
    if np.size(model.classes_) != 2:
        raise Unsupported(
            f"a {type(model).__name__} of {np.size(model.classes_)} classes is not written as SQL"
        )
    return how(model, which, columns, dialect)


def link(model: Any) -> Literal["identity", "log", "logit"]:
    """How a linear model's raw score becomes its answer."""
    if isinstance(model, LogisticRegression):
        return "logit"
    generalised = isinstance(model, (PoissonRegressor, GammaRegressor, TweedieRegressor))
    return "log" if generalised and isinstance(model._base_loss.link, LogLink) else "identity"  # noqa: SLF001


def leaves(model: Any) -> int:
    """How many leaves the model's trees have in all; 0 where it has no trees."""
    if isinstance(model, _TREES):
        return int(model.tree_.n_leaves)
    if isinstance(model, _FORESTS):
        return sum(int(tree.tree_.n_leaves) for tree in model.estimators_)
    if isinstance(model, _STAGED):
        return sum(int(tree.tree_.n_leaves) for tree in model.estimators_.flat)
    if isinstance(model, _BINNED):
        return sum(tree.get_n_leaf_nodes() for stage in model._predictors for tree in stage)  # noqa: SLF001
    return 0


def limits(model: Any) -> tuple[bool, float]:
    """Whether the model takes missing values, and the largest number that it takes."""
    if isinstance(model, (*_BINNED, Boosting)):
        return True, float("inf")
    if isinstance(model, (*_TREES, *_FORESTS, *_STAGED)):
        first = model.estimators_[0] if isinstance(model, _FORESTS) else model
        return bool(get_tags(first).input_tags.allow_nan), LARGEST_FLOAT32
    return bool(get_tags(model).input_tags.allow_nan), LARGEST


def _found(among: Mapping[type, Callable[..., exp.Expression]], model: Any) -> Callable[..., exp.Expression]:
    how = among.get(type(model))
    if how is None:
        raise Unsupported(f"{type(model).__name__} is not written as SQL")
    return how


def _decision(model: Any, columns: Columns, dialect: Dialect) -> exp.Expression:
    weights, intercept = np.ravel(model.coef_), np.ravel(model.intercept_)
    if len(intercept) != 1:
        raise Unsupported(f"a {type(model).__name__} of several answers is not written as SQL")
    taken = checked(columns, missing=False)
    return weighted(taken, weights.astype(float).tolist(), float(intercept[0]), dialect)


def _generalised(model: Any, columns: Columns, dialect: Dialect) -> exp.Expression:
    return _linked(model._base_loss.link, _decision(model, columns, dialect), dialect)  # noqa: SLF001


def _linked(link: Any, raw: exp.Expression, dialect: Dialect) -> exp.Expression:
    if isinstance(link, IdentityLink):
        return raw
    if isinstance(link, LogLink):
        return exp.Exp(this=raw)
    if isinstance(link, LogitLink):
        return logistic(raw, dialect)
    if isinstance(link, HalfLogitLink):
        return logistic(multiply(double(2.0), exp.Paren(this=raw)), dialect)
    raise Unsupported(f"the link {type(link).__name__} is not written as SQL")


def _logistic(model: Any, which: int, columns: Columns, dialect: Dialect) -> exp.Expression:
    return _of_two(logistic(_decision(model, columns, dialect), dialect), which)


def _multinomial(model: Any, columns: Columns, dialect: Dialect) -> list[exp.Expression]:
    """The raw score of each class."""
    if model.solver == "liblinear":
        raise Unsupported("a LogisticRegression of one class against the others is not written as SQL")
    taken = checked(columns, missing=False)
    return [
        weighted(taken, weights.astype(float).tolist(), float(intercept), dialect)
        for weights, intercept in zip(model.coef_, model.intercept_, strict=True)
    ]


def _of_two(second: exp.Expression, which: int) -> exp.Expression:
    """The probability of one class, from that of the second."""
    return second if which == 1 else subtract(double(1.0), second)


def _tree_columns(model: Any, columns: Columns) -> list[Any]:
    missing, largest = limits(model)
    return checked(columns, missing=missing, largest=largest) if np.isfinite(largest) else numeric(columns)


def _tree(model: Any, which: int, columns: Columns, dialect: Dialect) -> exp.Expression:
    taken = _tree_columns(model, columns)
    return trees.accepted(taken, _plain(model, taken, which, dialect).sql(), dialect)


def _forest(model: Any, which: int, columns: Columns, dialect: Dialect) -> exp.Expression:
    taken = _tree_columns(model, columns)
    members = [_plain(tree, taken, which, dialect) for tree in model.estimators_]
    return trees.accepted(taken, trees.mean(members), dialect)


def _plain(model: Any, columns: list[Any], which: int, dialect: Dialect) -> trees.Tree:
    if model.n_outputs_ != 1:
        raise Unsupported("a tree of several answers is not written as SQL")
    return trees.plain(model, columns, model.tree_.value[:, 0, which], dialect)


def _first(how: Callable[..., exp.Expression]) -> Callable[..., exp.Expression]:
    """A tree's function as a regression's: its leaves have one value."""
    return lambda model, columns, dialect: how(model, 0, columns, dialect)


def _staged(model: Any, columns: Columns, dialect: Dialect) -> exp.Expression:
    taken = _tree_columns(model, columns)
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_)))[0, 0]  # noqa: SLF001
    members = [_plain(tree, taken, 0, dialect) for tree in model.estimators_[:, 0]]
    return trees.boosted(float(start), members, float(model.learning_rate))


def _staged_value(model: Any, columns: Columns, dialect: Dialect) -> exp.Expression:
    return trees.accepted(_tree_columns(model, columns), _staged(model, columns, dialect), dialect)


def _staged_probability(model: Any, which: int, columns: Columns, dialect: Dialect) -> exp.Expression:
    if model.init_ != "zero" and type(model.init_).__name__ != "DummyClassifier":
        raise Unsupported("GradientBoosting with an `init` of its own is not written as SQL")
    second = _linked(model._loss.link, _staged(model, columns, dialect), dialect)  # noqa: SLF001
    return trees.accepted(_tree_columns(model, columns), _of_two(second, which), dialect)


def _binned(model: Any, columns: Columns, dialect: Dialect) -> exp.Expression:
    taken = numeric(columns)
    # It encodes and reorders its native categories once more.
    inner = taken if model._preprocessor is None else numeric(prepared(model._preprocessor, taken))  # noqa: SLF001
    known, positions = model._bin_mapper.make_known_categories_bitsets()  # noqa: SLF001
    members = [
        trees.binned(stage[0], known, positions, inner, dialect)
        for stage in model._predictors  # noqa: SLF001
    ]
    raw = trees.boosted(float(model._baseline_prediction[0, 0]), members, None)  # noqa: SLF001
    return _linked(model._loss.link, raw, dialect)  # noqa: SLF001


def _binned_value(model: Any, columns: Columns, dialect: Dialect) -> exp.Expression:
    return trees.accepted(numeric(columns), _binned(model, columns, dialect), dialect)


def _binned_probability(model: Any, which: int, columns: Columns, dialect: Dialect) -> exp.Expression:
    return trees.accepted(numeric(columns), _of_two(_binned(model, columns, dialect), which), dialect)


def _calibrated(model: Any, which: int, columns: Columns, dialect: Dialect) -> exp.Expression:
    answers = [
        _of_two(_calibrator(one.calibrators[0], _response(one.estimator, columns, dialect), dialect), which)
        for one in model.calibrated_classifiers_
    ]
    if len(answers) == 1:
        return answers[0]
    return divide(exp.Paren(this=chain(answers)), double(float(len(answers))))


def _response(model: Any, columns: Columns, dialect: Dialect) -> exp.Expression:
    """What a calibrator is given: the decision function where there is one, else the second class's probability."""
    if type(model) in LINEAR:
        return _decision(model, columns, dialect)
    if hasattr(model, "decision_function"):
        raise Unsupported(f"a calibrated {type(model).__name__} is not written as SQL")
    return probability(model, 1, columns, dialect)


def _calibrator(calibrator: Any, score: exp.Expression, dialect: Dialect) -> exp.Expression:
    if isinstance(calibrator, IsotonicRegression):
        return _isotonic(calibrator, score, dialect)
    if type(calibrator).__name__ != "_SigmoidCalibration":
        raise Unsupported(f"calibration by {type(calibrator).__name__.strip('_')} is not written as SQL")
    slope, offset = float(calibrator.a_), float(calibrator.b_)
    scaled = add(multiply(double(slope), exp.Paren(this=score)), double(offset))
    return logistic(exp.Neg(this=exp.Paren(this=scaled)), dialect)


def _isotonic(calibrator: Any, score: exp.Expression, dialect: Dialect) -> exp.Expression:
    """Straight lines between the thresholds, flat outside."""
    xs, ys = calibrator.X_thresholds_.astype(float).tolist(), calibrator.y_thresholds_.astype(float).tolist()

    def body(x: Callable[[], exp.Expression]) -> exp.Expression:
        # A score that overflowed is refused; NaN is above every limit.
        overflown = exp.GT(this=exp.Abs(this=x()), expression=double(LARGEST))
        branches: list[tuple[exp.Expression, exp.Expression]] = [
            (overflown, exp.Null()),
            (exp.LTE(this=paren(x()), expression=double(xs[0])), double(ys[0])),
        ]
        for i in range(1, len(xs)):
            slope = (ys[i] - ys[i - 1]) / (xs[i] - xs[i - 1])
            risen = multiply(double(slope), exp.Paren(this=subtract(x(), double(xs[i - 1]))))
            line = double(ys[i]) if slope == 0 else add(risen, double(ys[i - 1]))
            branches.append((exp.LTE(this=paren(x()), expression=double(xs[i])), line))
        branches.append((exp.GT(this=paren(x()), expression=double(xs[-1])), double(ys[-1])))
        return case(branches)

    return bound(score, body, dialect)


def _transformed(model: Any, columns: Columns, dialect: Dialect) -> exp.Expression:
    answer = value(model.regressor_, columns, dialect)
    for op in _inverse(model.transformer_):
        answer = (
            bound(answer, _finite(op, dialect), dialect) if op in LISTED.values() else op.sql(answer, dialect)
        )
    return answer


def _finite(op: Op, dialect: Dialect) -> Callable[[Callable[[], exp.Expression]], exp.Expression]:
    """A function of what is finite: a FunctionTransformer that validates refuses all else."""

    def body(x: Callable[[], exp.Expression]) -> exp.Expression:
        within = exp.LTE(this=exp.Abs(this=x()), expression=double(LARGEST))
        return case([(within, op.sql(x(), dialect))])

    return body


def _inverse(step: Any) -> list[Op]:
    """What makes a transformed target the target again."""
    if isinstance(step, FunctionTransformer) and step.validate and not step.inv_kw_args:
        if step.inverse_func is None:
            return []
        if step.inverse_func in LISTED:
            return [LISTED[step.inverse_func]]
    if isinstance(step, StandardScaler):
        scaled = [times(float(step.scale_[0]))] if step.with_std else []
        return [*scaled, *([plus(float(step.mean_[0]))] if step.with_mean else [])]
    if isinstance(step, MinMaxScaler) and not step.clip:
        return [minus(float(step.min_[0])), over(float(step.scale_[0]))]
    raise Unsupported("this transformation of the target is not written as SQL")


VALUES: Final[Mapping[type, Callable[[Any, Columns, Dialect], exp.Expression]]] = {
    **dict.fromkeys(
        (LinearRegression, Ridge, Lasso, ElasticNet, BayesianRidge, HuberRegressor, QuantileRegressor),
        _decision,
    ),
    **dict.fromkeys((PoissonRegressor, GammaRegressor, TweedieRegressor), _generalised),
    **dict.fromkeys((DecisionTreeRegressor, ExtraTreeRegressor), _first(_tree)),
    **dict.fromkeys((RandomForestRegressor, ExtraTreesRegressor), _first(_forest)),
    GradientBoostingRegressor: _staged_value,
    HistGradientBoostingRegressor: _binned_value,
    TransformedTargetRegressor: _transformed,
}
"""How each regressor is written, by its exact type."""

PROBABILITIES: Final[Mapping[type, Callable[[Any, int, Columns, Dialect], exp.Expression]]] = {
    LogisticRegression: _logistic,
    **dict.fromkeys((DecisionTreeClassifier, ExtraTreeClassifier), _tree),
    **dict.fromkeys((RandomForestClassifier, ExtraTreesClassifier), _forest),
    GradientBoostingClassifier: _staged_probability,
    HistGradientBoostingClassifier: _binned_probability,
    CalibratedClassifierCV: _calibrated,
}
"""How each classifier is written, by its exact type."""

MARGINS: Final[Mapping[type, Callable[[Any, Columns, Dialect], list[exp.Expression]]]] = {
    LogisticRegression: _multinomial,
}
"""How each classifier of more than two classes is written, by its exact type."""
