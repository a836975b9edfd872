"""Predict: score what is due, by dbt."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from snowml.registry.store import Registry
from snowml.workflows.batch import Predicted, count_rows
from snowml.workflows.dbt import Dbt
from snowml.workflows.monitor import predictions_of
from snowml.workflows.repair import repair
from snowml.workflows.specs import from_registry


def predict(dbt: Dbt, model: str, *, as_of: datetime, upstream: bool = False) -> Predicted:
    """Build the model's scoring set and predictions as of a moment, with their tests.

    Args:
        dbt: The project.
        model: The model.
        as_of: The moment.
        upstream: Build everything that the predictions depend on first.

    Raises:
        NotTrained: The model has no version; NotPromoted: it has no champion.
        ProjectError: The project has no model `<model>_predictions`.
    """
    with _session(dbt) as registry:
        registry.require().engine.tag("predict", model)
        version = registry.champion(model)
        repair(registry, model)
        spec = from_registry(registry, model).spec
        target = predictions_of(spec)
        before = count_rows(registry.engine, target, version)
    alone = [f"{model}_predictions", spec.settings.scoring_set]
    dbt.build(
        select=[f"+{model}_predictions"] if upstream else alone,
        variables={"as_of": as_of.isoformat(sep=" ")},
        title=f"score {model}",
    )
    with _session(dbt) as registry:
        after = count_rows(registry.engine, target, version)
    return Predicted(version, target, after - before, after)


@contextmanager
def _session(dbt: Dbt) -> Iterator[Registry]:
    """The registry, for as long as dbt does not need the file."""
    engine = dbt.project.open(notify=dbt.progress.note)
    try:
        yield dbt.project.registry(engine)
    finally:
        engine.close()
