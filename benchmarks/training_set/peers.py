"""The peers: each makes the table `out.training_set`: row, customer, as_of and two columns of each history."""

from collections.abc import Callable, Mapping
from tempfile import TemporaryDirectory
from typing import Final

import duckdb

from benchmarks.training_set.data import HISTORIES, Question

COLUMNS: Final = [f"{name}_{column}" for name in HISTORIES for column in ("amount", "count")]

Make = Callable[[duckdb.DuckDBPyConnection, Question], None]


def by_hand(prefix: str = "") -> str:
    """The join as one would write it by hand for DuckDB."""
    joins = " ".join(
        f"asof left join {prefix}{name} on spine.customer = {name}.customer and spine.as_of >= {name}.known_at"
        for name in HISTORIES
    )
    return f"select spine.row, spine.customer, spine.as_of, {', '.join(COLUMNS)} from {prefix}spine as spine {joins}"


def asof(connection: duckdb.DuckDBPyConnection, question: Question) -> None:
    """A hand-written ASOF join."""
    _create(connection, by_hand())


def macro(connection: duckdb.DuckDBPyConnection, question: Question) -> None:
    """The macro point_in_time_join of snowml."""
    _create(connection, question.macro())


def macro_1gb(connection: duckdb.DuckDBPyConnection, question: Question) -> None:
    """The same where DuckDB may use a gigabyte of memory, and a folder besides."""
    with TemporaryDirectory() as folder:
        connection.execute(f"set temp_directory = '{folder}'")
        connection.execute("set memory_limit = '1GB'")
        macro(connection, question)


def qualify(connection: duckdb.DuckDBPyConnection, question: Question) -> None:
    """Join everything that was known, and keep the newest: row_number, one history after another."""
    query = "select * from spine"
    for name in HISTORIES:
        query = (
            f"select asked.*, {name}_amount, {name}_count from ({query}) as asked "
            f"left join {name} on asked.customer = {name}.customer and {name}.known_at <= asked.as_of "
            "qualify row_number() over (partition by asked.row order by known_at desc) = 1"
        )
    _create(connection, query)


def merge_asof(connection: duckdb.DuckDBPyConnection, question: Question) -> None:
    """Fetch DataFrames, pandas.merge_asof, write back."""
    import pandas as pd

    frame = connection.sql("from spine").df().sort_values("as_of")
    for name in HISTORIES:
        history = connection.sql(f"from {name}").df().sort_values("known_at")
        frame = pd.merge_asof(frame, history, left_on="as_of", right_on="known_at", by="customer")
        frame = frame.drop(columns="known_at")
    connection.register("made", frame)
    connection.execute(f"create or replace table out.training_set as {_selected('made')}")


def feast(connection: duckdb.DuckDBPyConnection, question: Question) -> None:
    """Feast with its DuckDB store: its histories are parquet files, its spine a DataFrame."""
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
    from feast.types import Float64, Int32

    folder = question.folder / "feast"
    folder.mkdir(exist_ok=True)
    config = {
        "project": "benchmark",
        "provider": "local",
        "registry": str(folder / f"registry_{question.spine}.db"),
        "offline_store": {"type": "duckdb"},
        "online_store": {"type": "sqlite", "path": str(folder / "online.db")},
        "entity_key_serialization_version": 3,
    }
    store = FeatureStore(config=RepoConfig(**config))
    customer = Entity(name="customer", join_keys=["customer"], value_type=ValueType.INT64)
    views = [
        FeatureView(
            name=name,
            entities=[customer],
            ttl=None,
            schema=[Field(name=f"{name}_amount", dtype=Float64), Field(name=f"{name}_count", dtype=Int32)],
            source=FileSource(path=str(question.parquet(name)), timestamp_field="known_at"),
            online=False,
        )
        for name in HISTORIES
    ]
    store.apply([customer, *views])
    spine = connection.sql("from spine").df().rename(columns={"as_of": "event_timestamp"})
    features = [f"{name}:{name}_{column}" for name in HISTORIES for column in ("amount", "count")]
    made = store.get_historical_features(spine, features=features).to_arrow()
    connection.register("made", made)
    renamed = "(select * rename (event_timestamp as as_of) from made)"
    connection.execute(f"create or replace table out.training_set as {_selected(renamed)}")


# What a peer imports, which is no part of its time.
IMPORTS: Final = {
    "merge_asof": ["pandas"],
    "feast": ["feast", "feast.infra.offline_stores.duckdb", "ibis.backends.duckdb"],
}

PEERS: Final[Mapping[str, Make]] = {
    "asof": asof,
    "macro": macro,
    "macro_1gb": macro_1gb,
    "merge_asof": merge_asof,
    "qualify": qualify,
    "feast": feast,
}


def _create(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    connection.execute(f"create or replace table out.training_set as {query}")


def _selected(relation: str) -> str:
    return f"select row, customer, as_of, {', '.join(COLUMNS)} from {relation}"
