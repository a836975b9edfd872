"""Rows made to tell a function from the pipeline that it serves: a real row with one hostile value, or with several."""

import zlib
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snowml.registry.trusted import Artifact

Floats = NDArray[np.float64]

_FLOAT32_MAX: Final = float(np.finfo(np.float32).max)
# Not a number and missing are one thing to a pipeline: both are NaN in its frame.
NUMBERS: Final = (
    *(np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, -5e-324, 1e-308, 1e308, -1e308),
    *(_FLOAT32_MAX, np.nextafter(_FLOAT32_MAX, 0.0), np.nextafter(_FLOAT32_MAX, np.inf), -_FLOAT32_MAX),
    *(2.0**53, 2.0**53 + 2.0, -(2.0**53) - 2.0, 2.0**63),
)
TEXTS: Final = (
    None,
    "",
    " ",
    "never seen",
    "\N{SNOWMAN}",
    "e\N{COMBINING ACUTE ACCENT}",
    "it's",
    "NULL",
    "nan",
)
THRESHOLDS: Final = 1000
MIXES: Final = 1000


def adversarial(artifact: Artifact, base: pd.DataFrame) -> pd.DataFrame:
    """Hostile rows for a version, the same ones each time.

    Args:
        artifact: The pipeline; its split thresholds are hostile, at most 1,000 of each number, evenly chosen.
        base: Real rows, at least one.

    Returns:
        A frame of the signature's features: first one hostile value a row, then mixes, last a row of NULLs.
    """
    signature = artifact.signature
    generator = np.random.default_rng(zlib.crc32(repr(signature).encode()))
    thresholds = _thresholds(artifact)
    hostile: dict[str, list[Any]] = {}
    for feature in signature.features:
        if feature.kind == "number":
            found = _thinned(np.array(thresholds.get(feature.name, [])))
            around = np.concatenate([found, np.nextafter(found, -np.inf), np.nextafter(found, np.inf)])
            hostile[feature.name] = [*NUMBERS, *around.tolist()]
        else:
            known = sorted(value for value in base[feature.name].dropna().unique())[:50]
            near = [
                form
                for value in known
                for form in (value, value.upper(), value.lower(), f" {value}", f"{value} ")
            ]
            hostile[feature.name] = [*TEXTS, *near]
    single = sum(map(len, hostile.values()))
    picked = base.iloc[generator.integers(len(base), size=single + MIXES + 1)].reset_index(drop=True)
    columns = {name: picked[name].to_numpy().copy() for name in hostile}
    row = 0
    for name, values in hostile.items():
        for value in values:
            columns[name][row] = value
            row += 1
        mixed = single + np.flatnonzero(generator.random(MIXES) < 2 / len(hostile))
        for at in mixed.tolist():
            columns[name][at] = values[int(generator.integers(len(values)))]
        columns[name][-1] = np.nan if name in signature.numbers else None
    return pd.DataFrame(columns)


def _thresholds(artifact: Artifact) -> dict[str, Floats]:
    """The distinct split thresholds of scikit-learn's trees, by number; a prepared matrix has the numbers first."""
    model, numbers = artifact.pipeline[-1], artifact.signature.numbers
    found: list[tuple[NDArray[np.int64], Floats]] = []
    order = _order(model)
    for predictors in getattr(model, "_predictors", []):
        for nodes in (predictor.nodes for predictor in predictors):
            split = nodes[(nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 0)]
            found.append((order[split["feature_idx"]], split["num_threshold"]))
    members = np.ravel(getattr(model, "estimators_", [model] if hasattr(model, "tree_") else []))
    found += [(one.tree_.feature, one.tree_.threshold) for one in members if hasattr(one, "tree_")]
    if not found:
        return {}
    positions, values = (np.concatenate(part) for part in zip(*found, strict=True))
    return {name: np.unique(values[positions == i]) for i, name in enumerate(numbers)}


def _order(model: Any) -> NDArray[np.int64]:
    """The prepared column of each column that histogram trees split: native categories are moved to the front."""
    if getattr(model, "_preprocessor", None) is None:
        return np.arange(getattr(model, "n_features_in_", 0))
    return np.argsort(~model.is_categorical_, kind="stable")


def _thinned(values: Floats) -> Floats:
    if len(values) <= THRESHOLDS:
        return values.astype(np.float64)
    evenly: Floats = values[np.linspace(0, len(values) - 1, THRESHOLDS).astype(int)]
    return evenly
