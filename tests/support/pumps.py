"""The dbt package's second project (snowml/dbt/integration_tests), built once a session and copied for each test."""

import shutil
import tempfile
from pathlib import Path

import shop

from snowml.shipped import dbt_package

LEFT_OUT = shutil.ignore_patterns("target", "logs", "dbt_packages", "package-lock.yml", "*.duckdb*")

_made: list[Path] = []


def written(folder: Path) -> shop.Shop:
    """The project as it stands in the repository; nothing is built."""
    shutil.copytree(dbt_package() / "integration_tests", folder, ignore=LEFT_OUT)
    (folder / "packages.yml").write_text(f"packages:\n  - local: {dbt_package().as_posix()}\n", "utf-8")
    return shop.Shop(folder, target="duckdb", file="pumps.duckdb")


def built(folder: Path) -> shop.Shop:
    """A copy of the project after `dbt build`."""
    if not _made:
        first = written(Path(tempfile.mkdtemp(prefix="snowml-pumps-")) / "pumps")
        first.build()
        _made.append(first.folder)
    shutil.copytree(_made[0], folder, symlinks=True)
    return shop.Shop(folder, target="duckdb", file="pumps.duckdb")


def remove() -> None:
    """Remove what the session made."""
    while _made:
        shutil.rmtree(_made.pop().parent, ignore_errors=True)
