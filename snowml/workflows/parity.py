"""Parity: the function in the warehouse answers what the trained pipeline answers, row by row."""

from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from snowml.engines.base import Engine
from snowml.engines.columns import columns_of
from snowml.errors import DataError
from snowml.names import Relation, quoted
from snowml.records import Parity, Signature, Version
from snowml.registry.store import Registry
from snowml.registry.trusted import Artifact
from snowml.serving import multiclass
from snowml.spec.split import Split
from snowml.training.data import feature_columns, to_frame
from snowml.training.fitting import answer
from snowml.workflows.inputs import broken_inputs
from snowml.workflows.specs import of_version

TOLERANCE = 1e-9


def compare(
    engine: Engine, registry: Registry, version: Version, artifact: Artifact, now: datetime
) -> Parity:
    """Score the test window of the version's run with its function and with scikit-learn, and compare.

    Equal means: both NULL, or `|a - b| <= 1e-9 * max(1, |a|, |b|)`; labels must be the same.

    Raises:
        DataError: The test window has no rows any more, or lacks a column that the version reads.
    """
    table = _answers(engine, registry, version)
    frame = to_frame(table, version.signature.features)
    labels, scores = _scikit_learn(artifact, frame)
    names = _scores(version.signature)
    found = np.stack([_doubles(table[name]) for name in names], axis=1)
    difference = _difference(found, scores.reshape(found.shape)).max(axis=1)
    if version.signature.task == "classification":
        same = np.array(table["snowml_answer"].to_pylist(), dtype=object) == labels
        difference = np.where(same, difference, np.inf)
    worst = float(difference.max())
    return Parity(
        model=version.model,
        version=version.version,
        rows=table.num_rows,
        max_abs_diff=worst,
        tolerance=TOLERANCE,
        certified=worst <= TOLERANCE,
        checked_at=now,
    )


def _answers(engine: Engine, registry: Registry, version: Version) -> pa.Table:
    """The features of the test window with the function's answers, in one query."""
    spec, dialect, signature = of_version(registry, version), engine.name, version.signature
    if broken := broken_inputs(columns_of(engine, spec.training_set), version, str(spec.training_set)):
        raise DataError(
            "\n".join([f"{version.model} version {version.version} cannot be compared.", *broken])
        )
    run = registry.run(version.run_id)
    windows = Split.model_validate(run.params["split"]).windows(run.as_of)
    arguments = ", ".join(quoted(feature.name, dialect) for feature in signature.features)
    function = Relation(spec.function_schema, f"predict_{version.model}_v{version.version}", engine.database)
    answered = f"{function.sql(dialect)}({arguments})"
    if signature.task == "classification":
        proba = Relation(function.schema, f"{function.name}_proba", function.database)
        scored = f"{proba.sql(dialect)}({arguments})"
    else:
        scored = answered
    as_of = quoted(signature.as_of, dialect)
    sql = (
        f"select {', '.join(feature_columns(signature.features, dialect))}, "
        f"{answered} as snowml_answer, {scored} as snowml_score "
        f"from {spec.training_set.within(engine.database).sql(dialect)} where {as_of} >= ? and {as_of} < ?"
    )
    if signature.is_multiclass:
        each = [
            f"{multiclass.probability_of('snowml_score', label, signature, dialect)} as {name}"
            for label, name in zip(signature.classes, _scores(signature), strict=True)
        ]
        names = [quoted(feature.name, dialect) for feature in signature.features]
        sql = f"select {', '.join([*names, 'snowml_answer', *each])} from ({sql}) as answered"
    table = engine.query(sql, [windows.test_start, windows.end])
    if table.num_rows == 0:
        raise DataError(
            f"{spec.training_set} has no row from {windows.test_start} to {windows.end}, the test window of version "
            f"{version.version}: its function cannot be compared. Build the training set as of a later time."
        )
    return table


def _scores(signature: Signature) -> list[str]:
    """The columns of the scores: one for each class where there are more than two."""
    many = signature.is_multiclass
    return [f"snowml_score_{i}" for i in range(len(signature.classes))] if many else ["snowml_score"]


def _scikit_learn(artifact: Artifact, frame: pd.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
    """scikit-learn's labels and scores; None and NaN for a row that it refuses.

    A batch is refused for the sake of one row, whatever the reason: halves are asked until the row stands alone.

    Raises:
        DataError: It refuses every row.
    """
    labels: NDArray[np.object_] = np.full(len(frame), None, dtype=object)
    scores = np.full(len(frame), np.nan)
    pending, refused, reason = [(0, len(frame))], 0, ValueError()
    while pending:
        start, end = pending.pop()
        try:
            labels[start:end], found = answer(artifact, frame.iloc[start:end])
            if found.ndim > scores.ndim:
                scores = np.full((len(frame), found.shape[1]), np.nan)
            scores[start:end] = found
        except ValueError as error:
            if end - start == 1:
                refused, reason = refused + 1, error
                continue
            middle = (start + end) // 2
            pending += [(start, middle), (middle, end)]
    if refused == len(frame):
        raise DataError(
            f"scikit-learn refuses every row of the test window, so nothing can be compared: {reason}"
        ) from reason
    return labels, scores


def _doubles(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(column.cast(pa.float64()).to_pandas(), dtype=np.float64)


def _difference(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """`|a - b| / max(1, |a|, |b|)`: 0 where both are missing, infinite where one is."""
    missing_one, missing_other = np.isnan(one), np.isnan(other)
    scale = np.fmax(1.0, np.fmax(np.abs(one), np.abs(other)))
    difference = np.abs(one - other) / scale
    difference[missing_one & missing_other] = 0.0
    difference[missing_one != missing_other] = np.inf
    return difference
