"""Files that travel with the package: the reference project, the procedures, the example profile.

In a wheel they lie under `snowml/_shipped`; in a clone (and an editable install) at the top level. One copy of each.
"""

from pathlib import Path

PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """The path of `dbt_project`, `stored_procs` or `profiles.yml.example`."""
    in_wheel = PACKAGE / "_shipped" / name
    return in_wheel if in_wheel.exists() else PACKAGE.parent / name


def dbt_package() -> Path:
    """The folder of the dbt package `snowml`."""
    return PACKAGE / "dbt"
