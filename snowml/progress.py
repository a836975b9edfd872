"""How long work tells what it is doing; the command line draws it, everything else may ignore it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Step(Protocol):
    """One piece of work under way."""

    def total(self, count: int) -> None:
        """How many parts it has, once that is known."""

    def advance(self, part: str) -> None:
        """One more part is done."""

    def outcome(self, text: str) -> None:
        """What came of it, in a few words, shown when it ends."""


class Progress(Protocol):
    """Where steps are reported."""

    def step(self, title: str) -> AbstractContextManager[Step]:
        """A piece of work, from enter to exit."""

    def note(self, text: str) -> None:
        """A sentence worth reading at once."""


class _SilentStep:
    def total(self, count: int) -> None:
        """Nothing to show."""

    def advance(self, part: str) -> None:
        """Nothing to show."""

    def outcome(self, text: str) -> None:
        """Nothing to show."""


class Silent:
    """Reports to nobody: for procedures, notebooks and tests."""

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """A step that nobody watches."""
        yield _SilentStep()

    def note(self, text: str) -> None:
        """Nothing to show."""
