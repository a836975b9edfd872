"""CALL run_task('<schedule>', '<task>' [, '<dbt project>' [, '<as of>']]): one task of a schedule, and its record."""

from snowml.documents import plain
from snowml.engines.factory import engine_for
from snowml.registry.store import Registry
from snowml.workflows.moment import moment, now
from snowml.workflows.round import run_task


def main(
    session: object, schedule: str, task: str, dbt_project: str | None = None, as_of: str | None = None
) -> object:
    """Run `task` for the moment that `schedule` named; the answer tells what came of it."""
    registry = Registry.find(engine_for(session))
    at = moment(as_of) if as_of else None
    return plain(
        run_task(
            registry.engine, registry, schedule, task, clock=now, as_of=at, dbt_project=dbt_project
        ).summary()
    )
