"""What the estimators of both libraries have in common."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from types import ModuleType
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from snowml.boosting.parameters import Parameters
from snowml.errors import DataError, UserError

Array = npt.NDArray[Any]
# The distributions that bring each library, the one of snowml's extra first: XGBoost's other wheel brings CUDA.
DISTRIBUTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "lightgbm": ("lightgbm",),
    "xgboost": ("xgboost-cpu", "xgboost"),
}
_PLACE: Final = re.compile(r"^\[[\d:]+\] \S+: ")


class Boosting(BaseEstimator):  # type: ignore[misc]
    """A model of another library: trained on one thread, seeded, kept as text.

    Attributes:
        library: The library's name, which is that of the extra that brings it, too.
        parameters: What can be set.
        random_state: The seed.
        categorical_features: Which columns hold a category's code, as indices.
        model_: The fitted model in the library's own format.
        n_features_in_: How many columns it takes.
    """

    library: ClassVar[str]
    parameters: ClassVar[Parameters]
    random_state: int
    categorical_features: Sequence[int] | None
    model_: str
    n_features_in_: int

    def __init__(self, **params: Any) -> None:
        for name, parameter in self.parameters.items():
            setattr(self, name, params.pop(name, parameter.default))
        if params:
            raise TypeError(f"{type(self).__name__} has no parameter '{next(iter(params))}'.")

    @classmethod
    def _get_param_names(cls) -> list[str]:
        return sorted(cls.parameters)

    @property
    def _parameter_constraints(self) -> dict[str, list[Any]]:
        return {name: parameter.values for name, parameter in self.parameters.items()}

    @property
    def booster_(self) -> Any:
        """The library's own fitted model, read from the text at the first question."""
        if "_booster" not in self.__dict__:
            self._booster = self._read(imported(self.library))
        return self._booster

    def check(self) -> None:
        """Refuse a model's text whose trees point outside themselves: the library may follow them unlooked.

        Raises:
            ValueError: They do, or it is no such text.
        """
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        """All but the library's own object, which the text can make again."""
        return {name: value for name, value in super().__getstate__().items() if name != "_booster"}

    def _learn(self, matrix: Any, target: Array) -> None:
        self._validate_params()
        library = imported(self.library)
        dense = np.asarray(matrix, dtype=np.float64)
        try:
            self.model_ = self._train(library, dense, target)
        except (ValueError, self._refusal(library)) as refused:
            # XGBoost begins with the time and its own source line, and goes on with a stack trace.
            said = _PLACE.sub("", str(refused).strip()).partition("\n")[0]
            raise DataError(f"{self.library} cannot be trained on this: {said}") from refused
        self.n_features_in_ = dense.shape[1]
        self.__dict__.pop("_booster", None)

    def _train(self, library: ModuleType, matrix: Array, target: Array) -> str:
        raise NotImplementedError

    def _read(self, library: ModuleType) -> Any:
        raise NotImplementedError

    def _refusal(self, library: ModuleType) -> type[Exception]:
        raise NotImplementedError

    def _ask(self, matrix: Any) -> Array:
        """What the library answers: a number for each row, or for each row and class."""
        raise NotImplementedError


class Classifier(ClassifierMixin, Boosting):  # type: ignore[misc]
    """A classifier of labels of any type; the library is given their places among the classes."""

    classes_: Array

    def fit(self, matrix: Any, target: Any) -> Self:
        """Train it."""
        self.classes_, codes = np.unique(np.asarray(target), return_inverse=True)
        self._learn(matrix, codes)
        return self

    def predict_proba(self, matrix: Any) -> Array:
        """(rows, classes) as the library's own estimator answers; of two classes it gives the second."""
        found = self._ask(matrix)
        if found.ndim == 1:
            found = np.stack([found.dtype.type(1.0) - found, found], axis=1)
        return found.astype(np.float64)

    def predict(self, matrix: Any) -> Array:
        """(rows,) the label of the largest probability; of equal ones the first."""
        labels: Array = self.classes_[self.predict_proba(matrix).argmax(axis=1)]
        return labels


class Regressor(RegressorMixin, Boosting):  # type: ignore[misc]
    """A regressor."""

    def fit(self, matrix: Any, target: Any) -> Self:
        """Train it."""
        self._learn(matrix, np.asarray(target, dtype=np.float64))
        return self

    def predict(self, matrix: Any) -> Array:
        """(rows,) its answers."""
        return self._ask(matrix).astype(np.float64)


def require(library: str) -> None:
    """Refuse an estimator whose library is not installed.

    Raises:
        UserError: It is not.
    """
    if find_spec(library) is None:
        raise UserError(_missing(library))


def distribution(library: str) -> str:
    """The name of the distribution that has brought the library.

    Raises:
        UserError: None has.
    """
    for name in DISTRIBUTIONS[library]:
        with suppress(PackageNotFoundError):
            version(name)
            return name
    raise UserError(_missing(library))


def imported(library: str) -> ModuleType:
    """The library.

    Raises:
        UserError: It is not installed.
    """
    try:
        return import_module(library)
    except ImportError as missing:
        raise UserError(_missing(library)) from missing


def _missing(library: str) -> str:
    return (
        f"The estimator '{library}' needs the package {library}, which is not installed. "
        f"Install snowml with the extra '{library}': pip install '.[{library}]' in its clone."
    )


def check_nodes(left: Array, right: Array, feature: Array, features: int) -> None:
    """Refuse a tree, of `n` nodes whose leaves have children of -1, that points outside itself or its inputs.

    Raises:
        ValueError: It does.
    """
    if not len(left) or not len(left) == len(right) == len(feature):
        raise ValueError("a tree's arrays are not of one length")
    inner, own = left != -1, np.arange(len(left))
    # Children come after their parent, so a walk that moves forward always ends.
    for child in (left, right):
        if np.any(inner & ((child <= own) | (child >= len(left)))):
            raise ValueError("a tree's child is out of range")
    if np.any(inner & ((feature < 0) | (feature >= features))):
        raise ValueError("a tree's feature is out of range")
