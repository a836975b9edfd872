"""What is wrong with a specification, gathered into one error."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from snowml.errors import SpecError

if TYPE_CHECKING:
    from snowml.spec.location import Locator

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and the key that it is about, as a path under `config.meta.snowml`."""

    message: str
    path: KeyPath = ()


def dotted(path: KeyPath) -> str:
    """The path as it is written in messages and overrides: `gates.0.min`."""
    return ".".join(str(key) for key in path)


def spec_error(problems: Sequence[Problem], locator: "Locator | None" = None) -> SpecError:
    """One error for all the problems, a line each, in the order of the file; `locator` knows the places."""
    placed = [_placed(problem, locator) for problem in problems]
    placed.sort(key=lambda error: (error.file is None, error.line or 0))
    joined = SpecError("\n".join(str(error) for error in placed))
    joined.file, joined.line = placed[0].file, placed[0].line
    return joined


def _placed(problem: Problem, locator: "Locator | None") -> SpecError:
    if locator is None:
        return SpecError(problem.message)
    override = locator.override(problem.path)
    if override is not None:
        return SpecError(f"override '{override}': {problem.message}")
    return SpecError(problem.message, file=locator.file, line=locator.line_of(problem.path))
