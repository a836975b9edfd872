"""scikit-learn's HistGradientBoosting: doubles, native categories, learned directions for the missing."""

from typing import Any

import numpy as np

from snowml.kernel.forest import MISSING_LEFT, UNKNOWN_LEFT, Array, Forest
from snowml.serving.forest.builder import Tree, build
from snowml.serving.forest.unsupported import Unsupported

LINKS = {
    "IdentityLink": "identity",
    "LogLink": "log",
    "LogitLink": "logit",
    "MultinomialLogit": "softmax_by_column",
}


def export(model: Any, column: int = 0) -> Forest:
    """The forest of a fitted HistGradientBoosting; `column` is the answer to pick.

    Raises:
        Unsupported: A category is no small integer.
    """
    inputs = _Inputs(model)
    trees = [
        _tree(predictor, inputs, output)
        for stage in model._predictors  # noqa: SLF001
        for output, predictor in enumerate(stage)
    ]
    base = np.asarray(model._baseline_prediction, np.float64).reshape(-1)  # noqa: SLF001
    limits = np.full(model.n_features_in_, np.inf)
    # Its own encoder refuses infinities.
    limits[list(inputs.known)] = np.finfo(np.float64).max
    return build(
        trees or [_nothing()],
        features=model.n_features_in_,
        base=base,
        link=LINKS[type(model._loss.link).__name__],  # noqa: SLF001
        known=inputs.known,
        limits=limits,
        pick=column,
    )


class _Inputs:
    """How its trees' features and categories are those of its input: inside, categories come first, encoded."""

    def __init__(self, model: Any) -> None:
        mapped = np.asarray(model.is_categorical_ if model.is_categorical_ is not None else [], np.bool_)
        self.values: dict[int, Array] = {}
        self.feature = np.arange(model.n_features_in_)
        if mapped.any():
            self.feature = np.concatenate([np.flatnonzero(mapped), np.flatnonzero(~mapped)])
            encoder = model._preprocessor.named_transformers_["encoder"]  # noqa: SLF001
            found = (_integers(values) for values in encoder.categories_)
            self.values = dict(zip(np.flatnonzero(mapped).tolist(), found, strict=True))
        bins = model._bin_mapper.bin_thresholds_  # noqa: SLF001
        self.known = {
            feature: values[np.asarray(bins[i]).astype(np.int64)]
            for i, (feature, values) in enumerate(self.values.items())
        }


def _integers(values: Array) -> Array:
    """Categories as integers, without the missing one, which comes last."""
    if values.dtype.kind not in "fiub":
        raise Unsupported(f"its categories are of type {values.dtype}, not numbers")
    numbers = values.astype(np.float64)
    numbers = numbers[~np.isnan(numbers)]
    if np.any((numbers < 0) | (numbers >= 4096) | (numbers != np.floor(numbers))):
        raise Unsupported("its categories are not integers from 0 to 4095")
    return numbers.astype(np.int64)


def _tree(predictor: Any, inputs: _Inputs, output: int) -> Tree:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"] != 0
    feature = inputs.feature[np.where(leaf, 0, nodes["feature_idx"].astype(np.int64))]
    by_category = ~leaf & (nodes["is_categorical"] != 0)
    left = {}
    for node in np.flatnonzero(by_category).tolist():
        bits = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]].astype("<u4").view(np.uint8)
        values = inputs.values[int(feature[node])]
        left[node] = values[np.flatnonzero(np.unpackbits(bits, bitorder="little"))]
    # What training has not seen is missing.
    flags = np.where(nodes["missing_go_to_left"] != 0, MISSING_LEFT | UNKNOWN_LEFT, 0)
    return Tree(
        feature=np.where(leaf, -1, feature),
        threshold=np.where(by_category, 0.0, nodes["num_threshold"]),
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        flags=flags,
        value=nodes["value"][:, None],
        left_categories=left,
        output=output,
        cover=nodes["count"].astype(np.float64),
    )


def _nothing() -> Tree:
    """A tree that adds nothing, for a model without trees."""
    zero = np.zeros(1)
    return Tree(zero - 1, zero, left=zero, right=zero, flags=zero, value=zero[:, None], cover=zero)
