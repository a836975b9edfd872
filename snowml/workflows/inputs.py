"""What a version reads must be there, as it was when the version was trained."""

from collections.abc import Sequence

from snowml.engines.base import Engine
from snowml.engines.columns import columns_of
from snowml.errors import DataError, did_you_mean
from snowml.names import Relation
from snowml.records import Version
from snowml.spec.fields import folded
from snowml.spec.kinds import kind_of


def broken_inputs(columns: Sequence[tuple[str, str]], version: Version, source: str) -> list[str]:
    """A sentence for each column that a version reads and `source` lacks, or has as another kind of type.

    Args:
        columns: What `source` has, with the warehouse's types.
        version: The version.
        source: What people call the table.
    """
    types = {folded(name): type_ for name, type_ in columns}
    reader = f"{version.model} version {version.version}"
    found = []
    for feature in version.signature.features:
        type_ = types.get(feature.name)
        if type_ is None:
            hint = did_you_mean(feature.name, types)
            found.append(f"{source} has no column '{feature.name}', which {reader} reads.{hint}")
        elif kind_of(type_) != feature.kind:
            found.append(
                f"The column '{feature.name}' of {source} was a {feature.kind} when {reader} was trained, and is now "
                f"of type {type_}. Restore it, or train the model again: snowml train {version.model}"
            )
    return found


def broken_where_built(engine: Engine, relation: Relation, version: Version) -> list[str]:
    """`broken_inputs` of a relation as it is in the warehouse; nothing where it is not built."""
    try:
        columns = columns_of(engine, relation)
    except DataError:
        return []
    return broken_inputs(columns, version, str(relation))
