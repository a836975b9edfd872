"""What every suite shares: an engine, and tables to fill it with."""

import os
from collections.abc import Callable, Iterator

# Several test processes with as many threads each wait for one another: a fit of 0.1 s takes ten.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# At each login Snowflake's connector asks the network which cloud it is in; where no name server answers, for 5 s.
os.environ.setdefault("SNOWFLAKE_DISABLE_PLATFORM_DETECTION", "true")

import pandas as pd
import pytest
from fixtures import standin, warehouse  # noqa: F401
from hypothesis import settings

from snowml.engines.base import Engine
from snowml.names import Relation

# Other processes share the machine: how long one example took says little.
settings.register_profile("snowml", deadline=None)
settings.load_profile("snowml")

Load = Callable[[str, pd.DataFrame], Relation]


@pytest.fixture(params=["duckdb"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An empty database of each kind of engine: what holds for one must hold for all."""
    assert request.param == "duckdb"
    # Not at the top: most tests need no warehouse, nor pay for its import.
    from snowml.engines.duckdb.connection import DuckDBFile
    from snowml.engines.duckdb.engine import DuckDBEngine

    engine = DuckDBEngine(DuckDBFile(":memory:").open())
    yield engine
    engine.close()


@pytest.fixture
def load(engine: Engine) -> Load:
    """Makes, or makes anew, a table in the schema `main` out of a frame."""

    def load(name: str, frame: pd.DataFrame) -> Relation:
        relation = Relation("main", name)
        engine.connection.register("frame_to_load", frame)
        engine.execute(f"create or replace table {relation.sql('duckdb')} as select * from frame_to_load")
        engine.connection.unregister("frame_to_load")
        return relation

    return load
