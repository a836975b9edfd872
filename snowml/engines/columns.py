"""What columns a relation has, asked of the warehouse."""

from snowml.engines.base import Engine
from snowml.errors import DataError
from snowml.names import Relation


def columns_of(engine: Engine, relation: Relation) -> list[tuple[str, str]]:
    """The columns of a table or view with the warehouse's own types, in order.

    Raises:
        DataError: There is no such relation.
    """
    full = relation.within(engine.database)
    rows = engine.query(
        "select column_name as name, data_type as type from information_schema.columns "
        "where lower(table_catalog) = lower(?) and lower(table_schema) = lower(?) and lower(table_name) = lower(?) "
        "order by ordinal_position",
        [full.database, full.schema, full.name],
    ).to_pylist()
    if not rows:
        raise DataError(f"There is no relation {full}. Build it first: snowml build")
    return [(row["name"], row["type"]) for row in rows]
