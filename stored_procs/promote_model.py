"""CALL promote_model('<model>' [, <version>]): make a version the champion, if its function proves equal."""

from snowml.documents import plain
from snowml.engines.factory import engine_for
from snowml.errors import UserError
from snowml.registry.store import Registry
from snowml.workflows.moment import now
from snowml.workflows.promote import promote


def main(session: object, model: str, version: int | str | None = None) -> object:
    """Promote a version of `model`: the newest approved one if none is given."""
    registry = Registry.find(engine_for(session))
    try:
        number = None if version is None else int(version)
    except ValueError as error:
        raise UserError(f"'{version}' is no version number.") from error
    return plain(promote(registry.engine, registry, model, version=number, now=now()).summary())
