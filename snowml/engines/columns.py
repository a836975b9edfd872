"""What columns a relation has, and what columns rows have that go into one."""

from collections.abc import Mapping, Sequence

from snowml.engines.base import Engine
from snowml.errors import DataError, TerminalError
from snowml.names import Relation, quoted, written


def columns_of(engine: Engine, relation: Relation) -> list[tuple[str, str]]:
    """The columns of a table or view with the warehouse's own types, in order.

    Raises:
        DataError: There is no such relation.
    """
    full = relation.within(engine.database)
    # DuckDB has one catalogue of all databases, Snowflake one in each.
    catalogue = "information_schema.columns"
    if engine.name == "snowflake":
        catalogue = f"{quoted(full.database or engine.database, engine.name)}.{catalogue}"
    rows = engine.query(
        f"select column_name as name, data_type as type from {catalogue} "
        "where lower(table_catalog) = lower(?) and lower(table_schema) = lower(?) and lower(table_name) = lower(?) "
        "order by ordinal_position",
        [full.database, full.schema, full.name],
    ).to_pylist()
    if not rows:
        raise DataError(f"There is no relation {full}. Build it first: snowml build")
    return [(written(row["name"], engine.name), row["type"]) for row in rows]


def shared_columns(relation: Relation, rows: Sequence[Mapping[str, object]]) -> list[str]:
    """The columns that all of the rows have, of which there is at least one.

    Raises:
        TerminalError: One row has others.
    """
    names = list(rows[0])
    if any(row.keys() != rows[0].keys() for row in rows):
        raise TerminalError(f"The rows for {relation} have not all the columns {', '.join(names)}.")
    return names
