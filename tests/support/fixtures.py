"""The stand-in, one server for the session, and an empty database in it for each test that asks."""

import importlib.util
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from standin import Record, StandIn

NUMBERS = itertools.count(1)
NEEDED = {"snowflake.snowpark": "snowflake", "fakesnow": "test-snowflake"}


@dataclass(frozen=True)
class Warehouse:
    """An empty database on the stand-in, which is gone after the test."""

    server: "StandIn"
    database: str

    @property
    def parameters(self) -> dict[str, Any]:
        """For Snowpark's `Session.builder.configs` and `snowflake.connector.connect`."""
        return self.server.parameters(self.database)

    @property
    def records(self) -> "list[Record]":
        """What was asked by the sessions that logged in to this database, in order."""
        return self.server.records(self.database)


@pytest.fixture(scope="session")
def standin(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[StandIn]":
    for module, extra in NEEDED.items():
        if not _installed(module):
            pytest.skip(f"{module} is not installed: pip install '.[{extra}]'")
    from standin import StandIn

    with StandIn(log=tmp_path_factory.mktemp("standin") / "log.txt") as server:
        yield server


@pytest.fixture
def warehouse(standin: "StandIn") -> Iterator[Warehouse]:
    warehouse = Warehouse(standin, f"TEST_{next(NUMBERS)}")
    standin.create_database(warehouse.database)
    yield warehouse
    standin.drop_database(warehouse.database)


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
