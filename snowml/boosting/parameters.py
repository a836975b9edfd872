"""The parameters of an estimator as a table: what each is if nobody says, and what values it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, TypeAlias

from sklearn.utils._param_validation import Interval, StrOptions


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its default, and its values in the terms of scikit-learn's validation."""

    default: Any
    values: list[Any]


Parameters: TypeAlias = Mapping[str, Parameter]


def whole(default: int, least: int, most: int | None = None) -> Parameter:
    """A whole number from `least` to `most`."""
    return Parameter(default, [Interval(Integral, least, most, closed="left" if most is None else "both")])


def number(default: float, least: float = 0.0, *, above: bool = False) -> Parameter:
    """A number from `least` on, or above it."""
    return Parameter(default, [Interval(Real, least, None, closed="neither" if above else "left")])


def between(default: float, least: float, most: float) -> Parameter:
    """A number between two, neither of which it may be."""
    return Parameter(default, [Interval(Real, least, most, closed="neither")])


def share() -> Parameter:
    """A part of the whole: above 0, up to 1, which it is if nobody says."""
    return Parameter(1.0, [Interval(Real, 0.0, 1.0, closed="right")])


def one_of(default: str, *others: str) -> Parameter:
    """A name."""
    return Parameter(default, [StrOptions({default, *others})])


# What snowml sets: the seed, and which columns hold codes of categories.
OURS: Parameters = {
    "random_state": whole(0, 0, 2**32 - 1),
    "categorical_features": Parameter(None, [list, None]),
}
