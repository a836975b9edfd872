"""The steps of a plan."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from snowml.engines.base import Engine

# What is skipped cannot be made yet; the step's statement says why.
Action = Literal["create", "replace", "keep", "skip", "remove", "suspend", "resume"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is done, or left alone.

    Attributes:
        statements: The SQL of it; of a file or the registry, in words, since the client's own commands do it.
        work: What does it where that is not just the statements.
    """

    action: Action
    what: str
    name: str
    statements: tuple[str, ...] = ()
    work: Callable[[Engine], None] | None = None

    def summary(self) -> dict[str, Any]:
        """What a command answers."""
        return {"action": self.action, "kind": self.what, "name": self.name, "sql": list(self.statements)}

    def apply(self, engine: Engine) -> None:
        """Do it."""
        if self.work:
            self.work(engine)
            return
        for statement in self.statements:
            engine.execute(statement)
