"""The reference project on a few days of its data, and leaks to plant in it."""

import re
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import shop

AS_OF = "2013-01-20"
NOW = datetime(2013, 2, 1)
# Where features are put together, and what only training reads.
FEATURES = "models/features/flight_features.sql"
TRAINING_SET = "models/training_sets/flight_delay_training_set.sql"

_DAYS = ("2013-01-05", "2013-01-19")
_stages: dict[str, Path] = {}


@dataclass(frozen=True)
class Leak:
    """A column that knows the future.

    Attributes:
        column: What it is called.
        value: Its SQL, over `honest` (the table it is planted in) and what `joins` joins to it.
        joins: How it gets at what it should not know.
        checks: The checks of the audit that must name it.
    """

    column: str
    value: str
    checks: frozenset[str]
    joins: str = ""


@dataclass(frozen=True)
class Flights(shop.Shop):
    """A copy of the reference project; its data are a fortnight's."""

    file: str = "flights.duckdb"
    target: str = "duckdb"

    def audit(self, *cuts: datetime, model: str = "flight_delay") -> dict[str, Any]:
        """Check → what it says; only failed ones."""
        from snowml.workflows.audit import audit
        from snowml.workflows.moment import moment

        done = audit(self.dbt(), model, as_of=moment(AS_OF), now=NOW, cuts=cuts)
        return {check.name: check.detail for check in done.checks if not check.passed}


def plant(project: shop.Shop, file: str, *leaks: Leak) -> None:
    """Add columns to a model, whatever its SQL is."""
    text = (project.folder / file).read_text("utf-8")
    values = "".join(f",\n    {leak.value} as {leak.column}" for leak in leaks)
    joins = "\n".join(leak.joins for leak in leaks)
    project.write(file, f"with honest as (\n{text}\n)\n\nselect honest.*{values}\nfrom honest\n{joins}\n")
    # Contracts list the columns; a leak is one more.
    for properties in (project.folder / "models").rglob("*.yml"):
        written = properties.read_text("utf-8")
        properties.write_text(re.sub(r"enforced: true", "enforced: false", written), "utf-8")


def flights(folder: Path) -> Flights:
    """A copy of the project in `folder`, its raw tables loaded, nothing built."""
    if "loaded" not in _stages:
        home = Path(tempfile.mkdtemp(prefix="snowml-flights-"))
        _load(home / "project")
        _stages["loaded"] = home
    shutil.copytree(_stages["loaded"] / "project", folder, symlinks=True)
    return Flights(folder)


def remove_stages() -> None:
    """Remove what the session made."""
    for folder in _stages.values():
        shutil.rmtree(folder, ignore_errors=True)
    _stages.clear()


def _load(folder: Path) -> None:
    from snowml.progress import Silent
    from snowml.scaffold.files import write_project
    from snowml.scaffold.load import load
    from snowml.scaffold.tour import read_tour

    write_project(folder)
    made = Flights(folder)
    engine = made.project().open()
    try:
        load(engine, read_tour(folder).data, now=NOW, progress=Silent())
        for table in ("flights", "weather"):
            engine.execute(
                f"create or replace table raw.{table} as select * from raw.{table} "
                "where time_hour >= cast(? as timestamp) and time_hour < cast(? as timestamp)",
                _DAYS,
            )
    finally:
        engine.close()
    made.dbt().manifest({"as_of": f"{AS_OF} 00:00:00"})


def named(leaks: dict[str, Any], column: str) -> set[str]:
    """The failed checks that name a column."""
    return {name for name, detail in leaks.items() if re.search(rf"\b{re.escape(column)}\b", detail)}
