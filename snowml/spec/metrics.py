"""The metrics that a specification may name, and which way each one points."""

from collections.abc import Mapping
from typing import Final

from snowml.records import Task

METRICS: Final[Mapping[str, bool]] = {
    "roc_auc": True,
    "average_precision": True,
    "brier": False,
    "log_loss": False,
    "accuracy": True,
    "macro_f1": True,
    "mae": False,
    "rmse": False,
    "r2": True,
    "median_ae": False,
}
"""For each metric, whether greater is better."""

TASK_METRICS: Final[Mapping[Task, tuple[str, ...]]] = {
    "classification": ("roc_auc", "average_precision", "brier", "log_loss", "accuracy", "macro_f1"),
    "regression": ("mae", "rmse", "r2", "median_ae"),
}
"""The metrics of each task; the first is its default."""


CLASS_METRICS: Final[Mapping[bool, tuple[str, ...]]] = {
    False: ("roc_auc", "average_precision", "brier", "log_loss", "accuracy"),
    True: ("roc_auc", "log_loss", "accuracy", "macro_f1"),
}
"""The metrics of a classification of two classes (False) and of more (True), which the data decide."""


def better(metric: str, one: float, other: float) -> bool:
    """Whether `one` is strictly the better value of `metric`; a NaN is never better."""
    return one > other if METRICS[metric] else one < other


def task_of(metric: str) -> Task | None:
    """The task that `metric` belongs to, or None when there is no such metric."""
    return next((task for task, metrics in TASK_METRICS.items() if metric in metrics), None)
