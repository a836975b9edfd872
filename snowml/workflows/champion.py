"""The champion of a model: what it is made of, and whether a new version can be measured beside it."""

from dataclasses import dataclass
from datetime import datetime

from snowml.engines.base import Engine
from snowml.engines.columns import columns_of
from snowml.errors import ArtifactError, DataError
from snowml.records import Signature, Version
from snowml.registry.store import Registry
from snowml.registry.trusted import Artifact
from snowml.spec.model import ModelSpec
from snowml.spec.split import Split, Windows
from snowml.training.data import Columns, TrainingData, read
from snowml.training.fitting import Rival
from snowml.workflows.inputs import broken_inputs


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """Why a new version cannot be measured beside the champion, and what to do about it."""

    reason: str
    remedy: str = "A gate that names the champion fails then; train once without it (--set gates=…)."

    def __str__(self) -> str:
        return f"{self.reason}{'' if self.reason.endswith('?') else '.'} {self.remedy}"


def load_artifact(registry: Registry, version: Version) -> Artifact:
    """A version's pipeline, its bytes checked against the hash they were registered with.

    Raises:
        ArtifactError: They are gone, damaged, or not what snowml writes.
    """
    try:
        return Artifact.loads(registry.artifact(version), version.artifact)
    except DataError as wrong:
        model = version.model
        raise ArtifactError(
            f"{model} version {version.version} cannot be read: {wrong} Make another version and promote it: "
            f"snowml train {model}, then snowml promote {model}"
        ) from wrong


def rival_of(
    engine: Engine,
    registry: Registry,
    spec: ModelSpec,
    signature: Signature,
    data: TrainingData,
    windows: Windows,
) -> Rival | Unmeasured | None:
    """The champion with the same rows, read with its own features: the new version may have dropped some.

    It is measured only on rows that it was not made with: its training and validation must end before the test
    window begins. None where there is no champion yet.
    """
    champions = registry.champions(spec.name)
    if not champions:
        return None
    champion = registry.version(spec.name, champions[-1])
    if (unseen := _unseen_from(registry, champion)) > windows.test_start:
        return Unmeasured(
            f"version {champion.version} was trained on rows of this test window",
            f"Let the test window begin at {unseen:%Y-%m-%d %H:%M} or later: --as-of, or split.test.",
        )
    columns = columns_of(engine, spec.training_set)
    if broken := broken_inputs(columns, champion, str(spec.training_set), engine.name):
        return Unmeasured(broken[0].rstrip("."))
    try:
        artifact = load_artifact(registry, champion)
    except ArtifactError as lost:
        return Unmeasured(f"version {champion.version} is lost. {lost.__cause__}".rstrip("."))
    wanted = champion.signature.features
    if set(wanted) <= set(signature.features):
        return Rival(artifact, data.frame)
    settings = spec.settings
    roles = Columns(wanted, settings.entity, settings.as_of, settings.label, settings.label_at)
    same = read(engine, spec.training_set, roles, task=settings.task, as_of=windows.end)
    return Rival(artifact, same.frame)


def _unseen_from(registry: Registry, version: Version) -> datetime:
    """The moment from which a version has seen no row: where its own test window begins.

    Nor has it seen a label that became known later (the embargo).
    """
    run = registry.run(version.run_id)
    return Split.model_validate(run.params["split"]).windows(run.as_of).test_start
