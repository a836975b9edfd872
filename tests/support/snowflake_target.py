"""A dbt target of type snowflake that means the stand-in."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from snowml.engines.profile import Target

if TYPE_CHECKING:
    from fixtures import Warehouse

    from snowml.engines.snowflake.engine import SnowflakeEngine

PASSWORD = "open, Sesame!"


def target(warehouse: "Warehouse", **changes: Any) -> Target:
    """What `read_target` would give for a profile whose account is the stand-in."""
    parameters = {key: value for key, value in warehouse.parameters.items() if key != "session_parameters"}
    settings = {**parameters, "type": "snowflake", "password": PASSWORD, "threads": 1, **changes}
    return Target("profile", "standin", "snowflake", settings, Path("profiles.yml"))


def open_standin(warehouse: "Warehouse", **changes: Any) -> "SnowflakeEngine":
    """A session of the stand-in, opened as any session is."""
    from snowml.engines.factory import open_engine

    return open_engine(target(warehouse, **changes))  # type: ignore[return-value]
