"""One transaction at a time: what both engines do alike."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from snowml.errors import TerminalError, WarehouseError


class Transactions:
    """Begins and ends a session's transaction; an inner one joins the outer one, and its failure undoes both.

    Args:
        run: Runs one statement of `begin`, `commit` and `rollback`.
    """

    def __init__(self, run: Callable[[str], object]) -> None:
        self._run = run
        self.is_open = False
        self._failed = False

    def fail(self) -> None:
        """A statement failed: what is open is to be undone, even where the error is swallowed."""
        self._failed = True

    @contextmanager
    def joined(self) -> Iterator[None]:
        """All or nothing.

        Raises:
            TerminalError: A part of it failed and the error was swallowed; none of it was kept.
        """
        if self.is_open:
            try:
                yield
            except BaseException:
                self._failed = True
                raise
            return
        self._run("begin")
        self.is_open, self._failed = True, False
        try:
            yield
        except BaseException:
            # Where the session is lost, so is the transaction: what matters is why.
            with suppress(WarehouseError):
                self._end("rollback")
            raise
        if self._failed:
            self._end("rollback")
            raise TerminalError("A part of the transaction failed, so none of it was kept.")
        self._end("commit")

    def _end(self, statement: str) -> None:
        self.is_open = False
        self._run(statement)
