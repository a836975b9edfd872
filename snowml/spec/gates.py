"""The conditions that a version must meet before it is approved."""

from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from snowml.errors import did_you_mean
from snowml.spec.fields import Number, refusal
from snowml.spec.metrics import METRICS, TASK_METRICS, task_of

if TYPE_CHECKING:
    from snowml.records import Task


class Gate(BaseModel):
    """A condition on a version: a metric within bounds, or better than the baseline's or the champion's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    better_than: Literal["baseline", "champion"] | None = None
    metric: str = ""
    split: Literal["train", "validation", "test"] = "test"
    min: Number | None = None
    max: Number | None = None

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        bounded = self.min is not None or self.max is not None
        if self.better_than is not None:
            if bounded:
                key = "max" if self.min is None else "min"
                raise refusal("a gate with 'better_than' has no bounds. Write two gates", key)
            return self
        if not self.metric:
            raise refusal(f"missing key 'metric'. Known: {', '.join(sorted(METRICS))}")
        if not bounded:
            raise refusal("the gate has no bound. Add 'min' or 'max', or 'better_than: baseline'")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise refusal(f"min {self.min} is above max {self.max}: no model passes", "min")
        return self


def fitting_metric(metric: str, info: ValidationInfo) -> str:
    """`metric`, or the task's default when empty."""
    task: Task | None = info.data.get("task")
    known = TASK_METRICS[task] if task else tuple(METRICS)
    if metric in known:
        return metric
    if not metric:
        return known[0]
    other = task_of(metric)
    if other:
        raise refusal(f"{metric!r} is for {other}, and the task is {task}. Known: {', '.join(known)}.")
    raise refusal(f"no metric {metric!r}.{did_you_mean(metric, known)}")


def fitting_gate(gate: Gate, info: ValidationInfo) -> Gate:
    """`gate` with its metric, which is the model's own unless it says otherwise."""
    if not gate.metric:
        return gate.model_copy(update={"metric": info.data.get("metric", "")})
    try:
        fitting_metric(gate.metric, info)
    except PydanticCustomError as error:
        raise refusal(error.message(), "metric") from None
    return gate
