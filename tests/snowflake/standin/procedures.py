"""Stored procedures."""

from collections.abc import Callable

from standin.grammar import Name


class Procedures:
    def forget(self, which: Callable[[Name], bool]) -> None: ...
