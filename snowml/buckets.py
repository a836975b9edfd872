"""Dealing rows into buckets by a hash that is the same in SQL and Python; the dbt macro `bucket` is its twin."""

import hashlib
import re

Value = str | int | bool | None

_SALT = re.compile(r"[A-Za-z0-9_]*")


def bucket(*values: Value, buckets: int = 100, salt: str = "") -> int:
    """A whole number from 0 to `buckets - 1` that depends on nothing but the values.

    The same as `{{ snowml.bucket([…], buckets, salt) }}` in SQL, for texts, whole numbers, booleans and None as NULL.

    Raises:
        TypeError: A value is of another type, which engines would write differently.
        ValueError: There is no bucket, no value, or the salt has other characters than letters, digits and _.
    """
    if buckets < 1:
        raise ValueError(f"buckets is {buckets}; give a whole number above 0.")
    if not values:
        raise ValueError("bucket needs a value.")
    if not _SALT.fullmatch(salt):
        raise ValueError(f"The salt is {salt!r}; it may have letters, digits and _.")
    text = f"{salt}|" + "|".join(_written(value) for value in values)
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:16], 16) % buckets


def _written(value: Value) -> str:
    """`v` and the value, with | doubled, or `n` for None: no two lists of values give one text."""
    if value is None:
        return "n"
    if isinstance(value, bool):
        return "vtrue" if value else "vfalse"
    if isinstance(value, str | int):
        return "v" + str(value).replace("|", "||")
    raise TypeError(
        f"{value!r} is a {type(value).__name__}; cast it to a text as your SQL does, since engines differ."
    )
