"""Small dbt projects that a test writes itself, to see what one macro or generic test of the package does."""

import contextlib
import json
from pathlib import Path
from typing import Any

import duckdb

from snowml.shipped import dbt_package
from snowml.workflows.dbt import _close_log, _give_back_lock

PROJECT = """\
name: lab
version: 1.0.0
config-version: 2
profile: lab
flags: {send_anonymous_usage_stats: false}
vars:
  as_of: "2024-07-01"
models:
  +materialized: table
"""

PROFILES = """\
lab:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: lab.duckdb
      threads: 1
      keep_open: false
      settings: {TimeZone: UTC}
"""

TAIL = "{% macro get_incremental_tail_sql(arguments) %}{{ return(snowml.replace_tail(arguments)) }}{% endmacro %}"


class Lab:
    """A project in `folder` with the given files below it."""

    def __init__(self, folder: Path, **files: str) -> None:
        self.folder = folder
        self.install()
        self.write("dbt_project.yml", PROJECT)
        self.write("profiles.yml", PROFILES)
        self.write("macros/tail.sql", TAIL)
        for name, text in files.items():
            self.write(f"models/{name}.sql", text)

    @classmethod
    def at(cls, folder: Path) -> "Lab":
        """A project that is there already."""
        lab = cls.__new__(cls)
        lab.folder = folder
        lab.install()
        return lab

    def install(self) -> None:
        """What `dbt deps` would do with a local package."""
        (self.folder / "dbt_packages").mkdir(parents=True)
        (self.folder / "dbt_packages" / "snowml").symlink_to(dbt_package(), target_is_directory=True)
        # dbt wants each package that is declared, and no other.
        self.write("packages.yml", "packages:\n  - local: dbt_packages/snowml\n")

    def write(self, file: str, text: str) -> None:
        (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / file).write_text(text, "utf-8")

    def run(self, command: str, *args: str, **variables: object) -> dict[str, Any]:
        """A dbt command inside this process; name → result of each node, of a test by the name it was given."""
        from dbt.cli.main import dbtRunner

        given = ["--vars", json.dumps(variables)] if variables else []
        where = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder)]
        quiet = ["--log-level", "none", "--log-level-file", "none", "--no-version-check"]
        with contextlib.chdir(self.folder):
            try:
                done = dbtRunner().invoke([*quiet, command, *where, *given, *args])
            finally:
                _give_back_lock()
                _close_log()
        if done.exception is not None:
            raise done.exception
        return {result.node.name: result for result in done.result.results}

    def statuses(self, command: str, *args: str, **variables: object) -> dict[str, str]:
        """Name → success, pass, warn, fail or error."""
        return {name: str(result.status) for name, result in self.run(command, *args, **variables).items()}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.folder / "lab.duckdb")) as connection:
            return connection.execute(sql).fetchall()

    def load(self, **tables: str) -> None:
        """Make tables out of queries, as a loader would."""
        for name, sql in tables.items():
            self.query(f"create or replace table {name} as {sql}")
