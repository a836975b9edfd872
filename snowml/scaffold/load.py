"""Loading the raw tables: what an extract-and-load tool does elsewhere."""

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from snowml.engines.base import Engine
from snowml.names import Relation, literal, quoted
from snowml.progress import Progress
from snowml.scaffold.tour import Data

_LOADS = "_loads"


def load(engine: Engine, data: Data, *, now: datetime, progress: Progress) -> dict[str, int]:
    """Load each table whose file has changed since it was loaded, stamped with the moment in `_loaded_at`.

    Returns:
        Rows by table, for all tables.
    """
    files = data.files()
    home = Relation(data.db_schema, _LOADS, engine.database)
    engine.execute(
        f"create schema if not exists {quoted(engine.database, 'duckdb')}.{quoted(home.schema, 'duckdb')}"
    )
    engine.execute(f"create table if not exists {home.sql('duckdb')} (name varchar, sha256 varchar)")
    rows = engine.query(f"select name, sha256 from {home.sql('duckdb')}").to_pylist()
    known = {row["name"]: row["sha256"] for row in rows}
    stale = {table: file for table, file in files.items() if known.get(table) != _sha256(file)}
    if stale:
        with progress.step("load the raw tables") as step:
            step.total(len(stale))
            for table, file in stale.items():
                _load_table(engine, data, home, table, file, now)
                step.advance(table)
            counts = _counts(engine, data, files)
            step.outcome(f"{sum(counts.values()):,} rows in {len(files)} tables")
    return _counts(engine, data, files)


def _load_table(engine: Engine, data: Data, home: Relation, table: str, file: Path, now: datetime) -> None:
    relation = Relation(data.db_schema, table, engine.database).sql("duckdb")
    nulls = ", ".join(literal(text, "duckdb") for text in data.null_values)
    with _unzipped(file) as csv, engine.transaction():
        engine.execute(
            f"create or replace table {relation} as select *, cast(? as timestamp) as _loaded_at "
            f"from read_csv({literal(str(csv), 'duckdb')}, nullstr = [{nulls}])",
            [now],
        )
        engine.execute(f"delete from {home.sql('duckdb')} where name = ?", [table])
        engine.insert(home, [{"name": table, "sha256": _sha256(file)}])


def _counts(engine: Engine, data: Data, tables: Mapping[str, Path]) -> dict[str, int]:
    counts = {}
    for table in tables:
        name = Relation(data.db_schema, table, engine.database).sql("duckdb")
        counts[table] = int(engine.query(f"select count(*) as n from {name}").to_pylist()[0]["n"])
    return counts


@contextmanager
def _unzipped(file: Path) -> Iterator[Path]:
    if file.suffix != ".zip":
        yield file
        return
    with TemporaryDirectory() as folder, zipfile.ZipFile(file) as archive:
        yield Path(archive.extract(archive.namelist()[0], folder))


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
