"""What every session asked for, and what went back to it."""

import threading
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Record:
    """One statement.

    `kind` is executed, accepted (taken note of, and nothing done) or failed. `rows` and `bytes` are what its answer
    brought to whoever asked: `origin` is client, or procedure for the statements of a handler in the warehouse.
    """

    sql: str
    kind: str
    database: str | None
    origin: str
    session: int
    rows: int = 0
    bytes: int = 0
    error: str | None = None
    query_tag: str | None = None


class Records:
    """All of them, in the order in which they ended."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._lock = threading.Lock()

    def add(self, record: Record) -> None:
        with self._lock:
            self._records.append(record)

    def about(self, database: str | None) -> list[dict[str, Any]]:
        """Those of the sessions that logged in to `database`; of all sessions, if it is None."""
        with self._lock:
            return [asdict(one) for one in self._records if database is None or one.database == database]
