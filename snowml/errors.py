"""Everything that snowml raises on purpose.

```
SnowmlError
├── AnswerIsNo            exit code 1: the question was understood, and the answer is no
│   ├── GateFailed
│   ├── ParityFailed
│   ├── DriftFound
│   └── AuditFailed
├── UserError             exit code 2: the input or the project is wrong
│   ├── SpecError         carries file and line
│   ├── ProjectError
│   ├── DataError
│   │   └── ArtifactError
│   ├── ModelNotFound
│   ├── NotTrained
│   └── NotPromoted
└── WarehouseError        exit code 3: the warehouse failed
    ├── RetryableError    the same call may succeed later
    └── TerminalError     it will not
```
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class SnowmlError(Exception):
    """Base of the tree; the message says what happened, the value, and the next step."""

    exit_code: ClassVar[int] = 2


class AnswerIsNo(SnowmlError):
    """A gate, an audit or a threshold said no."""

    exit_code = 1


class GateFailed(AnswerIsNo):
    """A version did not pass the gates of its specification."""


class ParityFailed(AnswerIsNo):
    """The function in the warehouse does not answer what the trained model answers."""


class DriftFound(AnswerIsNo):
    """A scored window drifted beyond its threshold."""


class AuditFailed(AnswerIsNo):
    """An audit found a feature that may know the future."""


class UserError(SnowmlError):
    """The user's input or project is wrong."""

    exit_code = 2


class SpecError(UserError):
    """A model's specification is wrong.

    Args:
        message: What is wrong, with the offending value and a suggestion.
        file: The file that holds the specification, when known.
        line: Its line, counted from 1, when known.
    """

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None) -> None:
        self.file, self.line = file, line
        place = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        super().__init__(place + message)


class ProjectError(UserError):
    """The dbt project, its profile or its build is wrong."""


class DataError(UserError):
    """The data cannot be used for what was asked."""


class ArtifactError(DataError):
    """A version's artifact is gone, damaged, or not what snowml writes."""


class ModelNotFound(UserError):
    """No such model, version or alias."""


class NotTrained(UserError):
    """The model has no version yet."""


class NotPromoted(UserError):
    """The model has versions but no champion."""


class WarehouseError(SnowmlError):
    """The warehouse failed; the driver's error is the cause."""

    exit_code = 3


class RetryableError(WarehouseError):
    """The warehouse was busy or out of reach; the same call may succeed later."""


class TerminalError(WarehouseError):
    """The warehouse refused the statement; repeating it will not help."""


def retold(error: SnowmlError, text: str) -> SnowmlError:
    """The same failure in other words, with the same exit code.

    Of the error's own class, or, where that is made of more than a text, of the nearest one that is not.
    """
    kind = next(kind for kind in type(error).__mro__ if kind.__init__ is Exception.__init__)  # type: ignore[misc]
    told: SnowmlError = kind(text)
    return told


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """A suggestion to append to a message: the nearest known names, or all of them when few.

    Returns:
        `" Did you mean 'x'?"`, `" Known: a, b."` or an empty string.
    """
    names = [str(name) for name in known]
    # A name in another case is the nearest of all.
    by_letters = {name.lower(): name for name in names}
    close = get_close_matches(given.lower(), by_letters, n=1, cutoff=0.6)
    if close:
        return f" Did you mean '{by_letters[close[0]]}'?"
    return f" Known: {', '.join(sorted(names))}." if 0 < len(names) <= 20 else ""
