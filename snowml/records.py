"""What the registry keeps, as frozen values: every floor above speaks in these."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

Task = Literal["classification", "regression"]
FeatureKind = Literal["number", "category"]
Flavor = Literal["sql", "kernel", "estimator", "native"]
Status = Literal["candidate", "rejected", "approved", "retired"]
Event = Literal["registered", "approved", "rejected", "certified", "promoted", "rolled_back", "retired"]
# What a decision about retraining came to: not due; a new champion; the old one stays, because the new version is not
# better, does not pass its gates, or has no function that equals scikit-learn; or an error.
Outcome = Literal["nothing", "promoted", "kept", "rejected", "uncertified", "failed"]
TaskState = Literal["succeeded", "failed", "skipped"]
Label = bool | int | float | str


class Feature(BaseModel):
    """One input column: a number (as a double) or a category (as text)."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: FeatureKind


class Signature(BaseModel):
    """What a version takes and what it answers; immutable, and kept with the version.

    Attributes:
        features: The inputs, in the order of the function's parameters.
        entity: The columns that identify a row, with `as_of`.
        as_of: The column with the moment of prediction.
        task: What kind of answer it gives.
        label_type: The warehouse's own type of the label, which a label answer is cast to.
        classes: For a classifier, the labels, in scikit-learn's order.
        positive: For a classifier of two classes, the label whose probability is given; of more, all are.
    """

    model_config = ConfigDict(frozen=True)

    features: tuple[Feature, ...]
    entity: tuple[str, ...]
    as_of: str
    task: Task
    label_type: str
    classes: tuple[Label, ...] = ()
    positive: Label | None = None

    @property
    def is_multiclass(self) -> bool:
        """Whether it is a classifier of more than two classes, which answers a probability for each."""
        return len(self.classes) > 2

    @property
    def numbers(self) -> list[str]:
        """The names of the numeric features, in order."""
        return [feature.name for feature in self.features if feature.kind == "number"]

    @property
    def categories(self) -> list[str]:
        """The names of the categorical features, in order."""
        return [feature.name for feature in self.features if feature.kind == "category"]


class StoredRule(BaseModel):
    """A predictor so simple that a model must beat it: a constant, or the mean label by bins of one feature.

    Attributes:
        predictor: `constant` or `best_rule`.
        feature: The column it reads; None for a constant.
        known: A number's ascending bin edges (a bin is `lower <= x < upper`), or a category's values.
        means: The score of each bin; the last is for a missing number, or a missing or unknown category.
        shares: In their place, where there are more than two classes: for each bin the share of each class.
    """

    model_config = ConfigDict(frozen=True)

    predictor: str
    feature: Feature | None = None
    known: tuple[float, ...] | tuple[str, ...] = ()
    means: tuple[float, ...] = ()
    shares: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure about one split: `predictor` is `model`, `constant` or `best_rule`."""

    split: str
    metric: str
    value: float
    predictor: str = "model"


@dataclass(frozen=True, slots=True)
class Run:
    """One training, finished."""

    run_id: str
    model: str
    as_of: datetime
    started_at: datetime
    spec_hash: str
    git_commit: str | None
    seed: int
    training_set: str
    fingerprint: str
    row_counts: Mapping[str, int]
    params: Mapping[str, object]
    packages: Mapping[str, str]
    durations: Mapping[str, float]
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable version of a model, as registered."""

    model: str
    version: int
    run_id: str
    flavor: Flavor
    signature: Signature
    artifact: str
    registered_at: datetime
    spec_hash: str


@dataclass(frozen=True, slots=True)
class VersionEvent:
    """Something that happened to a version; the sequence of these is the truth about it."""

    model: str
    version: int
    event: Event
    happened_at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ParityCheck:
    """One way of answering one kind of rows, beside scikit-learn's answers.

    Attributes:
        way: `function`, the version's own functions in the warehouse; `champion`, those without a number; each with
            `_explained`, what its contributions of features add up to; `handler`, the Snowflake handler as it is
            packaged, run outside of Snowflake.
        kind: Why the rows were chosen: `held_out`, or a kind of adversarial rows.
        row_count: How many rows.
        refused_count: How many of them scikit-learn refuses.
        altered_count: How many of them the warehouse gave back other than it was given them.
        differing_count: How many answers are not scikit-learn's.
        max_abs_diff: The largest difference; infinite for another label, or an answer that only one of the two has.
        example: The row of that difference with both answers, where one is too large.
    """

    way: str
    kind: str
    row_count: int
    refused_count: int
    altered_count: int
    differing_count: int
    max_abs_diff: float
    example: str = ""


@dataclass(frozen=True, slots=True)
class Parity:
    """The certificate of a version: what serves it, compared with scikit-learn.

    Attributes:
        rows: How many different rows were compared.
        max_abs_diff: The largest difference of a prediction, `|a - b| / max(1, |a|, |b|)`.
        tolerance: How large it may be.
        certified: Whether it is not larger, for any row in any way, and for what explanations add up to.
        engine: The warehouse and its version.
        functions: The sha256 of the functions' text and of what they load.
        code: The sha256 of snowml's modules that serve, and of the versions of what they import.
        snowml: The version of snowml.
        checks: The comparison by way and kind of rows.
    """

    model: str
    version: int
    rows: int
    max_abs_diff: float
    tolerance: float
    certified: bool
    checked_at: datetime
    engine: str | None = None
    functions: str | None = None
    code: str | None = None
    snowml: str | None = None
    checks: tuple[ParityCheck, ...] = ()

    def summary(self) -> dict[str, object]:
        """What people are told of it."""
        return {"certified": self.certified, "max_abs_diff": self.max_abs_diff, "rows": self.rows}

    def document(self) -> dict[str, object]:
        """All of it."""
        names = ("tolerance", "checked_at", "engine", "functions", "code", "snowml", "checks")
        return {**self.summary(), **{name: getattr(self, name) for name in names}}

    @property
    def held_out(self) -> int:
        """How many of the rows are held-out ones; all of them, in a certificate from before there were others."""
        found = [check.row_count for check in self.checks if check.kind == "held_out"]
        return max(found, default=self.rows)


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a column's distribution, frozen at training.

    A number's bin is `lower <= x < upper`, open-ended where None; a category's bin is one value, or all others
    where `category` is None. `share` is the part of the non-null rows that fell in it.
    """

    column_name: str
    kind: FeatureKind
    bin: int
    lower: float | None
    upper: float | None
    category: str | None
    share: float
    null_rate: float
    row_count: int


@dataclass(frozen=True, slots=True)
class Drift:
    """How far one column of a scored window has moved from its baseline."""

    model: str
    version: int
    window_start: datetime
    window_end: datetime
    column_name: str
    psi: float
    null_rate: float
    baseline_null_rate: float
    row_count: int
    threshold: float
    drifted: bool
    monitored_at: datetime


@dataclass(frozen=True, slots=True)
class Performance:
    """One metric of the predictions of a window whose labels are known."""

    model: str
    version: int
    window_start: datetime
    window_end: datetime
    metric: str
    value: float
    row_count: int
    scored_count: int
    monitored_at: datetime
    predictor: str = "model"


class Reason(BaseModel):
    """What one part of a policy says of retraining: that it is due, or why not."""

    model_config = ConfigDict(frozen=True)

    reason: Literal["untrained", "schedule", "new_rows", "drift", "forced"]
    due: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a model was to be trained again as of a moment, why, and what came of it.

    Attributes:
        based_on: The newest version trained before that moment, which new rows and drift are counted from.
        version: The version that was trained.
        champion: The champion before.
        challenger_value: The new version's figure in the model's metric, on the test window.
        champion_value: The champion's, on the same rows; None where it could not be measured.
    """

    model: str
    as_of: datetime
    decided_at: datetime
    outcome: Outcome
    reasons: tuple[Reason, ...]
    detail: str
    based_on: int | None = None
    version: int | None = None
    champion: int | None = None
    metric: str | None = None
    challenger_value: float | None = None
    champion_value: float | None = None

    @property
    def due(self) -> tuple[Reason, ...]:
        """The reasons there were."""
        return tuple(reason for reason in self.reasons if reason.due)

    def summary(self) -> dict[str, object]:
        """What a command or a procedure answers."""
        return {
            "model": self.model,
            "as_of": self.as_of,
            "outcome": self.outcome,
            "detail": self.detail,
            "reasons": [reason.model_dump() for reason in self.reasons],
            "based_on": self.based_on,
            "version": self.version,
            "champion": self.champion,
            "metric": self.metric,
            "challenger_value": self.challenger_value,
            "champion_value": self.champion_value,
        }


@dataclass(frozen=True, slots=True)
class TaskRun:
    """A task that ended, for the moment at which its graph was due."""

    schedule: str
    task: str
    model: str | None
    due_at: datetime
    state: TaskState
    detail: str
    started_at: datetime
    ended_at: datetime

    def summary(self) -> dict[str, object]:
        """What a command answers."""
        return asdict(self)
