"""New rows in the tables that a graph waits for: seen by a stream on Snowflake, by the count of rows on DuckDB.

What a round has built of is taken once its features are built, so that a round that fails before is due again. Both
warehouses keep how much was taken in `stream_reads`: on Snowflake the INSERT that reads the stream moves it on.
"""

from collections.abc import Mapping
from datetime import datetime

from snowml.names import Relation
from snowml.registry.store import Registry
from snowml.spec.graph import Graph, stream_of

Waiting = Mapping[Relation, int]


def waiting(registry: Registry, graph: Graph) -> Waiting:
    """How many rows of each table no round has taken; on DuckDB less than 0 where there are fewer than before."""
    return {table: _untaken(registry, graph, table) for table in graph.streams}


def is_due(registry: Registry, graph: Graph, due_at: datetime) -> bool:
    """Whether there is something to do for a moment: nothing is waited for, rows are there, or it took some before."""
    if not graph.streams or any(waiting(registry, graph).values()):
        return True
    reads = registry.table("stream_reads").sql(registry.engine.name)
    return bool(
        registry.engine.query(
            f"select 1 as n from {reads} where schedule = ? and due_at = ? limit 1", [graph.schedule, due_at]
        ).num_rows
    )


def take(registry: Registry, graph: Graph, due_at: datetime, seen: Waiting) -> str:
    """Keep that a round has built of what it saw; a few words about it.

    Where more has come meanwhile a stream is left as it is, and the next round is due: which rows were built of, and
    which came too late, nobody could tell.
    """
    for table, count in seen.items():
        row = {"schedule": graph.schedule, "relation": str(table), "due_at": due_at, "row_count": count}
        if registry.engine.name == "duckdb":
            registry.engine.insert(registry.table("stream_reads"), [row])
            continue
        # In a transaction a stream shows what it showed at its beginning.
        with registry.engine.transaction():
            if _untaken(registry, graph, table) == count:
                _move_on(registry, graph, table, due_at)
    return "".join(f"; {count} new rows in {table}" for table, count in seen.items())


def _untaken(registry: Registry, graph: Graph, table: Relation) -> int:
    engine = registry.engine
    if engine.name == "snowflake":
        rows = engine.query(f"select count(*) as n from {_stream(registry, graph, table)}").to_pylist()
        return int(rows[0]["n"])
    reads = registry.table("stream_reads").sql(engine.name)
    rows = engine.query(
        f"select (select count(*) from {table.within(engine.database).sql(engine.name)}) - coalesce(sum(row_count), 0) "
        f"as n from {reads} where schedule = ? and relation = ?",
        [graph.schedule, str(table)],
    ).to_pylist()
    return int(rows[0]["n"])


def _move_on(registry: Registry, graph: Graph, table: Relation, due_at: datetime) -> None:
    reads = registry.table("stream_reads").sql(registry.engine.name)
    registry.engine.execute(
        f"insert into {reads} (schedule, relation, due_at, row_count) "
        f"select ?, ?, ?, count(*) from {_stream(registry, graph, table)}",
        [graph.schedule, str(table), due_at],
    )


def _stream(registry: Registry, graph: Graph, table: Relation) -> str:
    stream = stream_of(graph, table, registry.schema)
    return stream.within(registry.engine.database).sql(registry.engine.name)
