"""What a model reads must be there, as it was when it was trained, and each of its rows once."""

from collections.abc import Sequence

from snowml.engines.base import Engine
from snowml.engines.columns import columns_of
from snowml.errors import DataError, did_you_mean
from snowml.names import Dialect, Relation, quoted
from snowml.records import Version
from snowml.spec.fields import folded
from snowml.spec.kinds import feature_kind_of


def broken_inputs(
    columns: Sequence[tuple[str, str]], version: Version, source: str, dialect: Dialect
) -> list[str]:
    """A sentence for each column that a version reads and `source` lacks, or has as another kind of type.

    Args:
        columns: What `source` has, with the warehouse's types.
        version: The version.
        source: What people call the table.
        dialect: Whose types they are.
    """
    types = {folded(name): type_ for name, type_ in columns}
    reader = f"{version.model} version {version.version}"
    found = []
    for feature in version.signature.features:
        type_ = types.get(feature.name)
        if type_ is None:
            hint = did_you_mean(feature.name, types)
            found.append(f"{source} has no column '{feature.name}', which {reader} reads.{hint}")
        elif feature_kind_of(type_, dialect) != feature.kind:
            found.append(
                f"The column '{feature.name}' of {source} was a {feature.kind} when {reader} was trained, and is now "
                f"of type {type_}. Restore it, or train the model again: snowml train {version.model}"
            )
    return found


def check_keys(engine: Engine, relation: Relation, keys: Sequence[str]) -> None:
    """Refuse rows that could not be told from one another, or found again.

    Args:
        engine: The warehouse.
        relation: A training or scoring set.
        keys: The columns by which its rows are known: the entity's, and the as-of.

    Raises:
        DataError: A key is missing, or two rows have the same; one such is named.
    """
    columns = [quoted(key, engine.name) for key in keys]
    listed, missing = ", ".join(columns), " or ".join(f"{column} is null" for column in columns)
    rows = engine.query(
        f"select {listed}, count(*) as copies from {relation.within(engine.database).sql(engine.name)} "
        f"group by {listed} having count(*) > 1 or {missing} limit 1"
    ).to_pylist()
    if rows:
        *values, copies = rows[0].values()
        named = ", ".join(
            f"{key} {'NULL' if value is None else value}" for key, value in zip(keys, values, strict=True)
        )
        raise DataError(
            f"{relation} has {copies} row{'s' * (copies > 1)} with {named}. A row is known by these columns: "
            "they must be there, and unique together."
        )


def broken_where_built(engine: Engine, relation: Relation, version: Version) -> list[str]:
    """`broken_inputs` of a relation as it is in the warehouse; nothing where it is not built."""
    try:
        columns = columns_of(engine, relation)
    except DataError:
        return []
    return broken_inputs(columns, version, str(relation), engine.name)
