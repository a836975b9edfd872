"""What an audit finds: checks that passed or not, each with a sentence about what it saw."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One question of an audit, answered.

    Attributes:
        name: Its name, stable: reports and the registry refer to it.
        passed: Whether the answer is the one hoped for.
        detail: What was seen; where it failed, which feature, how many rows, an example and the remedy.
    """

    name: str
    passed: bool
    detail: str

    def summary(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"name": self.name, "passed": self.passed, "detail": self.detail}


def counted(count: int, noun: str) -> str:
    """`1 row`, `2,000 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def check(name: str, problems: list[str], passed: str, remedy: str) -> Check:
    """A check that passes where there is no problem; otherwise they are listed, with the remedy after them."""
    if not problems:
        return Check(name, True, passed)
    return Check(name, False, "\n".join([*problems, f"Remedy: {remedy}"]))
