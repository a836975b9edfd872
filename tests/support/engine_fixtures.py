"""An engine of each kind: what holds for one must hold for all."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from snowflake_target import open_standin

from snowml.engines.base import Engine

if TYPE_CHECKING:
    from fixtures import Warehouse

    from snowml.engines.snowflake.engine import SnowflakeEngine


@pytest.fixture(params=["duckdb", "snowflake"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """An empty database of each kind, with a schema `main`."""
    found: Engine = request.getfixturevalue(f"{request.param}_engine")
    return found


@pytest.fixture
def duckdb_engine() -> Iterator[Engine]:
    from snowml.engines.duckdb.connection import DuckDBFile
    from snowml.engines.duckdb.engine import DuckDBEngine

    engine = DuckDBEngine(DuckDBFile(":memory:").open())
    yield engine
    engine.close()


@pytest.fixture
def snowflake_engine(warehouse: "Warehouse") -> "Iterator[SnowflakeEngine]":
    engine = open_standin(warehouse)
    # A session that is left open is waited for when the process ends.
    try:
        engine.execute("create schema if not exists main")
        yield engine
    finally:
        engine.close()


@pytest.fixture
def only(engine: Engine) -> Callable[[str, str], None]:
    """Skips a test that makes sense on one engine alone, and says why."""

    def only(name: str, why: str) -> None:
        if engine.name != name:
            pytest.skip(f"{name} only: {why}")

    return only
