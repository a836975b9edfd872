"""Compiling a loop, cached on disk where that is possible.

numba keeps its cache beside the source, or in the user's cache folder. A warehouse's sandbox has neither: the code is
read from a zip, and the home folder cannot be written to. The cache is then a folder of our own below the temporary
one, or, where that is not ours alone, there is none and each process compiles anew.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from numba import njit
from numba.extending import register_jitable

from snowml.kernel.folders import private_folder

# Neither reordered nor contracted sums: the answers are compared with a library's to the bit.
_OPTIONS: Final[dict[str, Any]] = {
    "nogil": True,
    "fastmath": False,
    "boundscheck": False,
    "error_model": "numpy",
}
# numba finds no place, or one that cannot be written to.
_NO_CACHE: Final = (RuntimeError, OSError)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, compiled for the types of its first call, which releases the interpreter's lock."""
    try:
        return _cached(function)
    except _NO_CACHE:
        folder = private_folder("snowml-compiled")
    if folder is not None:
        with _user_cache(folder):
            try:
                return _cached(function)
            except _NO_CACHE:
                pass
    in_memory: Callable[..., Any] = njit(**_OPTIONS)(function)
    return in_memory


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, to be written into each compiled one that calls it: a call copies what describes its arrays."""
    found: Callable[..., Any] = register_jitable(inline="always")(function)
    return found


def _cached(function: Callable[..., Any]) -> Callable[..., Any]:
    on_disk = njit(cache=True, **_OPTIONS)(function)
    # Of code in a zip, numba takes the user's folder on trust, and fails at the first call.
    folder = Path(on_disk.stats.cache_path)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
    found: Callable[..., Any] = on_disk
    return found


@contextmanager
def _user_cache(folder: Path) -> Iterator[None]:
    """Only when it decorates does numba ask for the user's cache folder."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_CACHE_HOME"]
        else:
            os.environ["XDG_CACHE_HOME"] = before
