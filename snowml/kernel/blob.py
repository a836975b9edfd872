"""A forest as bytes: a line that names the format, the length of a JSON header, the header, the arrays.

The arrays come in a fixed order, little-endian, each beginning at a multiple of eight bytes; the header has the scalars
and how many items each array has. Reading copies nothing and runs nothing that the bytes could choose: all that is
possible is a `Forest`, which checks itself, or an error. A later format gets another first line, and this reader stays.
"""

import json
import struct
from dataclasses import replace
from typing import Any, Final

import numpy as np

from snowml.kernel.forest import ALL, MOST_OUTPUTS, Array, Forest, MalformedForest
from snowml.kernel.links import LINKS, answers_of

MAGIC: Final = b"snowml forest 1\n"
_LENGTH: Final = struct.Struct("<I")
_SCALARS: Final[dict[str, type]] = {
    "features": int,
    "link": str,
    "strict": bool,
    "single": bool,
    "rounding": str,
    "zero": float,
    "takes_missing": bool,
    "null_refused": bool,
    "factor": float,
    "pick": int,
}
# None stands for the type that the sums are in.
_ARRAYS: Final[dict[str, str | None]] = {
    "roots": "<i8",
    "output": "<i4",
    "feature": "<i4",
    "threshold": "<f8",
    "left": "<i4",
    "right": "<i4",
    "flags": "|u1",
    "sets": "<i8",
    "limits": "<f8",
    "categories": "<i4",
    "known": "<u4",
    "words": "<u4",
    "values": None,
    "base": None,
}
_SUMS: Final = ("<f8", "<f4")


def dumps(forest: Forest) -> bytes:
    """Its bytes: the same forest always gives the same."""
    sums = forest.base.dtype.newbyteorder("<").str
    arrays = {
        name: np.ascontiguousarray(getattr(forest, name), dtype or sums) for name, dtype in _ARRAYS.items()
    }
    header: dict[str, Any] = {name: kind(getattr(forest, name)) for name, kind in _SCALARS.items()}
    header |= {"sums": sums, "width": forest.values.shape[1]}
    header["lengths"] = {name: int(array.size) for name, array in arrays.items()}
    text = json.dumps(header, sort_keys=True).encode()
    parts = [MAGIC + _LENGTH.pack(len(text)) + text, *(array.tobytes() for array in arrays.values())]
    return b"".join(part + b"\0" * (-len(part) % 8) for part in parts)


def loads(data: bytes) -> Forest:
    """The forest of `dumps`, checked whole.

    Raises:
        MalformedForest: The bytes are not one; nothing was read outside of them.
    """
    start = len(MAGIC) + _LENGTH.size
    if len(data) < start or not data.startswith(MAGIC):
        raise MalformedForest(
            "These bytes are not a compiled forest of this format: train the version again."
        )
    end = start + _LENGTH.unpack_from(data, len(MAGIC))[0]
    header = _header(data[start:end])
    arrays = _arrays(data, end + -end % 8, header)
    if len(arrays["values"]) % header["width"]:
        raise _damaged("its leaves have no common width")
    arrays["values"] = arrays["values"].reshape(-1, header["width"])
    given: dict[str, Any] = {name: header.get(name, False) for name in _SCALARS} | arrays
    forest = Forest(**given)
    if "null_refused" not in header:
        # Of bytes from before it was said, it follows from what the library takes.
        forest = replace(forest, null_refused=forest.is_limited or not forest.takes_missing)
    if forest.link not in LINKS or not ALL <= forest.pick < answers_of(forest.link, len(forest.base)):
        raise _damaged(f"it has no answer {forest.pick} by '{forest.link}'")
    return forest


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise _damaged("its header is no JSON") from wrong
    expected = {*_SCALARS, "sums", "width", "lengths"}
    if not isinstance(header, dict) or set(header) | {"null_refused"} != expected:
        raise _damaged("its header has not the keys of this format")
    for name, kind in {**_SCALARS, "width": int}.items():
        if name in header and type(header[name]) is not kind:
            raise _damaged(f"'{name}' is {header[name]!r}")
    if header["sums"] not in _SUMS or not 1 <= header["width"] <= MOST_OUTPUTS:
        raise _damaged("its sums are of no known type")
    lengths = header["lengths"]
    if not isinstance(lengths, dict) or set(lengths) != set(_ARRAYS):
        raise _damaged("its arrays are not those of this format")
    if any(type(length) is not int or length < 0 for length in lengths.values()):
        raise _damaged("an array's length is out of range")
    return header


def _arrays(data: bytes, at: int, header: dict[str, Any]) -> dict[str, Array]:
    types = {name: np.dtype(dtype or header["sums"]) for name, dtype in _ARRAYS.items()}
    sizes = {name: header["lengths"][name] * dtype.itemsize for name, dtype in types.items()}
    if at + sum(size + -size % 8 for size in sizes.values()) != len(data):
        raise _damaged("its length is not the one that it states")
    arrays = {}
    for name, dtype in types.items():
        array = np.frombuffer(data, dtype, header["lengths"][name], at)
        arrays[name] = array.astype(dtype.newbyteorder("="), copy=False)
        at += sizes[name] + -sizes[name] % 8
    return arrays


def _damaged(what: str) -> MalformedForest:
    return MalformedForest(f"The compiled forest is damaged: {what}. Train the version again.")
