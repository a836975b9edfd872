"""Writing a project folder: the reference project with a profile of its own, ready for dbt."""

import shutil
from pathlib import Path

from snowml.errors import ProjectError
from snowml.shipped import dbt_package, shipped

MARK = "demo.yml"
_LEFT_OUT = shutil.ignore_patterns(
    "target", "logs", "dbt_packages", "package-lock.yml", "*.duckdb*", ".user.yml"
)


def write_project(folder: Path) -> bool:
    """Write the reference project into `folder`, unless it is there already.

    A project that is there is left as it is, with whatever its owner changed in it.

    Returns:
        Whether it was written.

    Raises:
        ProjectError: The folder holds something else.
    """
    if (folder / MARK).is_file() and (folder / "dbt_project.yml").is_file():
        return False
    if folder.exists() and any(folder.iterdir()):
        raise ProjectError(
            f"{folder} is not empty and holds no demonstration. Name another folder: snowml demo DIR"
        )
    try:
        shutil.copytree(shipped("dbt_project"), folder, ignore=_LEFT_OUT, dirs_exist_ok=True)
        shutil.copyfile(shipped("profiles.yml.example"), folder / "profiles.yml")
        write_packages(folder)
    except OSError as error:
        raise ProjectError(f"Cannot write the project to {folder}: {error}") from error
    return True


def write_packages(folder: Path) -> None:
    """Point the project at the dbt package of this installation."""
    (folder / "packages.yml").write_text(
        f"# The dbt package that came with snowml.\npackages:\n  - local: {dbt_package().as_posix()}\n",
        "utf-8",
    )
