"""The engine protocol: all that snowml asks of a warehouse. `tests/engines` is its real definition."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

import pyarrow as pa

from snowml.names import Dialect, Relation


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function: a double, a text, or doubles by a key (of a SQL function only)."""

    name: str
    type: Literal["double", "text", "map"]


@dataclass(frozen=True, slots=True)
class SqlFunction:
    """A function whose body is one SQL expression over its parameters."""

    name: Relation
    parameters: tuple[Parameter, ...]
    returns: str
    body: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class VectorFunction:
    """A function that Python computes, a batch of rows at a time; it answers a double for each, or several.

    Attributes:
        name: Its name, unique to the artifact.
        parameters: Its parameters.
        handler: The module whose `load(artifact: bytes)` gives the callable: an Arrow struct of the parameters
            in, Arrow doubles out.
        store: Where the artifact is kept (see `Engine.put`).
        artifact: The artifact's key in the store.
        remedy: What a client that cannot run Python is told.
        packages: What the handler's module imports, by the names of the package index.
        keys: Where it answers several doubles, what each is called. They come as a list in this order (DuckDB), or as
            an OBJECT (Snowflake).
    """

    name: Relation
    parameters: tuple[Parameter, ...]
    handler: str
    store: Relation
    artifact: str
    remedy: str
    packages: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a native version: it takes the version's parameters and answers one value a row."""

    name: str
    answer: str
    type: Literal["double", "text", "bigint", "boolean"]


@dataclass(frozen=True, slots=True)
class NativeVersion:
    """A version as the warehouse's own registry of models keeps it: an object with methods, not rows.

    Attributes:
        model: The model, as an object of the warehouse.
        name: The version's name there.
        parameters: What each method takes.
        methods: Its methods.
        handler: The module whose `load(artifact: bytes)` gives each method, by name: a frame of parameters in, a series
            of answers out.
        packages: What that module imports, by the names of the package index.
        artifact: The artifact's key, the sha256 of its bytes.
        data: The artifact's bytes.
        metrics: Figures to show beside it.
        comment: What it is, by which it is recognised later.
        task: What kind of question it answers.
    """

    model: Relation
    name: str
    parameters: tuple[Parameter, ...]
    methods: tuple[Method, ...]
    handler: str
    packages: tuple[str, ...]
    artifact: str
    data: bytes
    metrics: Mapping[str, float]
    comment: str
    task: Literal["regression", "binary", "multiclass"]


@dataclass(frozen=True, slots=True)
class Logged:
    """What the warehouse tells of a native version; the champion is what a call that names no version means."""

    name: str
    comment: str
    is_champion: bool


class NativeModels(Protocol):
    """A warehouse's own registry of models."""

    def versions(self, model: Relation) -> list[Logged]:
        """The versions of a model; empty where there is no such model."""

    def log(self, version: NativeVersion) -> None:
        """Make a version, and its model where it is the first."""

    def crown(self, model: Relation, name: str) -> None:
        """Make a version the champion."""

    def track(
        self, experiment: Relation, run: str, params: Mapping[str, object], metrics: Mapping[str, float]
    ) -> None:
        """Write a run among the warehouse's own experiments."""


class Engine(Protocol):
    """A warehouse session. Values are bound with `?`; names are `Relation`s that quote themselves."""

    @property
    def name(self) -> Dialect:
        """The dialect it speaks."""

    @property
    def database(self) -> str:
        """The database that names without one belong to."""

    def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        """Run one statement and discard its answer."""

    def query(self, sql: str, params: Sequence[object] = ()) -> pa.Table:
        """Run one query; column names come back as written in lower case."""

    def insert(self, relation: Relation, rows: Iterable[Mapping[str, object]]) -> None:
        """Append rows, by column name."""

    def temporary(self, rows: pa.Table, *, schema: str) -> AbstractContextManager[Relation]:
        """A table of doubles, whole numbers and texts that this session alone sees, while the block lasts.

        Args:
            rows: What it holds.
            schema: One that exists and may be written to, where a temporary table stands in one.
        """

    def transaction(self, *, ddl: bool = False) -> AbstractContextManager[None]:
        """All or nothing; an inner one joins the outer.

        Args:
            ddl: Objects are created in it. Where DDL commits by itself there is no transaction then: each inner one
                is its own, and the caller orders the statements so that a crash between them can be repaired.
        """

    def tag(self, command: str, model: str) -> None:
        """Mark the statements to come, in the warehouse's history, as those of a command about a model."""

    def put(self, store: Relation, key: str, data: bytes) -> None:
        """Keep an artifact's bytes under a key; the same key twice is kept once."""

    def get(self, store: Relation, key: str) -> bytes:
        """The bytes of an artifact.

        Raises:
            DataError: There is none of that key.
        """

    def create_function(self, function: SqlFunction | VectorFunction) -> None:
        """Create a function, or replace the one of that name."""

    def comments(self, function: Relation) -> list[str]:
        """The comment of each function of that name, whatever its arguments; empty where there is none."""

    @property
    def models(self) -> NativeModels | None:
        """The warehouse's own registry of models; None where it has none."""

    def call(self, procedure: str, args: Sequence[object]) -> object:
        """Run a stored procedure."""

    def close(self) -> None:
        """Give the session back."""
