"""The inputs: the labelled rows of the reference project, and any number of rows like them.

The reference project is built once, in the cache; `generated` rows of the same shape stand in for it where time counts.
All are in one DuckDB file: `base` and `rows_<N>` have a `row` number and the features; `base` also has what training
takes; `answers_<kind>_<table>` are scikit-learn's answers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import duckdb
import numpy as np
import pandas as pd

from snowml.engines.columns import columns_of
from snowml.names import quoted
from snowml.progress import Silent
from snowml.records import Feature
from snowml.scaffold.files import write_packages, write_project
from snowml.scaffold.load import load
from snowml.scaffold.tour import read_tour
from snowml.spec.columns import features as features_of
from snowml.spec.exposure import model_names
from snowml.workflows.dbt import Dbt
from snowml.workflows.project import Project
from snowml.workflows.specs import from_project

Base = Literal["reference", "generated"]
# Later than all of the data: every row has its label by then.
_EVERYTHING: Final = {"as_of": "2030-01-01 00:00:00"}
_GENERATED: Final = 4_000
_BATCH: Final = 250_000
# What a training takes beside the features.
ROLES: Final = ("as_of", "label", "label_at")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The file with the inputs, and what they are."""

    file: Path
    features: tuple[Feature, ...]

    def count(self, table: str) -> int:
        """The rows of a table."""
        with duckdb.connect(str(self.file), read_only=True) as connection:
            return int(connection.sql(f"select count(*) from {table}").fetchall()[0][0])

    def of_kind(self, kind: str) -> list[str]:
        """The names of the numbers, or of the categories."""
        return [feature.name for feature in self.features if feature.kind == kind]


def inputs(folder: Path, base: Base) -> Inputs:
    """The file in `folder` with at least the table `base`."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "rows.duckdb"
    with duckdb.connect(str(file)) as connection:
        if not _exists(connection, "base"):
            if base == "reference":
                _from_the_reference_project(connection, folder / "project")
            else:
                _generated(connection)
        described = connection.sql("describe base").fetchall()
    kinds = {name: "number" if kind == "DOUBLE" else "category" for name, kind, *_ in described}
    return Inputs(
        file,
        tuple(Feature(name=name, kind=kind) for name, kind in kinds.items() if name not in ("row", *ROLES)),
    )


def rows_like_them(inputs: Inputs, rows: str) -> str:
    """The table of so many rows drawn from the base, numbers that are not whole moved by up to a thousandth.

    `real` is the base itself.
    """
    if rows == "real":
        return "base"
    table = f"rows_{rows}"
    with duckdb.connect(str(inputs.file)) as connection:
        if not _exists(connection, table):
            # The count as a number: beside a subquery the join would compare every pair.
            of = connection.sql("select count(*) from base").fetchall()[0][0]
            connection.execute(
                f"create table {table} as select range as row, {_drawn(connection, inputs)} from range({rows}) "
                f"join base on base.row = (hash(range) % {of})::bigint"
            )
    return table


def answers(inputs: Inputs, table: str, kind: str, predict: Callable[[pd.DataFrame], Any]) -> str:
    """The table of scikit-learn's answers to the rows of a table."""
    name = f"answers_{kind}_{table}"
    with duckdb.connect(str(inputs.file)) as connection:
        if _exists(connection, name):
            return name
        connection.execute("begin")
        connection.execute(f"create table {name} (row bigint, answer double)")
        # The whole table at once would be gigabytes of DataFrame.
        with duckdb.connect(str(inputs.file)) as reading:
            for batch in reading.sql(f"from {table}").to_arrow_reader(_BATCH):
                frame = batch.to_pandas()
                found = pd.DataFrame({"row": frame["row"], "answer": np.asarray(predict(frame), np.float64)})
                connection.register("found", found)
                connection.execute(f"insert into {name} from found")
                connection.unregister("found")
        connection.execute("commit")
    return name


def _exists(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return bool(connection.execute("select 1 from duckdb_tables() where table_name = ?", [table]).fetchall())


def _drawn(connection: duckdb.DuckDBPyConnection, inputs: Inputs) -> str:
    columns = []
    for feature in inputs.features:
        column = quoted(feature.name, "duckdb")
        if feature.kind == "number" and _is_continuous(connection, column):
            moved = f"(0.999 + 0.002 * (hash(range, '{feature.name}') % 1000003) / 1000003)"
            columns.append(f"{column} * {moved} as {column}")
        else:
            columns.append(column)
    return ", ".join(columns)


def _is_continuous(connection: duckdb.DuckDBPyConnection, column: str) -> bool:
    return bool(connection.sql(f"select bool_or({column} <> floor({column})) from base").fetchall()[0][0])


def _from_the_reference_project(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Build the project as of the end of its data, and copy the training set of its first classifier."""
    write_project(folder)
    write_packages(folder)
    project = Project.load(folder, profiles_dir=folder)
    engine = project.open()
    try:
        load(engine, read_tour(folder).data, now=datetime.now(UTC).replace(tzinfo=None), progress=Silent())
    finally:
        engine.close()
    dbt = Dbt(project)
    manifest = dbt.manifest(_EVERYTHING)
    dbt.build(
        exclude=("tag:predictions", "tag:monitoring", "resource_type:test", "resource_type:unit_test"),
        variables=_EVERYTHING,
    )
    engine = project.open(read_only=True)
    try:
        located = (
            from_project(project, manifest, name, database=engine.database) for name in model_names(manifest)
        )
        spec = next(item.spec for item in located if item.spec.settings.task == "classification")
        settings, relation = spec.settings, spec.training_set.within(engine.database)
        found = features_of(spec, columns_of(engine, relation))
        columns = ", ".join(
            f"cast({quoted(feature.name, 'duckdb')} as {'double' if feature.kind == 'number' else 'varchar'}) "
            f"as {quoted(feature.name, 'duckdb')}"
            for feature in found
        )
        order = ", ".join(quoted(name, "duckdb") for name in (settings.as_of, *settings.entity))
        built = engine.query(
            f"select row_number() over (order by {order}) - 1 as row, {columns}, "
            f"{quoted(settings.as_of, 'duckdb')} as as_of, {quoted(settings.label, 'duckdb')} as label, "
            f"{quoted(settings.label_at, 'duckdb')} as label_at from {relation.sql('duckdb')}"
        )
    finally:
        engine.close()
    connection.register("built", built)
    connection.execute("create table base as from built")
    connection.unregister("built")


def _generated(connection: duckdb.DuckDBPyConnection) -> None:
    """Numbers, some whole, some missing, and three categories, of which one has a hundred values."""
    random, rows = np.random.default_rng(0), _GENERATED
    columns: dict[str, Any] = {"row": np.arange(rows)}
    for i in range(26):
        values = random.normal(size=rows) if i % 2 else random.integers(0, 30, rows).astype(float)
        columns[f"number_{i}"] = np.where(random.random(rows) < 0.02 * (i % 5), np.nan, values)
    for name, size in {"few": 3, "some": 16, "many": 100}.items():
        columns[f"category_{name}"] = np.char.add(name, random.integers(0, size, rows).astype(str))
    score = np.nan_to_num(columns["number_1"]) + np.nan_to_num(columns["number_2"]) / 10
    columns["as_of"] = np.datetime64("2020-01-01", "us") + np.arange(rows) * np.timedelta64(1, "h")
    columns["label"] = score + random.normal(size=rows) > 1.5
    columns["label_at"] = columns["as_of"] + np.timedelta64(1, "D")
    frame = pd.DataFrame(columns)
    numbers = ", ".join(f"if(isnan(number_{i}), null, number_{i}) as number_{i}" for i in range(26))
    connection.register("generated", frame)
    connection.execute(f"create table base as select * replace ({numbers}) from generated")
    connection.unregister("generated")
