"""Answers beside scikit-learn's: how far they are apart, and on which row the furthest."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from snowml.engines.base import SqlFunction
from snowml.records import ParityCheck, Signature
from snowml.serving.explaining import Explaining
from snowml.workflows.certificate.asking import Block, Way, doubles
from snowml.workflows.certificate.reference import Reference

TOLERANCE = 1e-9
# Of a way's explanations, after its name.
EXPLAINED = "_explained"
# What a link makes of an infinity, or keeps.
_EXTREME = (0.0, 1.0, np.inf, -np.inf)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answered:
    """What one way answered to a block of rows.

    Attributes:
        way: The way.
        difference: (rows,) from scikit-learn.
        both: A row's two answers, in words.
    """

    way: str
    difference: Floats
    both: Callable[[int], str]


def by_function(block: Block, truth: Reference, way: Way) -> Answered:
    """The warehouse's functions: the score, the label of the score, and the label of the row."""
    answered = _scored(way.name, way.functions[0].name.name, block.scores(way), truth)
    wrong: dict[int, str] = {}
    for what, function in _label_functions(way).items():
        labels = np.array(block.answers(way, what).to_pylist(), dtype=object)
        for row in np.flatnonzero(labels != truth.labels).tolist():
            wrong[row] = f"{labels[row]!r} by {function.name.name}, {truth.labels[row]!r} by scikit-learn"
    # A row without an answer is told of as such.
    told = {row: words for row, words in wrong.items() if np.isfinite(answered.difference[row])}
    answered.difference[list(wrong)] = np.inf
    return Answered(way.name, answered.difference, lambda row: told.get(row) or answered.both(row))


def by_handler(answers: pa.Array, truth: Reference) -> Answered:
    """The packaged handler, which answers scores alone."""
    return _scored("handler", "the packaged handler", doubles(answers), truth)


def by_explanation(block: Block, truth: Reference, way: Way, explaining: Explaining) -> Answered:
    """What the features contribute, added up: the raw score that the prediction is made of.

    The parts are added in another order than the library adds, so that their sizes count and not their sum's.
    """
    total, size = block.explained(way)
    predictions = explaining.predictions(total)
    apart = difference(predictions, truth.scores)
    with np.errstate(invalid="ignore", over="ignore"):
        condition = np.fmax(1.0, size / np.fmax(1.0, np.abs(total)))
        apart = np.where(np.isfinite(apart), np.fmax(apart / condition - explaining.rounding, 0.0), apart)
    # A sum that is no finite number on the way cannot be told, though another order or a link may make an answer of it.
    apart[np.isnan(total) & (np.isin(truth.scores, _EXTREME) | block.vast)] = 0.0
    assert way.explains is not None  # who asks has looked
    name = way.explains.name.name

    def both(row: int) -> str:
        right = "refused" if truth.refused[row] else repr(float(truth.scores[row]))
        given = (
            "nothing told"
            if np.isnan(total[row])
            else f"contributions that add up to {float(total[row])!r}, a prediction of {float(predictions[row])!r},"
        )
        return f"{given} by {name}, {right} by scikit-learn"

    return Answered(f"{way.name}{EXPLAINED}", apart, both)


def checks(block: Block, truth: Reference, answered: Answered) -> list[ParityCheck]:
    """The comparison, by kind of rows."""
    found = []
    for kind in sorted(set(block.kinds)):
        rows = np.flatnonzero(block.kinds == kind)
        own = answered.difference[rows]
        differing = own > TOLERANCE
        worst = int(rows[own.argmax()])
        found.append(
            ParityCheck(
                way=answered.way,
                kind=str(kind),
                row_count=len(rows),
                refused_count=int(truth.refused[rows].sum()),
                altered_count=int(block.altered[rows].sum()),
                differing_count=int(differing.sum()),
                max_abs_diff=float(own.max()),
                example=f"{block.shown(worst)}: {answered.both(worst)}" if differing.any() else "",
            )
        )
    return found


def by_label(
    signature: Signature, way: Way, probabilities: list[tuple[float | None, ...]], labels: list[object]
) -> ParityCheck:
    """The rule that makes labels of probabilities, which a held-out row seldom tries at a tie."""
    wrong = [
        f"probability={', '.join(map(shown, p))}: {found!r} by {way.functions[1].name.name}, {expected!r} by "
        "scikit-learn"
        for p, found in zip(probabilities, labels, strict=True)
        if found != (expected := _label(signature, p))
    ]
    worst = float("inf") if wrong else 0.0
    return ParityCheck(way.name, "label", len(labels), 0, 0, len(wrong), worst, "".join(wrong[:1]))


def difference(one: Floats, other: Floats) -> Floats:
    """`|a - b| / max(1, |a|, |b|)`: 0 where both are missing, infinite where one is."""
    missing_one, missing_other = np.isnan(one), np.isnan(other)
    with np.errstate(invalid="ignore", over="ignore"):
        scale = np.fmax(1.0, np.fmax(np.abs(one), np.abs(other)))
        found: Floats = np.where(one == other, 0.0, np.abs(one / scale - other / scale))
    # Of two infinities, or of an infinity and a number, nothing is left to divide.
    found[np.isnan(found)] = np.inf
    found[missing_one & missing_other] = 0.0
    found[missing_one != missing_other] = np.inf
    return found


def shown(value: object) -> str:
    """A value in words, NULL and NaN apart."""
    return "NULL" if value is None else repr(value)


def _scored(way: str, name: str, scores: Floats, truth: Reference) -> Answered:
    # Where all rows are refused, nothing tells how many classes there are.
    found, wanted = np.broadcast_arrays(*(one.reshape(len(scores), -1) for one in (scores, truth.scores)))
    apart = difference(found, wanted)

    def both(row: int) -> str:
        worst = int(apart[row].argmax())
        given, expected = float(found[row, worst]), float(wanted[row, worst])
        right = "refused" if truth.refused[row] else repr(expected)
        of = f" for class {worst + 1} of {apart.shape[1]}" if apart.shape[1] > 1 else ""
        return f"{'no answer' if np.isnan(given) else repr(given)} by {name}, {right} by scikit-learn{of}"

    return Answered(way, apart.max(axis=1), both)


def _label_functions(way: Way) -> dict[str, SqlFunction]:
    if len(way.functions) == 1:
        return {}
    return {"label": way.functions[1], "answer": way.functions[2]}


def _label(signature: Signature, given: tuple[float | None, ...]) -> object:
    """scikit-learn's label at a probability of the positive class, or at those of all: the first of the largest."""
    probability = given[0]
    if probability is None or np.isnan(probability):
        return None
    if signature.is_multiclass:
        return signature.classes[int(np.argmax(np.array(given, dtype=np.float64)))]
    positive = np.array([label == signature.positive for label in signature.classes])
    return signature.classes[int(np.argmax(np.where(positive, probability, 1.0 - probability)))]
