"""A starter project: a small dbt project with one model in it, to be made into one's own."""

import csv
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from snowml.errors import ProjectError
from snowml.scaffold.files import write_packages
from snowml.scaffold.orders import HEADER, orders
from snowml.shipped import PACKAGE, shipped

MODEL = "reorder"
_TEMPLATE = PACKAGE / "scaffold" / "starter"
# What stands in the template for the project's name.
_PLACEHOLDER = "PROJECT"
# Packages that the project reads, and catalogues and schemas of DuckDB, whose file has the project's name.
_TAKEN = frozenset({"dbt", "dbt_duckdb", "dbt_snowflake", "snowml", "main", "temp", "system"})
_NAMED = ("dbt_project.yml", "README.md")


@dataclass(frozen=True, slots=True)
class Started:
    """A starter project that was written."""

    folder: Path
    project: str
    model: str = MODEL


def start(folder: Path, name: str | None = None) -> Started:
    """Write a starter project into `folder`, which is new or empty.

    Args:
        folder: Where.
        name: The project's name; made of the folder's if not given.

    Raises:
        ProjectError: The folder holds something, or the name is none that dbt takes.
    """
    project = _name(folder) if name is None else name
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", project):
        raise ProjectError(
            f"'{project}' is no name for a dbt project, which has lower-case letters, digits and underscores, and no "
            "digit in front. Give another: snowml init DIR --name NAME"
        )
    if project in _TAKEN:
        raise ProjectError(
            f"'{project}' is the name of a package of dbt's or of a part of DuckDB, and would be mistaken for it. Give "
            "another: snowml init DIR --name NAME"
        )
    if (folder / "dbt_project.yml").is_file():
        raise ProjectError(
            f"{folder} is a dbt project already. To use snowml in it, add the package to its packages.yml and declare "
            "an exposure; the README shows both under 'A model of your own'. For a new project name another folder."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProjectError(f"{folder} is not empty. Name a new folder: snowml init DIR")
    try:
        _write(folder, project)
    except OSError as error:
        raise ProjectError(f"Cannot write the project to {folder}: {error}") from error
    return Started(folder, project)


def _name(folder: Path) -> str:
    return re.sub(r"\W", "_", folder.resolve().name.lower(), flags=re.ASCII)


def _write(folder: Path, project: str) -> None:
    shutil.copytree(_TEMPLATE, folder, dirs_exist_ok=True)
    # A file of its own name would be obeyed in the clone of snowml.
    (folder / "gitignore").rename(folder / ".gitignore")
    for file in _NAMED:
        text = (folder / file).read_text("utf-8")
        (folder / file).write_text(text.replace(_PLACEHOLDER, project), "utf-8")
    (folder / "profiles.yml").write_text(_profiles(project), "utf-8")
    write_packages(folder)
    (folder / "seeds").mkdir(exist_ok=True)
    with (folder / "seeds" / "orders.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(orders())


def _profiles(project: str) -> str:
    """The example's profile under the project's name: the reference project has one copy of it, and so has this."""
    example = shipped("profiles.yml.example").read_text("utf-8")
    _, text = example.split("\n", maxsplit=1)
    reference = re.match(r"\w+", text)
    assert reference is not None  # the first line after the comment is the profile's name
    return re.sub(rf"\b{reference[0]}\b", project, text)
