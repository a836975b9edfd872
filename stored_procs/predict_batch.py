"""CALL predict_batch('<model>' [, '<as of>']): score what the champion has not scored yet, in the warehouse."""

from snowml.documents import plain
from snowml.engines.factory import engine_for
from snowml.registry.store import Registry
from snowml.workflows.batch import predict_batch
from snowml.workflows.moment import moment
from snowml.workflows.specs import from_registry


def main(session: object, model: str, as_of: str | None = None) -> object:
    """Append predictions for the rows of the model's scoring set."""
    registry = Registry.find(engine_for(session))
    located = from_registry(registry, model)
    return plain(predict_batch(registry.engine, registry, located, as_of=moment(as_of)).summary())
