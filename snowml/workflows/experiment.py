"""A run in the warehouse's own experiments too, where a specification asks for that.

snowml's tables are the truth; this is a copy to look at. That it cannot be written is told, and stops no training.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from snowml.progress import Progress
from snowml.records import Run, Version
from snowml.registry.store import Registry


@dataclass(frozen=True, slots=True)
class Tracked:
    """What came of it.

    Attributes:
        run: What the run is called there.
        problem: Why it is not there; None where it is.
    """

    run: str
    problem: str | None = None

    def summary(self) -> dict[str, Any]:
        """What a command or a procedure answers."""
        return {"run": self.run, "problem": self.problem}


def track(
    registry: Registry,
    version: Version,
    run: Run,
    measured: Mapping[str, Mapping[str, Mapping[str, float]]],
    progress: Progress,
) -> Tracked | None:
    """Write the run of a version; None where the warehouse has no experiments.

    The experiment has the model's name, and stands in the registry's schema.
    """
    models = registry.engine.models
    if models is None:
        return None
    name = f"v{version.version}_{run.run_id[:8]}"
    try:
        with progress.step(f"track {version.model} version {version.version} as a run of an experiment"):
            models.track(registry.table(version.model), name, _params(version, run), _metrics(measured))
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in a copy, the version is registered
        problem = f"{type(error).__name__}: {error}"
        progress.note(
            f"{version.model} version {version.version} is registered, and its run is not among the warehouse's "
            f"experiments: {problem}"
        )
        return Tracked(name, problem)
    return Tracked(name)


def _params(version: Version, run: Run) -> dict[str, object]:
    about = {
        "run_id": run.run_id,
        "version": version.version,
        "flavor": version.flavor,
        "as_of": run.as_of.isoformat(),
        "seed": run.seed,
        "training_set": run.training_set,
        "fingerprint": run.fingerprint,
        "git_commit": run.git_commit or "",
        "rows_train": run.row_counts.get("train", 0),
        "rows_test": run.row_counts.get("test", 0),
    }
    return {**about, **{f"param_{name}": value for name, value in run.params.items()}}


def _metrics(measured: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, float]:
    """By name: those of the model as `test_roc_auc`, of what it was measured beside as `constant_test_roc_auc`."""
    return {
        f"{split}_{metric}" if predictor == "model" else f"{predictor}_{split}_{metric}": value
        for predictor, splits in measured.items()
        for split, by in splits.items()
        for metric, value in by.items()
    }
