"""What each thing that runs inside of Snowflake imports, and so declares; a test runs each with nothing else.

snowml's own modules go with it as a zip. What they import is tied to the versions that the model was made with.
"""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Final

REPOSITORY: Final = "snowflake.snowpark.pypi_shared_repository"

# The module around a vector function; what its handler imports comes from the function.
WRAPPER: Final = ("pandas", "pyarrow")
# The procedures in stored_procs/. numba is there for the choice of a flavour: without it no version gets the kernel.
PROCEDURES: Final = (
    "jinja2",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "pyyaml",
    "scikit-learn",
    "scipy",
    "skops",
    "snowflake-ml-python",
    "snowflake-snowpark-python",
    "sqlglot",
    "threadpoolctl",
)


def pinned(packages: tuple[str, ...]) -> tuple[str, ...]:
    """Requirements of the versions that are installed here; of any version where there is none."""
    return tuple(_pinned(package) for package in sorted(set(packages)))


def _pinned(package: str) -> str:
    try:
        return f"{package}=={installed(package)}"
    except PackageNotFoundError:
        return package
