"""Fitting one model and measuring it beside its baselines and the champion."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snowml.errors import DataError
from snowml.records import Label, Metric, Signature
from snowml.registry.trusted import Artifact
from snowml.spec.metrics import CLASS_METRICS
from snowml.spec.problems import Problem, spec_error
from snowml.spec.settings import Settings
from snowml.training import pipeline
from snowml.training.baselines import Baseline, as_judged, best_rule, constant
from snowml.training.data import TrainingData
from snowml.training.estimators import Preparation, kind_of
from snowml.training.metrics import evaluate
from snowml.training.split import Mask

if TYPE_CHECKING:
    from snowml.spec.location import Locator

# The largest number that an estimator takes, by how its inputs are prepared: trees but for the native ones keep them
# as float32, of which this is the largest that does not become an infinity. Scaling adds up squares, which have room
# for a thousand million rows.
LARGEST: Mapping[Preparation, float] = {
    "native": np.inf,
    "linear": 1e149,
    "ordinal": float(np.finfo(np.float32).max),
}

# XGBoost keeps numbers as float32 too, and trains on no infinity.
LARGEST_OF: Mapping[str, float] = {"xgboost": LARGEST["ordinal"]}

# A label of more values than this is more likely an identifier, or a quantity.
MOST_CLASSES = 100

# predictor → split → metric → value
Measured = dict[str, dict[str, dict[str, float]]]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model with its figures.

    Attributes:
        artifact: The pipeline with its signature.
        measured: predictor → split → metric → value.
        labels: The model's labels or values on the test split.
        scores: Its scores there; they are what monitoring compares later scores with.
        baselines: The constant and the best rule that it was measured beside.
        durations: Seconds by step.
    """

    artifact: Artifact
    measured: Measured
    labels: NDArray[np.generic]
    scores: NDArray[np.float64]
    baselines: tuple[Baseline, ...]
    durations: Mapping[str, float] = field(default_factory=dict)

    @property
    def best_rule(self) -> str:
        """The feature that the best single rule reads."""
        return next(rule.feature for rule in self.baselines if rule.feature is not None)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The figures as rows."""
        return tuple(
            Metric(split=split, metric=metric, value=value, predictor=predictor)
            for predictor, splits in self.measured.items()
            for split, values in splits.items()
            for metric, value in values.items()
        )


@dataclass(frozen=True, slots=True)
class Rival:
    """The champion, with all rows of the training data as it reads them."""

    artifact: Artifact
    frame: pd.DataFrame


def fit(
    settings: Settings,
    signature: Signature,
    data: TrainingData,
    masks: Mapping[str, Mask],
    champion: Rival | None = None,
) -> Fitted:
    """Fit on the train split, and measure everything on every split.

    Raises:
        UserError: The estimator or one of its parameters is wrong.
        DataError: The train split has one class only, or there are numbers that the estimator refuses.
    """
    clock = _Stopwatch()
    train = masks["train"]
    _check_classes(signature, data.label[train])
    used: Mask = masks["train"] | masks["validation"] | masks["test"]
    check_numbers(settings.estimator, signature, data.frame[used])
    unfitted = pipeline.build(
        settings.estimator, settings.task, settings.params, settings.seed, signature.features
    )
    fitted = pipeline.fit(unfitted, data.frame[train], data.label[train])
    clock.lap("fit")
    artifact = Artifact(signature, fitted)
    measured: Measured = {"model": {}}
    answers = {name: answer(artifact, data.frame[mask]) for name, mask in masks.items()}
    for name, mask in masks.items():
        measured["model"][name] = _evaluate(signature, data.label[mask], *answers[name])
    if champion and (values := _measure_champion(champion, data.label, masks["test"])):
        measured["champion"] = {"test": values}
    clock.lap("evaluate")
    rules = _baselines(settings, signature, data, masks)
    for rule in rules:
        measured[rule.name] = {
            name: _measure_baseline(rule, signature, data, mask) for name, mask in masks.items()
        }
    clock.lap("baselines")
    return Fitted(artifact, measured, *answers["test"], rules, clock.laps)


def answer(artifact: Artifact, frame: Any) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
    """scikit-learn's predictions and scores: for a classifier the probability of the positive class.

    Of more than two classes the scores are (rows, classes), the probability of each.
    """
    signature, model = artifact.signature, artifact.pipeline
    frame = frame[[feature.name for feature in signature.features]]
    if signature.task == "regression":
        values = np.asarray(model.predict(frame), dtype=np.float64)
        return values, values
    probabilities = model.predict_proba(frame)
    labels = model.classes_[probabilities.argmax(axis=1)]
    if signature.is_multiclass:
        return labels, np.asarray(probabilities, dtype=np.float64)
    scores = probabilities[:, list(model.classes_).index(signature.positive)]
    return labels, np.ascontiguousarray(scores)


def classes(
    label: NDArray[np.generic],
    positive: Label | None,
    where: str = "The label",
    locator: "Locator | None" = None,
) -> tuple[tuple[Label, ...], Label | None]:
    """The labels of a classification, ascending, and which is positive where there are two.

    Args:
        label: The labels.
        positive: What the specification says.
        where: Which column of which table, and of which model.
        locator: The place of the settings, where the project's files are at hand.

    Raises:
        DataError: There is one only, or there are too many.
        SpecError: The positive one is not among them, or cannot be told, or was given where there are more than two.
    """
    found: tuple[Label, ...] = tuple(
        value.item() if hasattr(value, "item") else value for value in np.unique(label)
    )
    if len(found) > 2:
        return _more_than_two(found, positive, where, locator), None
    if len(found) < 2:
        shown = ", ".join(map(repr, found))
        raise DataError(
            f"{where} has {len(found)} value{'s' if len(found) != 1 else ''} ({shown}); a classification needs two. "
            "Train as of a time when both were known (--as-of), or correct the label's SQL."
        )
    if positive is None:
        if found in ((False, True), (0, 1)):
            return found, found[1]
        problem = Problem(
            f"{where}: which of {found[0]!r} and {found[1]!r} is positive? Say so: positive:", ("label",)
        )
        raise spec_error([problem], locator)
    for value in found:
        if value == positive:
            return found, value
    # YAML reads an unquoted yes, no, on or off as true or false.
    quoting = isinstance(positive, bool) and isinstance(found[0], str)
    hint = (
        f" Quote it, or YAML reads yes and no as true and false: positive: '{found[bool(positive)]}'"
        if quoting
        else ""
    )
    problem = Problem(
        f"{where}: positive is {positive!r}, and the label's values are {found[0]!r} and {found[1]!r}.{hint}",
        ("positive",),
    )
    raise spec_error([problem], locator)


def _more_than_two(
    found: tuple[Label, ...], positive: Label | None, where: str, locator: "Locator | None"
) -> tuple[Label, ...]:
    shown = ", ".join(map(repr, found[:10])) + (", …" if len(found) > 10 else "")
    if len(found) > MOST_CLASSES:
        raise DataError(
            f"{where} has {len(found):,} values ({shown}), and a classification takes at most {MOST_CLASSES}. Group "
            "the rare ones in the label's SQL, or make it a regression (task: regression) if it is a quantity."
        )
    if positive is not None:
        problem = Problem(
            f"{where} has {len(found)} values ({shown}), so none is positive: each gets a probability of its own. "
            "Remove the key `positive`",
            ("positive",),
        )
        raise spec_error([problem], locator)
    return found


def check_metrics(settings: Settings, signature: Signature, locator: "Locator | None" = None) -> None:
    """Refuse metrics that are not defined for as many classes as the label has.

    Raises:
        SpecError: One error that lists all of them, each with its place.
    """
    if signature.task == "regression":
        return
    known = CLASS_METRICS[signature.is_multiclass]
    named = [
        (("metric",), settings.metric),
        *((("gates", i), gate.metric) for i, gate in enumerate(settings.gates)),
    ]
    problems = [
        Problem(
            f"{'.'.join(map(str, path))}: '{metric}' is not defined for {len(signature.classes)} classes. "
            f"Known: {', '.join(known)}.",
            path,
        )
        for path, metric in named
        if metric not in known
    ]
    if problems:
        raise spec_error(problems, locator)


def _check_classes(signature: Signature, label: NDArray[np.generic]) -> None:
    missing = [value for value in signature.classes if not (label == value).any()]
    if missing:
        raise DataError(
            f"No row of the train split has the label {missing[0]!r}. Train as of a later time, or make the validation "
            "and test windows shorter: split:"
        )


def check_numbers(estimator: str, signature: Signature, frame: pd.DataFrame) -> None:
    """Refuse numbers that the estimator would refuse, by the names of their columns.

    Raises:
        DataError: There are any.
    """
    largest = LARGEST_OF.get(estimator, LARGEST[kind_of(estimator).preparation])
    above = {name: frame[name][frame[name].abs() > largest] for name in signature.numbers}
    shown = ", ".join(
        f"'{name}' in {len(values):,} rows (such as {values.iloc[0]:.4g})"
        for name, values in above.items()
        if len(values)
    )
    if shown:
        raise DataError(
            f"{estimator} takes no number above {largest:.2g} nor infinities: {shown}. Turn them into NULL in the "
            "features, or use hist_gradient_boosting."
        )


def _evaluate(
    signature: Signature,
    label: NDArray[np.generic],
    answers: NDArray[np.generic],
    scores: NDArray[np.float64],
) -> dict[str, float]:
    if signature.is_multiclass:
        return evaluate(signature.task, label, answers, scores, classes=signature.classes)
    positive = 1.0 if signature.positive is None else signature.positive
    return evaluate(signature.task, label, answers, scores, positive=positive)


def _baselines(
    settings: Settings, signature: Signature, data: TrainingData, masks: Mapping[str, Mask]
) -> tuple[Baseline, ...]:
    train, validation = masks["train"], masks["validation"]
    truth = _truth(signature, data.label)
    rule = best_rule(
        data.frame[train],
        truth[train],
        signature.features,
        validation=data.frame[validation],
        validation_y=truth[validation],
        task=settings.task,
        metric=settings.metric,
    )
    return constant(truth[train], settings.metric), rule


def _measure_baseline(
    rule: Baseline, signature: Signature, data: TrainingData, mask: Mask
) -> dict[str, float]:
    truth = _truth(signature, data.label[mask])
    return evaluate(signature.task, **as_judged(signature.task, truth, rule.predict(data.frame[mask])))


def _measure_champion(champion: Rival, label: NDArray[np.generic], test: Mask) -> dict[str, float]:
    """The champion on the same rows; nothing where it refuses one."""
    try:
        answers, scores = answer(champion.artifact, champion.frame[test])
    except ValueError:
        return {}
    return _evaluate(champion.artifact.signature, label[test], answers, scores)


def _truth(signature: Signature, label: NDArray[np.generic]) -> NDArray[np.float64]:
    """Labels as numbers: 1.0 for the positive class, or values; of more than two classes, a column for each."""
    if signature.is_multiclass:
        return np.stack([label == value for value in signature.classes], axis=1).astype(np.float64)
    return (label == signature.positive if signature.task == "classification" else label).astype(np.float64)


class _Stopwatch:
    """Seconds by step."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, name: str) -> None:
        now = perf_counter()
        self.laps[name], self._last = now - self._last, now
