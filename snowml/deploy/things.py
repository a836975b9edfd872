"""What a deployment makes: each object with its statement, and a mark in its comment that says whose it is."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from snowml.names import Relation

Kind = Literal["stage", "procedure", "stream", "task", "alert", "feature view", "entity", "model monitor"]

OURS: Final = "snowml deploy "
# Stands in a statement for the mark, which depends on all the rest of it.
MARK: Final = "<mark>"
_MARKED: Final = re.compile(rf"{OURS}[0-9a-f]{{16}}$")
# What a kind is to Snowflake, where that is called otherwise.
_SQL: Final[Mapping[str, str]] = {"feature view": "view", "entity": "tag"}


@dataclass(frozen=True, slots=True)
class Key:
    """By what an object is known: procedures of one name are told apart by their types."""

    kind: Kind
    name: Relation
    types: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        """As a statement names it, after its kind."""
        arguments = f"({', '.join(self.types)})" if self.kind == "procedure" else ""
        return f"{_SQL.get(self.kind, self.kind)} {self.name.sql('snowflake')}{arguments}"


@dataclass(frozen=True, slots=True)
class Thing:
    """An object that is wanted.

    Attributes:
        key: What it is known by.
        statement: What makes it, or puts it in the place of one that is there; `MARK` stands in its comment.
        grants: What makes it usable; CREATE OR REPLACE takes those away.
        root: For a task, the root of its graph.
        after: For a task, those that it comes after, or finalizes.
    """

    key: Key
    statement: str
    grants: tuple[str, ...] = ()
    root: Relation | None = None
    after: tuple[Relation, ...] = ()

    @property
    def mark(self) -> str:
        """Its comment: equal only where statement and grants are."""
        content = "\0".join((self.statement, *self.grants))
        return OURS + hashlib.sha256(content.encode()).hexdigest()[:16]

    @property
    def statements(self) -> tuple[str, ...]:
        """What is sent."""
        return (self.statement.replace(MARK, self.mark), *self.grants)


@dataclass(frozen=True, slots=True)
class File:
    """A file on the stage, named by its content."""

    name: str
    data: bytes


def mark_in(comment: str | None) -> str:
    """The mark at the end of a description; where there is none, a text that is nobody's mark."""
    found = _MARKED.search(comment or "")
    return found[0] if found else f"no mark: {comment or ''}"
