"""The content of `config.meta.snowml`: everything that the user says about a model."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, ValidationInfo, model_validator

from snowml.records import Flavor, Task
from snowml.spec.audit import Audit
from snowml.spec.estimators import fitting_estimator
from snowml.spec.fields import Column, Columns, Parameter, Positive, Seed, Text, refusal
from snowml.spec.gates import Gate, fitting_gate, fitting_metric
from snowml.spec.split import Split
from snowml.spec.upkeep import Monitor, Retrain

RESERVED = frozenset({"search", "weights", "calibrate", "threshold", "segments", "approvals"})
"""Keys whose names are kept for later."""


class Features(BaseModel):
    """Which columns are features: every one that has no other role, but for these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exclude: Columns = ()


def _positive(positive: Positive, info: ValidationInfo) -> Positive:
    if positive is not None and info.data.get("task") == "regression":
        raise refusal("only a classification has a positive class. Remove the key")
    return positive


class Settings(BaseModel):
    """What the user says about a model, valid and with the defaults filled in.

    Attributes:
        entity: The columns that identify a row, with `as_of`.
        as_of: The column with the moment of prediction.
        label_at: The column with the moment when the label became known.
        positive: For a binary classifier, the label whose probability is given.
        training_set: What `ref` is called with; as is `scoring_set`.
        serving: How the function is to be computed; where None, as is fastest.
        retrain: What makes it be trained again; None: nothing but a command.
        experiment_tracking: Write each run among Snowflake's own experiments too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Task
    entity: Annotated[Columns, Field(min_length=1)]
    as_of: Column
    label: Column
    label_at: Column
    positive: Annotated[Positive, AfterValidator(_positive)] = None
    training_set: Text
    scoring_set: Text
    features: Features = Features()
    split: Split
    estimator: Annotated[Text, AfterValidator(fitting_estimator)]
    params: dict[str, Parameter] = {}
    serving: Flavor | None = None
    metric: Annotated[str, AfterValidator(fitting_metric), Field(validate_default=True)] = ""
    gates: tuple[Annotated[Gate, AfterValidator(fitting_gate)], ...] = ()
    audit: Audit = Audit()
    monitor: Monitor = Monitor()
    retrain: Retrain | None = None
    experiment_tracking: StrictBool = False
    seed: Seed = 0

    @model_validator(mode="after")
    def _has_one_role_per_column(self) -> Self:
        taken: dict[str, str] = {}
        for role, column in self.roles:
            if column in taken:
                raise refusal(f"column {column!r} is already the {taken[column]}. Name another one", role)
            taken[column] = role
        return self

    @property
    def roles(self) -> list[tuple[str, str]]:
        """Each column that is no feature, after the key that names it."""
        entity = [("entity", column) for column in self.entity]
        return [*entity, ("as_of", self.as_of), ("label", self.label), ("label_at", self.label_at)]
