"""The names of the estimators, for a specification to be checked without importing scikit-learn."""

from typing import TYPE_CHECKING, Final

from snowml.errors import did_you_mean
from snowml.spec.fields import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationInfo

    from snowml.records import Task

_TREES: Final = (
    "hist_gradient_boosting",
    "lightgbm",
    "xgboost",
    "random_forest",
    "extra_trees",
    "gradient_boosting",
    "decision_tree",
)

ESTIMATORS: "Final[Mapping[Task, tuple[str, ...]]]" = {
    "classification": (*_TREES, "logistic_regression"),
    "regression": (
        *_TREES,
        *("linear_regression", "ridge", "lasso", "elastic_net", "bayesian_ridge", "huber", "quantile"),
        *("poisson", "gamma", "tweedie"),
    ),
}
"""Those that can do each task; a test holds them against training's own."""


def fitting_estimator(name: str, info: "ValidationInfo") -> str:
    """`name`, if there is such an estimator and it can do the task."""
    known = dict.fromkeys(one for names in ESTIMATORS.values() for one in names)
    if name not in known:
        raise refusal(f"there is no estimator '{name}'.{did_you_mean(name, known)}")
    task: Task | None = info.data.get("task")
    if task and name not in ESTIMATORS[task]:
        raise refusal(f"'{name}' cannot do {task}. These can: {', '.join(ESTIMATORS[task])}.")
    return name
