"""Sessions of the real clients on the stand-in."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from fixtures import Warehouse

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.snowpark import Session

Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def connection(warehouse: Warehouse) -> "Iterator[SnowflakeConnection]":
    import snowflake.connector

    with snowflake.connector.connect(**warehouse.parameters, paramstyle="qmark") as connection:
        yield connection


@pytest.fixture
def ask(connection: "SnowflakeConnection") -> Ask:
    """Executes a statement, and fetches what it answers."""

    def ask(sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return list(connection.cursor().execute(sql, values or None).fetchall())

    return ask


@pytest.fixture
def session(warehouse: Warehouse) -> "Iterator[Session]":
    from snowflake.snowpark import Session

    session = Session.builder.configs(warehouse.parameters).create()
    yield session
    session.close()
