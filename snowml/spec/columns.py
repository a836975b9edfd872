"""Which columns of the training set are features, and of which kind."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from snowml.errors import DataError, did_you_mean
from snowml.names import Dialect
from snowml.records import Feature
from snowml.spec.fields import folded
from snowml.spec.kinds import feature_kind_of, kind_of
from snowml.spec.model import ModelSpec
from snowml.spec.problems import KeyPath, Problem, spec_error

if TYPE_CHECKING:
    from snowml.spec.location import Locator

Columns = Sequence[tuple[str, str]]
"""Names with the types that the warehouse reports, such as `DECIMAL(10,2)` or `VARCHAR(20)`."""


def column_type(columns: Columns, name: str) -> str:
    """The type of the column `name`, as the warehouse reports it; the case of a plain name does not matter.

    Raises:
        DataError: There is no such column.
    """
    types = {folded(column): sql_type for column, sql_type in columns}
    if folded(name) not in types:
        raise DataError(f"no column '{name}'.{did_you_mean(name, types)}")
    return types[folded(name)]


def features(
    spec: ModelSpec, columns: Columns, locator: "Locator | None" = None, *, dialect: Dialect
) -> tuple[Feature, ...]:
    """Every column that has no other role and is not excluded, in the order of the table.

    Plain names are given in lower case, whatever the warehouse reports.

    Args:
        spec: Whose training set it is.
        columns: The training set's columns.
        locator: The place of the settings, where the project's files are at hand.
        dialect: Whose types they are.

    Raises:
        SpecError: One error that lists every missing column, wrong type and column that cannot be a feature.
    """
    types = {folded(column): sql_type for column, sql_type in columns}
    problems = [*_ambiguous(columns), *_missing(spec, types), *_mistyped(spec, types)]
    left = {name: feature_kind_of(types[name], dialect) for name in types if name not in _others(spec)}
    problems += [
        _unusable(name, types[name], dialect) for name, kind in left.items() if kind in (None, "moment")
    ]
    if not left:
        problems.append(
            Problem(f"features: no column of {spec.training_set} is left to be one.", ("features",))
        )
    if problems:
        raise spec_error(problems, locator)
    return tuple(
        Feature(name=name, kind="number" if kind == "number" else "category") for name, kind in left.items()
    )


def _others(spec: ModelSpec) -> set[str]:
    return {column for _, column in spec.settings.roles} | set(spec.settings.features.exclude)


def _named(spec: ModelSpec) -> Iterator[tuple[KeyPath, str]]:
    """Each column that the settings name, after the path of the key that does."""
    settings = spec.settings
    yield from ((("entity", index), column) for index, column in enumerate(settings.entity))
    yield from (((role,), column) for role, column in settings.roles if role != "entity")
    yield from (
        (("features", "exclude", index), name) for index, name in enumerate(settings.features.exclude)
    )


def _missing(spec: ModelSpec, types: Mapping[str, str]) -> Iterator[Problem]:
    for path, column in _named(spec):
        if column not in types:
            key = ".".join(str(part) for part in path if isinstance(part, str))
            hint = did_you_mean(column, types)
            yield Problem(f"{key}: no column '{column}' in {spec.training_set}.{hint}", path)


def _mistyped(spec: ModelSpec, types: Mapping[str, str]) -> Iterator[Problem]:
    settings = spec.settings
    moment, answer = ("moment",), ("number", "category")
    wanted = {
        "as_of": moment,
        "label_at": moment,
        "label": answer[:1] if settings.task == "regression" else answer,
    }
    for role, column in settings.roles:
        kinds = wanted.get(role)
        if kinds and column in types and kind_of(types[column]) not in kinds:
            wish = " or ".join(_WISHES[kind] for kind in kinds)
            yield Problem(
                f"{role}: column '{column}' is {types[column]}, and must be {wish}. Cast it.", (role,)
            )


_WISHES = {"moment": "a date or timestamp", "number": "a number", "category": "text"}


def _unusable(name: str, sql_type: str, dialect: Dialect) -> Problem:
    if kind_of(sql_type) == "number":
        reason = f"which {dialect} casts to no FLOAT, so that no prediction function takes it"
        told = f"features: column '{name}' is {sql_type}, {reason}. Cast it where it is made: cast({name} as int)"
        return Problem(told, ("features",))
    remedy = "Cast it to a number or to text, or add it to features.exclude."
    return Problem(
        f"features: column '{name}' is {sql_type}, which no feature can be. {remedy}", ("features",)
    )


def _ambiguous(columns: Columns) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for name, _ in columns:
        other = seen.setdefault(folded(name), name)
        if other != name:
            yield Problem(
                f"features: columns '{other}' and '{name}' differ only in case. Rename one.", ("features",)
            )
