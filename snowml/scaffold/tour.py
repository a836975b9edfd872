"""What a reference project says about its own demonstration: `demo.yml`."""

from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict

from snowml.errors import ProjectError
from snowml.workflows.moment import moment

Moment = Annotated[datetime, BeforeValidator(moment)]


class Data(BaseModel):
    """Tables that a Python package carries as CSV files, zipped or not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    package: str
    folder: str
    db_schema: str
    null_values: tuple[str, ...]
    tables: dict[str, str]

    def files(self) -> dict[str, Path]:
        """Table → file. The package is looked up, not imported.

        Raises:
            ProjectError: The package is not installed, or lacks a file.
        """
        found = find_spec(self.package)
        if found is None or not found.submodule_search_locations:
            raise ProjectError(
                f"The demonstration's data come with the Python package {self.package}, which is not installed. "
                "In the clone of snowml: pip install '.[demo]'"
            )
        home = Path(found.submodule_search_locations[0]) / self.folder
        files = {table: home / name for table, name in self.tables.items()}
        for file in files.values():
            if not file.is_file():
                raise ProjectError(
                    f"{self.package} has no file {file.name}; install the version that snowml asks for."
                )
        return files


class Tour(BaseModel):
    """The stations of the demonstration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Data
    train_as_of: Moment
    score_as_of: Moment
    monitor_every: str
    queries: tuple[str, ...]


def read_tour(project: Path) -> Tour:
    """The `demo.yml` of a project."""
    raw: dict[str, Any] = yaml.safe_load((project / "demo.yml").read_text("utf-8"))
    data = raw["data"]
    data["db_schema"] = data.pop("schema")
    return Tour.model_validate(raw)
