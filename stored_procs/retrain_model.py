"""CALL retrain_model('<model>' [, '<as of>' [, <force>]]): train again if it is due, and promote what is better."""

from snowml.documents import plain
from snowml.engines.factory import engine_for
from snowml.registry.store import Registry
from snowml.workflows.moment import moment, now
from snowml.workflows.retrain import retrain
from snowml.workflows.specs import from_registry


def main(session: object, model: str, as_of: str | None = None, force: bool = False) -> object:
    """Decide by the policy of the recorded specification; the answer tells why, and what came of it."""
    registry = Registry.find(engine_for(session))
    located = from_registry(registry, model)
    decision = retrain(registry.engine, registry, located, as_of=moment(as_of), now=now(), force=bool(force))
    return plain(decision.summary())
