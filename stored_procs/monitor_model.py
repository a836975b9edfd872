"""CALL monitor_model('<model>' [, '<as of>' [, '<window>']]): compare a scored window with training."""

from snowml.documents import plain
from snowml.engines.factory import engine_for
from snowml.registry.store import Registry
from snowml.workflows.moment import duration, moment
from snowml.workflows.monitor import monitor
from snowml.workflows.specs import from_registry


def main(session: object, model: str, as_of: str | None = None, window: str | None = None) -> object:
    """Monitor the champion over the window that ends at `as_of`; the answer tells what drifted."""
    registry = Registry.find(engine_for(session))
    located = from_registry(registry, model)
    length = duration(window) if window else None
    found = monitor(registry.engine, registry, located, as_of=moment(as_of), window=length)
    return plain(found.summary())
