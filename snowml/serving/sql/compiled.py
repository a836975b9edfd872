"""A pipeline and its signature, written as SQL: the score, or the prepared inputs that a kernel takes."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sqlglot import exp  # noqa: TC002

from snowml.names import Dialect
from snowml.records import Signature
from snowml.serving.classes import check_classes, place_of_positive
from snowml.serving.sql import models
from snowml.serving.sql.columns import Column, Number, Numeric, Parameter, Text, checked, features_of, numeric
from snowml.serving.sql.expressions import Unsupported, balanced, double
from snowml.serving.sql.linear import terms
from snowml.serving.sql.preparing import prepared

# Half of the megabyte that Snowflake discourages; DuckDB binds the text anew for each query.
LARGEST_TEXT: Final = 500_000
# With more than these, nested CASEs are left to whoever asks for them; with more than those, they are not written.
FEW_LEAVES: Final = 64
MOST_LEAVES: Final = 3_000


def score(pipeline: Pipeline, signature: Signature, dialect: Dialect) -> str:
    """A regression's value, or the probability of the signature's positive class.

    Raises:
        Unsupported: The pipeline cannot be written as SQL that answers what scikit-learn answers.
        DataError: The positive class is not one of the model's, or the training diverged.
    """
    model = pipeline.steps[-1][1]
    # Before columns: the reason that matters is the model's.
    if type(model) not in (models.PROBABILITIES if signature.task == "classification" else models.VALUES):
        raise Unsupported(f"{type(model).__name__} is not written as SQL")
    if models.leaves(model) > MOST_LEAVES:
        raise Unsupported(f"it has {models.leaves(model):,} leaves, and {MOST_LEAVES:,} are allowed")
    columns = _prepared(pipeline, signature)
    if signature.task == "classification":
        scored = models.probability(model, place_of_positive(model, signature), columns, dialect)
    else:
        scored = models.value(model, columns, dialect)
    return _within_size(scored.sql(dialect=dialect))


def margins(pipeline: Pipeline, signature: Signature, dialect: Dialect) -> tuple[str, ...]:
    """A raw score for each class, in their order; the probabilities are their softmax. All are NULL, or none.

    Raises:
        Unsupported: As of `score`.
        DataError: The classes are not the model's, or the training diverged.
    """
    model = pipeline.steps[-1][1]
    if type(model) not in models.MARGINS:
        raise Unsupported(f"{type(model).__name__} of {len(signature.classes)} classes is not written as SQL")
    check_classes(model, signature)
    scored = models.MARGINS[type(model)](model, _prepared(pipeline, signature), dialect)
    texts = tuple(one.sql(dialect=dialect) for one in scored)
    _within_size("".join(texts))
    return texts


def credited(pipeline: Pipeline, signature: Signature) -> tuple[int, ...]:
    """For each input of the final estimator, which feature of the signature it is made of.

    Raises:
        Unsupported: It is made of several.
    """
    places = {feature.name: place for place, feature in enumerate(signature.features)}
    found = []
    for column in numeric(_prepared(pipeline, signature)):
        of = features_of(column)
        # A constant is anybody's: no tree splits on it.
        found.append(places[_only(of)] if of else 0)
    return tuple(found)


def contributions(pipeline: Pipeline, signature: Signature, dialect: Dialect) -> tuple[str, ...]:
    """Of a linear model: for each feature of the signature its part of the raw score, as SQL, and the base last.

    Raises:
        Unsupported: It is no linear model, or a column of it is made of several features.
        DataError: As of `score`.
    """
    model = pipeline.steps[-1][1]
    if type(model) not in models.LINEAR or np.size(model.intercept_) != 1:
        raise Unsupported(f"{type(model).__name__} is no linear model of one answer")
    sign = 1.0
    if signature.task == "classification":
        sign = 1.0 if place_of_positive(model, signature) == 1 else -1.0
    columns = checked(numeric(_prepared(pipeline, signature)), missing=False)
    weights = (sign * np.ravel(model.coef_)).astype(float).tolist()
    intercept = sign * float(np.ravel(model.intercept_)[0])
    parts: dict[str, list[exp.Expression]] = {feature.name: [] for feature in signature.features}
    base = [double(intercept)]
    for column, term in terms(columns, weights, intercept, dialect):
        of = features_of(column)
        (parts[_only(of)] if of else base).append(term)
    summed = [balanced(own) if own else double(0.0) for own in (*parts.values(), base)]
    texts = tuple(one.sql(dialect=dialect) for one in summed)
    _within_size("".join(texts))
    return texts


def _only(features: frozenset[str]) -> str:
    if len(features) > 1:
        listed = ", ".join(sorted(features))
        raise Unsupported(
            f"its preparation makes one column of several features ({listed}), which is none's own"
        )
    return next(iter(features))


def reason_against(pipeline: Pipeline, signature: Signature, dialect: Dialect) -> str | None:
    """Why it cannot be written as SQL; None where it can."""
    try:
        (margins if signature.is_multiclass else score)(pipeline, signature, dialect)
    except Unsupported as reason:
        return str(reason)
    return None


def is_small(pipeline: Pipeline) -> bool:
    """Whether, written as SQL, it is also the fastest: a linear model, or few leaves."""
    return models.leaves(pipeline.steps[-1][1]) <= FEW_LEAVES


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a kernel is called with.

    Attributes:
        columns: A double for each input of the final estimator, in order, as SQL. NaN is missing.
        null: What NULL means in them: `missing` where the estimator refuses no row, so that parameters go in as they
            are; else `refused`, and the answer to a row with any NULL is NULL.
    """

    columns: tuple[str, ...]
    null: Literal["missing", "refused"]


def inputs(pipeline: Pipeline, signature: Signature, dialect: Dialect) -> Inputs:
    """The final estimator's inputs as SQL, categories as the doubles that its preparation makes of them.

    Raises:
        Unsupported: The preparation cannot be written as SQL.
    """
    columns = _inputs(pipeline, signature)
    refusing = _refuses(columns)
    texts = tuple(_input(column, refusing, dialect) for column in columns)
    _within_size("".join(texts))
    return Inputs(texts, "refused" if refusing else "missing")


def refuses(pipeline: Pipeline, signature: Signature) -> bool:
    """Whether NULL in `inputs` means a refused row: the preparation refuses some, or the final estimator does.

    Raises:
        Unsupported: The preparation cannot be written as SQL.
    """
    return _refuses(_inputs(pipeline, signature))


def _inputs(pipeline: Pipeline, signature: Signature) -> list[Numeric]:
    missing, largest = models.limits(pipeline.steps[-1][1])
    columns = numeric(_prepared(pipeline, signature))
    return checked(columns, missing=missing, largest=largest) if largest != float("inf") else columns


def _refuses(columns: list[Numeric]) -> bool:
    # Of one dialect it is what it is of another.
    return any(column.refused("duckdb") is not None for column in columns)


def _prepared(pipeline: Pipeline, signature: Signature) -> list[Column]:
    given: dict[str, Column] = {
        feature.name: Number(Parameter(feature.name)) if feature.kind == "number" else Text(feature.name)
        for feature in signature.features
    }
    columns: list[Column] = list(given.values())
    for _, step in pipeline.steps[:-1]:
        if isinstance(step, ColumnTransformer) and hasattr(step, "feature_names_in_"):
            # A frame's columns are taken by name, and it may have had more of them.
            columns = [given.get(name, Text(name)) for name in step.feature_names_in_.tolist()]
        columns = prepared(step, columns)
    return columns


def _input(column: Numeric, refusing: bool, dialect: Dialect) -> str:
    plain = isinstance(column, Number) and column.untouched and not refusing
    shown = column.source if plain and isinstance(column, Number) else column
    return shown.sql(dialect).sql(dialect=dialect)


def _within_size(text: str) -> str:
    if len(text) > LARGEST_TEXT:
        raise Unsupported(f"as SQL it has {len(text):,} characters, and {LARGEST_TEXT:,} are allowed")
    return text
