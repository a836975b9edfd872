"""CALL train_model('<model>' [, '<as of>']): train on what was known then, register the version, judge it."""

from snowml.documents import plain
from snowml.engines.factory import engine_for
from snowml.registry.store import Registry
from snowml.workflows.moment import moment, now
from snowml.workflows.specs import from_registry
from snowml.workflows.train import train


def main(session: object, model: str, as_of: str | None = None) -> object:
    """Train `model` as its recorded specification says; the answer tells version, status and figures."""
    registry = Registry.find(engine_for(session))
    located = from_registry(registry, model)
    return plain(train(registry.engine, registry, located, as_of=moment(as_of), now=now()).summary())
