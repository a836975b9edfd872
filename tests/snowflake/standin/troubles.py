"""What a test asks to go wrong: a session that expires, a statement that does not end until somebody cancels it."""

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from standin.failures import Failure

if TYPE_CHECKING:
    from standin.session import Login

CANCELED = "SQL execution canceled"
TIMED_OUT = "Statement reached its statement or warehouse timeout of {} second(s) and was canceled."


@dataclass
class Trouble:
    """For the statements of a database's clients: the one of number `at` finds its session gone, by the error `code`.

    Statements that contain `hold` do not end: they wait to be canceled, or for their session's statement timeout.
    """

    at: int = 0
    code: str = "390111"
    hold: str = ""
    seen: int = 0
    held: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def expires_now(self) -> bool:
        """Counts a statement; whether it is the one."""
        with self.lock:
            self.seen += 1
            return self.seen == self.at


def hold(login: "Login", sql: str) -> None:
    """Wait, if this statement is one to be held, until it is canceled."""
    trouble = login.session.account.troubles.get(login.session.home or "")
    if trouble is None or not trouble.hold or trouble.hold not in sql:
        return
    login.canceled.clear()
    trouble.held.set()
    if login.canceled.wait(min(login.statement_timeout, 30)):
        raise Failure(CANCELED, 604, "57014")
    raise Failure(TIMED_OUT.format(login.statement_timeout), 630, "57014")
