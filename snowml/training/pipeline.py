"""The pipeline that is trained: one preparation for each kind of estimator, then the estimator.

It takes a pandas DataFrame whose number columns are float64 (NaN is missing) and whose category columns hold
text (None is missing). The columns come out in a fixed order: numbers, then categories, each in their order.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import BayesianRidge, ElasticNet
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

from snowml.errors import DataError, UserError
from snowml.records import Feature, Task
from snowml.training.estimators import create, kind_of

# A native category is a bit in HistGradientBoosting's bins, of which there are at most 255; LightGBM and XGBoost are
# given no more.
MAX_BINS: Final = 255
ABSENT: Final = -1
# A prepared matrix of doubles up to this size (2 GiB) is dense: on a sparse one ridge is left to an iterative solver
# that is slower, and misses the weights of rare categories. Lasso and the elastic net are always dense, since on a
# sparse matrix they do not check it, and answer NaN where all others refuse; Bayesian ridge takes no other.
DENSE_CELLS: Final = 2**28
DENSE: Final = (BayesianRidge, ElasticNet)


def build(
    estimator: str, task: Task, params: Mapping[str, object], seed: int, features: Sequence[Feature]
) -> Pipeline:
    """The unfitted pipeline, with the steps `prepare` and `estimator`.

    Raises:
        UserError: The estimator, its task or a parameter is not known; DataError when there are no features.
    """
    if not features:
        raise DataError("There are no features to train on.")
    model = create(estimator, task, params, seed)
    numbers = [feature.name for feature in features if feature.kind == "number"]
    categories = [feature.name for feature in features if feature.kind == "category"]
    preparation = kind_of(estimator).preparation
    if preparation == "linear":
        number, category = _scaled(), _one_hot()
    elif preparation == "native":
        number, category = "passthrough", _native_codes(_bins(model))
        model.set_params(categorical_features=_positions(numbers, categories))
    else:
        number, category = _median(), _codes()
    blocks = [("numbers", number, numbers), ("categories", category, categories)]
    prepare = ColumnTransformer([block for block in blocks if block[2]], sparse_threshold=0.0)
    return Pipeline([("prepare", prepare), ("estimator", model)])


def fit(pipeline: Pipeline, frame: pd.DataFrame, target: Any) -> Pipeline:
    """Fit it; a parameter value that the estimator refuses is a UserError in its words."""
    try:
        if _cells(pipeline, frame) > DENSE_CELLS and not isinstance(pipeline["estimator"], DENSE):
            pipeline["prepare"].set_params(sparse_threshold=1.0)
        return pipeline.fit(_binnable(pipeline, frame), target)
    except InvalidParameterError as refused:
        raise UserError(f"{refused} Correct it under `params`.") from refused
    except ValueError as refused:
        if "out of the valid range of the loss" not in str(refused):
            raise
        name = type(pipeline["estimator"]).__name__
        raise DataError(
            f"{name} cannot learn from this label: {refused} Choose another estimator, or leave such rows out."
        ) from refused


def _binnable(pipeline: Pipeline, frame: pd.DataFrame) -> pd.DataFrame:
    # HistGradientBoosting cannot bin a column without a single value; a constant one it never splits on, so
    # the zeros here leave no trace in the model.
    passed = [names for _, how, names in pipeline["prepare"].transformers if how == "passthrough"]
    empty = [name for names in passed for name in names if frame[name].isna().all()]
    return frame.assign(**dict.fromkeys(empty, 0.0)) if empty else frame


def _cells(pipeline: Pipeline, frame: pd.DataFrame) -> int:
    """How many numbers the prepared matrix will have: one-hot encoding makes a column of each category."""
    columns = 0
    for _, how, names in pipeline["prepare"].transformers:
        one_hot = isinstance(how, OneHotEncoder)
        columns += sum(frame[name].nunique(dropna=False) for name in names) if one_hot else len(names)
    return columns * len(frame)


def _median() -> SimpleImputer:
    # An all-missing column stays, as zeros, so that a signature never depends on the data.
    return SimpleImputer(strategy="median", keep_empty_features=True)


def _scaled() -> Pipeline:
    return make_pipeline(_median(), StandardScaler())


def _one_hot() -> OneHotEncoder:
    # None is a category of its own where training has seen it; anything unseen is a row of zeros.
    return OneHotEncoder(handle_unknown="ignore")


def _codes() -> Pipeline:
    """Codes for forests: unseen and missing are both -1.

    Medians are imputed for every tree ensemble but HistGradientBoosting, though some would take NaN: whether
    they do depends on the criterion, and one rule is one rule in SQL.
    """
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=ABSENT, encoded_missing_value=ABSENT
    )
    return make_pipeline(_none_as_nan(), encoder)


def _native_codes(bins: int) -> Pipeline:
    """Codes for who knows categories, unseen and missing as NaN; rare categories share the last code."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=bins)
    return make_pipeline(_none_as_nan(), encoder)


def _none_as_nan() -> SimpleImputer:
    # OrdinalEncoder takes None for a category like any other, and only NaN for a missing one.
    return SimpleImputer(
        missing_values=None, strategy="constant", fill_value=np.nan, keep_empty_features=True
    )


def _bins(model: BaseEstimator) -> int:
    given = model.get_params().get("max_bins")
    return given if isinstance(given, int) and 2 <= given <= MAX_BINS else MAX_BINS


def _positions(numbers: Sequence[str], categories: Sequence[str]) -> list[int] | None:
    return [len(numbers) + i for i in range(len(categories))] or None
