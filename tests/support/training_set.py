"""The training set of handmade.py in either warehouse."""

import handmade

from snowml.engines.base import Engine
from snowml.names import Relation, quoted

COLUMNS = {
    "id": "bigint",
    "as_of": "timestamp",
    "speed": "double",
    'Wind "Gust" m/s?': "double",
    "town": "varchar",
    "late": "boolean",
    "known_at": "timestamp",
}


def fill(engine: Engine, rows: int = 200, schema: str = "main") -> Relation:
    """The table `training_set`, by statements that both warehouses take."""
    name = Relation(schema, "training_set", engine.database)
    listed = ", ".join(f"{quoted(column, engine.name)} {kind}" for column, kind in COLUMNS.items())
    engine.execute(f"create table {name.sql(engine.name)} ({listed})")
    frame = handmade.frame(rows).astype(object)
    engine.insert(name, frame.where(frame.notna(), None).to_dict("records"))
    return name
