"""A command about several models: one that fails is no reason to leave out the others."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from snowml.cli.console import emit_json
from snowml.errors import SnowmlError, retold


@dataclass(slots=True)
class Several:
    """What a command answers for each model, and what went wrong.

    Attributes:
        every: Whether it is about all models, and goes on after an error.
    """

    every: bool
    documents: list[dict[str, Any]] = field(default_factory=list)
    failed: list[SnowmlError] = field(default_factory=list)

    @contextmanager
    def model(self, name: str) -> Iterator[None]:
        """One of them; its error is kept for the end where there are others."""
        try:
            yield
        except SnowmlError as error:
            if not self.every:
                raise
            self.failed.append(retold(error, f"{name}: {error}"))
            self.documents.append({"model": name, "error": str(error)})

    def finish(self, as_json: bool) -> None:
        """Answer, and end with the worst of what went wrong.

        Raises:
            SnowmlError: Something did.
        """
        if as_json:
            emit_json(self.documents if self.every else self.documents[0])
        raise_worst(self.failed)


def raise_worst(errors: Sequence[SnowmlError]) -> None:
    """End with all that went wrong, and the worst exit code of it; does nothing where nothing did.

    Raises:
        SnowmlError: Something did.
    """
    if errors:
        worst = max(errors, key=lambda error: error.exit_code)
        raise retold(worst, "\n".join(map(str, errors)))
