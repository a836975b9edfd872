"""Settings given for one run: dotted keys over what the exposure says."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from snowml.errors import SpecError


def overridden(raw: Any, overrides: Mapping[str, object]) -> Any:
    """A copy of `raw` with each dotted key set, such as `split.test` or `gates.0.min`.

    Raises:
        SpecError: A key leads into a value that holds no keys, or beyond the end of a list.
    """
    merged = deepcopy(raw)
    for dotted, value in overrides.items():
        _set(merged, dotted, value)
    return merged


def _set(into: Any, dotted: str, value: object) -> None:
    *above, last = dotted.split(".")
    for key in above:
        into = into.setdefault(key, {}) if isinstance(into, dict) else into[_index(into, key, dotted)]
    if isinstance(into, dict):
        into[last] = value
    else:
        into[_index(into, last, dotted)] = value


def _index(into: Any, key: str, dotted: str) -> int:
    if not isinstance(into, list):
        raise SpecError(f"override '{dotted}': {into!r} holds no key '{key}'.")
    if not key.isdecimal() or int(key) >= len(into):
        raise SpecError(
            f"override '{dotted}': '{key}' is no item of a list of {len(into)}; items count from 0."
        )
    return int(key)
