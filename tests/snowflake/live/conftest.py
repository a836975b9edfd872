"""A real account, where the environment names one; every test here is skipped, and reported as skipped, elsewhere.

Needed: SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER, SNOWFLAKE_DATABASE, SNOWFLAKE_WAREHOUSE, and a key
(SNOWFLAKE_PRIVATE_KEY_PATH), a token (SNOWFLAKE_TOKEN) or a password (SNOWFLAKE_PASSWORD). The tests make schemas of
their own in that database, whose names begin with SNOWML_LIVE, and drop them.
"""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from snowml.engines.profile import Target

if TYPE_CHECKING:
    from snowml.engines.snowflake.engine import SnowflakeEngine

NEEDED = ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER", "SNOWFLAKE_DATABASE", "SNOWFLAKE_WAREHOUSE")
OPTIONAL = (
    "PASSWORD",
    "PRIVATE_KEY_PATH",
    "PRIVATE_KEY_PASSPHRASE",
    "TOKEN",
    "AUTHENTICATOR",
    "ROLE",
    "HOST",
)


@dataclass(frozen=True)
class Account:
    """A session, and the schemas that are this run's own."""

    engine: "SnowflakeEngine"
    schema: str
    registry: str


@pytest.fixture(scope="session")
def account() -> Iterator[Account]:
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        pytest.skip(f"no Snowflake account: {', '.join(missing)} not set (docs/snowflake.md)")
    from snowml.engines.factory import open_engine

    own = f"snowml_live_{uuid.uuid4().hex[:8]}"
    settings = {name.lower(): os.environ.get(f"SNOWFLAKE_{name}") for name in OPTIONAL}
    settings |= {name.removeprefix("SNOWFLAKE_").lower(): os.environ[name] for name in NEEDED}
    # A port and a protocol are for a stand-in: that is how these tests are tried where there is no account.
    settings |= {name: os.environ.get(f"SNOWFLAKE_{name.upper()}") for name in ("port", "protocol")}
    given = {name: value for name, value in settings.items() if value}
    target = Target(
        "live", "live", "snowflake", {**given, "schema": own, "type": "snowflake"}, Path("environment")
    )
    database = given["database"]
    first = open_engine(target)
    first.execute(f"create schema {database}.{own}")
    first.close()
    # A session that is opened after its schema was made has it for its own, and CALL finds what stands there.
    engine = open_engine(target)
    try:
        yield Account(engine, own, f"{own}_registry")  # type: ignore[arg-type]
    finally:
        for schema in (own, f"{own}_registry"):
            engine.execute(f"drop schema if exists {database}.{schema} cascade")
        engine.close()
