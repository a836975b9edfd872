"""Predict: score what is due, by dbt."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from snowml.errors import ProjectError
from snowml.names import Relation
from snowml.registry.store import Registry
from snowml.spec.fields import folded
from snowml.spec.model import ModelSpec
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
        ProjectError: The project has no model `<model>_predictions`, or has it where nobody looks for it.
    """
    with _session(dbt) as registry:
        registry.require().engine.tag("predict", model)
        version = registry.champion(model)
        repair(registry, model)
        spec = from_registry(registry, model).spec
        target = predictions_of(spec)
        variables = {"as_of": as_of.isoformat(sep=" ")}
        _check_place(dbt.manifest(variables), spec, target)
        before = count_rows(registry.engine, target, version)
    alone = [f"{model}_predictions", spec.settings.scoring_set]
    dbt.build(
        select=[f"+{model}_predictions"] if upstream else alone,
        variables=variables,
        title=f"score {model}",
    )
    with _session(dbt) as registry:
        after = count_rows(registry.engine, target, version)
    return Predicted(version, target, after - before, after)


def _check_place(manifest: Mapping[str, Any], spec: ModelSpec, target: Relation) -> None:
    """Refuse a project in which dbt would score nothing, or elsewhere than monitoring reads."""
    name = f"{spec.name}_predictions"
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    found = [node for node in nodes if node["name"] == name]
    if not found:
        raise ProjectError(
            f"The project has no model '{name}', so nothing would be scored. Write one: "
            f"{{{{ snowml.predict('{spec.name}', ref('{spec.settings.scoring_set}')) }}}}"
        )
    places = [(folded(node["schema"]), folded(node.get("alias") or node["name"])) for node in found]
    if (target.schema, target.name) not in places:
        raise ProjectError(
            f"{found[0]['original_file_path']}: dbt makes {'.'.join(places[0])}, and predictions are looked for beside "
            f"their scoring set, as {target}. Give both models the same schema, and the predictions no alias."
        )


@contextmanager
def _session(dbt: Dbt) -> Iterator[Registry]:
    """The registry, for as long as dbt does not need the file."""
    engine = dbt.project.open(notify=dbt.progress.note)
    try:
        yield dbt.project.registry(engine)
    finally:
        engine.close()
