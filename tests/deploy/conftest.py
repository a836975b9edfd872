"""A deployment of the handmade model, without a dbt project."""

from collections.abc import Callable
from typing import Any

import handmade
import pytest

pytest.importorskip("snowflake.snowpark", reason="the extra 'snowflake' is not installed")

from snowml.deploy.plan import Place
from snowml.deploy.settings import Deployment
from snowml.names import Relation

SCHEDULE = "0 6 * * * Europe/Berlin"
UPKEEP = {
    "monitor": {"schedule": SCHEDULE, "window": "90 days"},
    "retrain": {"on_new_rows": 1},
}
SETTINGS = {"warehouse": "transforming", "roles": ("analyst", "Data Team")}


def place_of(
    database: str = "SHOP",
    *,
    upkeep: dict[str, Any] = UPKEEP,
    stream: Relation | None = None,
    **changes: Any,
) -> Place:
    spec = handmade.spec(**upkeep).model_copy(update={"stream": stream})
    return Place(database, "snowml", "analytics", (spec,), Deployment.model_validate({**SETTINGS, **changes}))


@pytest.fixture
def place() -> Callable[..., Place]:
    return place_of
