"""The champion of a model, with what it is made of."""

from snowml.records import Version
from snowml.registry.store import Registry
from snowml.registry.trusted import Artifact


def load_artifact(registry: Registry, version: Version) -> Artifact:
    """A version's pipeline, its bytes checked against the hash they were registered with."""
    return Artifact.loads(registry.artifact(version), version.artifact)


def champion_artifact(registry: Registry, model: str) -> Artifact | None:
    """The champion's pipeline; None where no version was promoted yet."""
    champions = registry.champions(model)
    return load_artifact(registry, registry.version(model, champions[-1])) if champions else None
