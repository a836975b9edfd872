"""The kinds of value that a specification's keys take."""

import re
from datetime import timedelta
from math import isfinite
from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints
from pydantic_core import PydanticCustomError

from snowml.records import Label

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_NUMERIC = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_WHOLE = re.compile(r"[-+]?\d{1,18}")
_LENGTH = re.compile(r"(\d{1,6})\s*(minute|hour|day|week)s?")
_LARGEST_SEED = 2**32 - 1


def refusal(message: str, *at: str | int) -> PydanticCustomError:
    """An error about the key `at`, counted from the value that is being validated."""
    return PydanticCustomError("snowml", "{message}", {"message": message, "at": at})


def folded(name: str) -> str:
    """`name` as it is kept: plain ones in lower case, since warehouses ignore it, others to the letter."""
    return name.lower() if _PLAIN.fullmatch(name) else name


def length_of(text: str) -> timedelta | None:
    """The length of time that a text such as `30 days` says; None where it says none."""
    match = _LENGTH.fullmatch(" ".join(text.lower().split()))
    return timedelta(**{match[2] + "s": int(match[1])}) or None if match else None


def _number_in(text: str) -> int | float | None:
    """The number that `text` spells. YAML reads `1e-9` as text, so a number may arrive as one."""
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMERIC.fullmatch(text) else None


def _number(value: object) -> float:
    number = _number_in(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not isfinite(number):
        raise refusal(f"{value!r} is not a finite number")
    return float(number)


def _length(value: object) -> str:
    if not isinstance(value, str) or length_of(value) is None:
        raise refusal(f"{value!r} is no length of time. Give one such as '7 days' or '12 hours'")
    return " ".join(value.lower().split())


def _seed(value: object) -> int:
    number = _number_in(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= _LARGEST_SEED:
        raise refusal(f"{value!r} is not a whole number from 0 to {_LARGEST_SEED}")
    return number


def _scalar(value: object) -> object:
    if isinstance(value, float) and not isfinite(value):
        raise refusal(f"{value!r} is not a finite number")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise refusal(f"{value!r} is not a number, text, true or false")


def _parameter(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_parameter(item) for item in value]
    number = _number_in(value) if isinstance(value, str) else None
    return _scalar(value if number is None else number)


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _folded(value: object) -> object:
    return folded(value.strip()) if isinstance(value, str) else value


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Column = Annotated[str, StringConstraints(min_length=1), BeforeValidator(_folded)]
Columns = Annotated[tuple[Column, ...], BeforeValidator(_listed)]
Number = Annotated[float, BeforeValidator(_number)]
Seed = Annotated[int, BeforeValidator(_seed)]
Length = Annotated[str, BeforeValidator(_length)]
Positive = Annotated[Label | None, BeforeValidator(_scalar)]
Parameter = Annotated[Label | list[Any] | None, BeforeValidator(_parameter)]
