"""A spine of questions, and three histories of ten times as many rows; the SQL that snowml's macro makes of them.

A question is about a customer at a moment of one year; a history has a hundred rows for each customer, at moments of
their own. Made out of hashes, so that they are the same everywhere.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from snowml.shipped import dbt_package

HISTORIES: Final = ("orders", "visits", "prices")
_YEAR: Final = 365 * 86_400_000_000


@dataclass(frozen=True, slots=True)
class Question:
    """The tables of one size, in a DuckDB file and as parquet files, and where SQL is kept."""

    folder: Path
    spine: int

    @property
    def file(self) -> Path:
        """The DuckDB file with `spine`, the histories and `expected`."""
        return self.folder / f"spine_{self.spine}.duckdb"

    def parquet(self, table: str) -> Path:
        """A table as a file: what Feast reads."""
        return self.folder / f"spine_{self.spine}_{table}.parquet"

    def macro(self) -> str:
        """The SQL of snowml's macro `point_in_time_join`."""
        return (self.folder / "joined.sql").read_text("utf-8")

    def make(self, by_hand: str) -> None:
        """Make what is not there; `by_hand` is the query whose answer is expected."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "joined.sql").is_file():
            _render(self.folder)
        if self.file.is_file():
            return
        unfinished = self.file.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        with duckdb.connect(str(unfinished)) as connection:
            customers = max(self.spine // 10, 1)
            connection.execute(f"create table spine as {_spine(self.spine, customers)}")
            for number, history in enumerate(HISTORIES, start=1):
                connection.execute(
                    f"create table {history} as {_history(10 * self.spine, customers, number)}"
                )
            connection.execute(f"create table expected as {by_hand}")
            for table in ("spine", *HISTORIES):
                connection.execute(f"copy {table} to '{self.parquet(table)}' (format parquet)")
        unfinished.rename(self.file)


def _spine(rows: int, customers: int) -> str:
    return (
        f"select range as row, (hash(range, 0) % {customers})::bigint as customer, "
        f"{_moment('hash(range, 1)')} as as_of from range({rows})"
    )


def _history(rows: int, customers: int, number: int) -> str:
    # A customer has few rows, so that two at one microsecond are not to be expected.
    name = HISTORIES[number - 1]
    return (
        f"select (hash(range, {10 * number}) % {customers})::bigint as customer, "
        f"{_moment(f'hash(range, {10 * number + 1})')} as known_at, "
        f"(hash(range, {10 * number + 2}) % 100000) / 100.0::double as {name}_amount, "
        f"(hash(range, {10 * number + 3}) % 50)::integer as {name}_count from range({rows})"
    )


def _moment(seed: str) -> str:
    return f"timestamp '2024-01-01' + to_microseconds(({seed} % {_YEAR})::bigint)"


_MODEL = """\
{{{{ snowml.point_in_time_join(
    spine='spine', entity='row', as_of='as_of', keep=['customer'],
    histories=[
        {histories}
    ]
) }}}}
"""


def _render(folder: Path) -> None:
    """Compile a project of one model with dbt."""
    from dbt.cli.main import dbtRunner

    project = folder / "project"
    (project / "models").mkdir(parents=True, exist_ok=True)
    histories = ",\n        ".join(
        f"{{'from': '{name}', 'by': 'customer', 'known_at': 'known_at', 'columns': ['{name}_amount', '{name}_count']}}"
        for name in HISTORIES
    )
    (project / "models" / "joined.sql").write_text(_MODEL.format(histories=histories), "utf-8")
    (project / "dbt_project.yml").write_text(
        "name: training_set_benchmark\nprofile: benchmark\nvars: {as_of: '2030-01-01'}\n", "utf-8"
    )
    (project / "packages.yml").write_text(f"packages:\n  - local: {dbt_package().as_posix()}\n", "utf-8")
    (project / "profiles.yml").write_text(
        "benchmark: {target: here, outputs: {here: {type: duckdb, path: ':memory:'}}}\n", "utf-8"
    )
    place = ["--project-dir", str(project), "--profiles-dir", str(project), "--log-level", "none"]
    place += ["--no-send-anonymous-usage-stats"]
    for command in ("deps", "compile"):
        done = dbtRunner().invoke([command, *place])
        if not done.success:
            raise RuntimeError(f"dbt {command} failed: {done.exception or done.result}")
    compiled = project / "target" / "compiled" / "training_set_benchmark" / "models" / "joined.sql"
    (folder / "joined.sql").write_text(compiled.read_text("utf-8"), "utf-8")
