"""A version as the methods of a native model: a frame of features in, a series of answers out.

This is the handler of a `NativeVersion`. `predict` answers what `predict_<model>` answers, and `predict_proba` what
`predict_<model>_proba` does, by scikit-learn itself whatever the flavour: NULL for a row that it refuses. A method
answers one value a row, so of more than two classes there is `predict` alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from snowml.engines.base import Method
from snowml.names import Relation, quoted
from snowml.records import Label, Signature
from snowml.registry.trusted import Artifact
from snowml.serving import estimator
from snowml.serving.structs import struct_of

_METHOD_TYPES: Final = {bool: "boolean", int: "bigint", float: "double", str: "text"}
# With more inputs than these a method takes one OBJECT.
_MOST_FEATURES: Final = 500
_PANDAS: Final = {
    pa.float64(): pd.Float64Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype(),
}


def methods_of(signature: Signature) -> tuple[Method, ...]:
    """The methods of a version with that signature."""
    if signature.task == "regression":
        return (Method("predict", "prediction", "double"),)
    label: Any = _METHOD_TYPES[type(signature.classes[0])]
    predict = Method("predict", "prediction", label)
    if signature.is_multiclass:
        return (predict,)
    return (predict, Method("predict_proba", "probability", "double"))


def reason_against(signature: Signature) -> str | None:
    """What keeps a method from serving a version of that signature; None where nothing does."""
    if signature.is_multiclass:
        return "it has more than two classes, and a method of a MODEL answers one value a row"
    if (count := len(signature.features)) > _MOST_FEATURES:
        return f"it has {count} features, and a method of a MODEL takes at most {_MOST_FEATURES} by name"
    return None


def version_name(version: int) -> str:
    """What a version is called among the warehouse's own."""
    return f"V{version}"


def score(model: Relation, version: int, signature: Signature, arguments: Sequence[str]) -> str:
    """The SQL of what a version answers: a regression's value, or the probability of the positive class."""
    method = methods_of(signature)[-1]
    called = f"model({model.sql('snowflake')}, {quoted(version_name(version), 'snowflake')})!{method.name}"
    return f"cast({called}({', '.join(arguments)}):{method.answer} as double)"


def load(artifact: bytes) -> Mapping[str, Callable[[pd.DataFrame], pd.Series]]:
    """The methods of an `Artifact`'s bytes, by name; a frame has a column for each feature, in order.

    The bytes are audited; whether they are the registered ones is for the caller to check.

    Raises:
        DataError: The artifact is not readable, not allowed, or has no such class.
    """
    parts = Artifact.loads(artifact)
    signature, score = parts.signature, estimator.scorer(parts)
    kinds = [pa.float64() if feature.kind == "number" else pa.string() for feature in signature.features]

    def scores(rows: pd.DataFrame) -> pa.Array:
        columns = [pa.array(rows.iloc[:, i], kind, from_pandas=True) for i, kind in enumerate(kinds)]
        return score(struct_of(columns))

    if signature.task == "regression":
        return {"predict": lambda rows: _series(scores(rows))}
    if signature.is_multiclass:
        return {"predict": lambda rows: _series(_largest(scores(rows), signature))}
    return {
        "predict": lambda rows: _series(_labels(scores(rows), signature)),
        "predict_proba": lambda rows: _series(scores(rows)),
    }


def _labels(probability: pa.Array, signature: Signature) -> pa.Array:
    """The labels that scikit-learn gives at these probabilities of the positive class: a tie goes to the first."""
    first, second = signature.classes
    of_second = signature.positive == second
    reached = (pc.greater if of_second else pc.greater_equal)(probability, 0.5)
    negative: Label = first if of_second else second
    return pc.if_else(reached, signature.positive, negative)


def _largest(probabilities: pa.Array, signature: Signature) -> pa.Array:
    """The label of each row's largest probability: of equal ones the first, as scikit-learn's argmax has it."""
    answered = probabilities.is_valid()
    places = np.zeros(len(probabilities), dtype=np.int64)
    shares = probabilities.flatten().to_numpy().reshape(-1, len(signature.classes))
    known = ~np.isnan(shares).any(axis=1)
    rows = np.flatnonzero(answered.to_numpy(zero_copy_only=False))[known]
    places[rows] = shares[known].argmax(axis=1)
    missing = np.ones(len(probabilities), dtype=bool)
    missing[rows] = False
    return pa.array(signature.classes).take(pa.array(places, mask=missing))


def _series(answers: pa.Array) -> pd.Series:
    found: pd.Series = answers.to_pandas(types_mapper=_PANDAS.get)
    return found
