"""Opening a DuckDB file: configured alike everywhere, and patient with another process's lock."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from snowml.engines.duckdb.functions import attach
from snowml.errors import ProjectError, RetryableError, TerminalError, WarehouseError

# Files that DuckDB 1.4 and later can open. Applies when the file is created.
STORAGE = {"storage_compatibility_version": "v1.4.0"}

_LOCKED = re.compile(r"Could not set lock on file .*?PID (\d+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class DuckDBFile:
    """Where the database is and how every connection of this process must be configured.

    DuckDB refuses a second connection with another configuration, dbt's included, so both take it from the profile.
    """

    path: str
    config: Mapping[str, str] = field(default_factory=lambda: dict(STORAGE))
    settings: Mapping[str, str] = field(default_factory=dict)
    schema: str = "main"

    def open(
        self, *, read_only: bool = False, wait: float = 60.0, notify: Callable[[str], None] | None = None
    ) -> duckdb.DuckDBPyConnection:
        """A connection in UTC with the prediction functions of the file ready.

        Args:
            read_only: Open without the right to write; the file must exist.
            wait: Seconds to wait for a lock held by another process.
            notify: Told once, in a sentence, when it has to wait.

        Raises:
            ProjectError: The folder or the file is not there, or it is not a DuckDB file.
            RetryableError: The lock was not given back in time.
        """
        self._check_path(read_only)
        connection = self._connect(read_only, time.monotonic() + wait, notify)
        try:
            self._prepare(connection)
        except BaseException as error:
            # Left open it would keep the file's lock until it is collected.
            connection.close()
            if was_interrupted(error):
                raise KeyboardInterrupt from error
            if isinstance(error, duckdb.Error):
                raise _opening_failed(self.path, error) from error
            raise
        return connection

    def _prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        # DuckDB draws its progress bar on standard output, where answers belong.
        for name, value in {"TimeZone": "UTC", "enable_progress_bar": "false", **self.settings}.items():
            connection.execute(f"set {name} = '{str(value).replace(chr(39), chr(39) * 2)}'")
        connection.execute(f"use {_quoted(_database(connection))}.{_quoted(self._usable_schema(connection))}")
        attach(connection)

    def _connect(
        self, read_only: bool, deadline: float, notify: Callable[[str], None] | None
    ) -> duckdb.DuckDBPyConnection:
        while True:
            try:
                return duckdb.connect(self.path, read_only=read_only, config=dict(self.config))
            except duckdb.Error as error:
                locked = _LOCKED.search(str(error))
                if not locked:
                    raise _opening_failed(self.path, error) from error
                message = f"{self.path} is in use by process {locked[1]}"
                if time.monotonic() >= deadline:
                    raise RetryableError(
                        f"{message}, which did not give it back in time. DuckDB lets one process write at a time: "
                        "close that one, or try again."
                    ) from error
                if notify:
                    notify(f"{message}; waiting for it.")
                    notify = None
                time.sleep(0.1)

    def _check_path(self, read_only: bool) -> None:
        if self.path == ":memory:":
            return
        path = Path(self.path)
        if not path.parent.is_dir():
            raise ProjectError(f"The folder {path.parent} for the DuckDB file {path.name} does not exist.")
        if read_only and not path.exists():
            raise ProjectError(f"There is no DuckDB file {path}. Build it first: snowml build")

    def _usable_schema(self, connection: duckdb.DuckDBPyConnection) -> str:
        """The profile's schema, or main while dbt has not made it yet."""
        found = connection.execute(
            "select 1 from duckdb_schemas() where database_name = current_database() and schema_name = ?",
            [self.schema],
        ).fetchone()
        return self.schema if found else "main"


def was_interrupted(error: BaseException) -> bool:
    """Whether an error is how DuckDB passes on a Ctrl-C: its own, or that of a Python function which it called."""
    text = str(error)
    if isinstance(error, duckdb.Error):
        return isinstance(error, duckdb.InterruptException) or "UDF: KeyboardInterrupt" in text
    return isinstance(error, RuntimeError) and text == "Query interrupted"


def _database(connection: duckdb.DuckDBPyConnection) -> str:
    row = connection.execute("select current_database()").fetchone()
    assert row is not None  # a select without a table has one row
    return str(row[0])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _opening_failed(path: str, error: duckdb.Error) -> WarehouseError | ProjectError:
    text = str(error)
    if "not a valid DuckDB database file" in text:
        return ProjectError(f"{path} is not a DuckDB file.")
    if "different configuration" in text:
        return TerminalError(
            f"{path} is open in this process with another configuration. Close the other connection, or open it with "
            "snowml.connect; dbt's profile and connections of your own need the same config_options."
        )
    return TerminalError(f"DuckDB cannot open {path}: {text}")
