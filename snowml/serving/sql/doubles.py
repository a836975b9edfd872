"""Searching the doubles: where a growing function of one number passes a mark, to the last bit."""

import struct
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
LARGEST: Final = float(np.finfo(np.float64).max)
# Halfway between the largest float32 and the next power of two: from here on float32 is infinite.
FLOAT32_OVERFLOW: Final = 3.4028235677973366e38
LARGEST_FLOAT32: Final = float(np.nextafter(FLOAT32_OVERFLOW, 0.0))


def last(holds: Callable[[float], bool], inside: float, outside: float) -> float:
    """The last double on the way from `inside`, where it holds, to `outside`, where it does not."""
    good, bad = _rank(inside), _rank(outside)
    while abs(bad - good) > 1:
        middle = (good + bad) // 2
        if holds(_double(middle)):
            good = middle
        else:
            bad = middle
    return _double(good)


def _rank(value: float) -> int:
    """The number's place among all doubles; both zeros have the same."""
    (bits,) = struct.unpack("<q", struct.pack("<d", value))
    return int(bits) if bits >= 0 else -(int(bits) & 0x7FFF_FFFF_FFFF_FFFF)


def _double(rank: int) -> float:
    (value,) = struct.unpack("<d", struct.pack("<q", abs(rank)))
    return float(value) if rank >= 0 else -float(value)
