"""What serves a version, as digests: a certificate is of these functions and this code, and of no others."""

import json
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Final

from snowml.engines.snowflake.code import package
from snowml.serving.functions import Functions

# What computes answers, or prepares them.
_PACKAGES: Final = (
    *("duckdb", "lightgbm", "llvmlite", "numba", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy"),
    *("threadpoolctl", "xgboost", "xgboost-cpu"),
)


def fingerprint(functions: Functions) -> str:
    """The sha256 of a version's functions and of what they load, which is named by its own."""
    parts = [asdict(function) for function in (*functions.helpers, *functions.versioned)]
    told = functions.explaining
    parts += [asdict(function) for function in (*told.helpers, told.versioned)]
    parts += [asdict(kernel) for kernel in (functions.kernel, told.kernel) if kernel is not None]
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def code() -> str:
    """The sha256 of snowml's modules and of the versions of what they are run by."""
    modules, _ = package()
    versions = {name: found for name in _PACKAGES if (found := _installed(name))}
    return sha256(json.dumps([modules, versions], sort_keys=True).encode()).hexdigest()


def snowml_version() -> str | None:
    """The version of snowml; None where it is a zip on a stage."""
    return _installed("snowml-warehouse")


def _installed(name: str) -> str | None:
    try:
        return installed(name)
    except PackageNotFoundError:
        return None
