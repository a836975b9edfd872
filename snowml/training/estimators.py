"""The estimators that a model may name, and how each wants its inputs prepared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sklearn.base import BaseEstimator
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
    TweedieRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from snowml.boosting.base import Boosting, require
from snowml.boosting.lightgbm import LightGBMClassifier, LightGBMRegressor
from snowml.boosting.xgboost import XGBoostClassifier, XGBoostRegressor
from snowml.errors import UserError, did_you_mean
from snowml.records import Task

Preparation = Literal["linear", "native", "ordinal"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One estimator by name: its class for each task (None where it has none) and its preparation."""

    classifier: type[BaseEstimator] | None
    regressor: type[BaseEstimator] | None
    preparation: Preparation


ESTIMATORS: Final[Mapping[str, Kind]] = {
    "hist_gradient_boosting": Kind(HistGradientBoostingClassifier, HistGradientBoostingRegressor, "native"),
    "lightgbm": Kind(LightGBMClassifier, LightGBMRegressor, "native"),
    "xgboost": Kind(XGBoostClassifier, XGBoostRegressor, "native"),
    "random_forest": Kind(RandomForestClassifier, RandomForestRegressor, "ordinal"),
    "extra_trees": Kind(ExtraTreesClassifier, ExtraTreesRegressor, "ordinal"),
    "gradient_boosting": Kind(GradientBoostingClassifier, GradientBoostingRegressor, "ordinal"),
    "decision_tree": Kind(DecisionTreeClassifier, DecisionTreeRegressor, "ordinal"),
    "linear_regression": Kind(None, LinearRegression, "linear"),
    "ridge": Kind(None, Ridge, "linear"),
    "lasso": Kind(None, Lasso, "linear"),
    "elastic_net": Kind(None, ElasticNet, "linear"),
    "bayesian_ridge": Kind(None, BayesianRidge, "linear"),
    "huber": Kind(None, HuberRegressor, "linear"),
    "quantile": Kind(None, QuantileRegressor, "linear"),
    "poisson": Kind(None, PoissonRegressor, "linear"),
    "gamma": Kind(None, GammaRegressor, "linear"),
    "tweedie": Kind(None, TweedieRegressor, "linear"),
    "logistic_regression": Kind(LogisticRegression, None, "linear"),
}

# With several jobs these add their trees in any order, and are not reproducible to the bit.
FORESTS: Final = frozenset({"random_forest", "extra_trees"})

# What snowml decides itself.
OURS: Final = frozenset({"random_state", "n_jobs", "categorical_features", "warm_start"})


def kind_of(name: str) -> Kind:
    """The estimator's entry; UserError when there is none."""
    if name not in ESTIMATORS:
        raise UserError(f"There is no estimator '{name}'.{did_you_mean(name, ESTIMATORS)}")
    return ESTIMATORS[name]


def create(name: str, task: Task, params: Mapping[str, object], seed: int) -> BaseEstimator:
    """The unfitted estimator, seeded and on one thread.

    Raises:
        UserError: An unknown name, a task it cannot do, a parameter it does not have, or its library is not installed.
    """
    kind = kind_of(name)
    wanted = kind.classifier if task == "classification" else kind.regressor
    if wanted is None:
        raise UserError(f"The estimator '{name}' cannot do {task}. These can: {', '.join(names_for(task))}.")
    if issubclass(wanted, Boosting):
        require(wanted.library)
    estimator = wanted()
    defaults: Mapping[str, Any] = estimator.get_params(deep=False)
    check_params(name, params, defaults)
    fixed = {"random_state": seed} if "random_state" in defaults else {}
    if name in FORESTS:
        fixed["n_jobs"] = 1
    return estimator.set_params(**params, **fixed)


def names_for(task: Task) -> list[str]:
    """The names of the estimators that can do the task."""
    if task == "classification":
        return [name for name, kind in ESTIMATORS.items() if kind.classifier]
    return [name for name, kind in ESTIMATORS.items() if kind.regressor]


def check_params(name: str, params: Mapping[str, object], defaults: Mapping[str, object]) -> None:
    """Refuse a parameter that the estimator does not have, or that snowml sets itself."""
    known = sorted(set(defaults) - OURS)
    for param in params:
        if param in OURS and param in defaults:
            raise UserError(f"The parameter '{param}' of '{name}' is set by snowml; remove it.")
        if param not in known:
            close = did_you_mean(param, known)
            hint = close if "Did you mean" in close else ""
            raise UserError(
                f"The estimator '{name}' has no parameter '{param}'.{hint} Known: {', '.join(known)}."
            )
