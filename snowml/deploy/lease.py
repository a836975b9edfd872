"""One deployment at a time: a lease in a table of one row, which lapses when its holder is gone.

Snowflake enforces no key, and two INSERTs never meet. A table that is made with its row in it is made once, though,
and of two UPDATEs of one row the second waits for the first, and then looks again. All moments are the account's
own: two clients' clocks differ.
"""

import getpass
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from snowml.deploy.found import schemas_of
from snowml.engines.base import Engine
from snowml.errors import RetryableError, WarehouseError
from snowml.names import Relation, quoted

# Renewed before each step; no step takes as long.
MINUTES: Final = 15
_NOW: Final = "sysdate()"
_LATER: Final = f"dateadd(minute, {MINUTES}, sysdate())"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who deploys, since when, and until when that counts."""

    token: str
    owner: str
    started_at: datetime
    expires_at: datetime


class Lease:
    """The right to deploy, while it lasts."""

    def __init__(self, engine: Engine, table: Relation) -> None:
        self._engine, self._table = engine, table
        self._token = uuid.uuid4().hex

    def take(self, *, over: bool = False) -> None:
        """Get the lease: a free one, one that has lapsed, or, if it is to be taken over, anybody's.

        Raises:
            RetryableError: Another deployment is running; the message says whose, and what to do.
        """
        self._create()
        free = "true" if over else f"token is null or expires_at <= {_NOW}"
        # Two that take it at one moment: on an account the second waits; where it is refused instead, the other has it.
        with suppress(RetryableError):
            self._engine.execute(
                f"update {self._name} set token = ?, owner = ?, started_at = {_NOW}, expires_at = {_LATER} "
                f"where {free}",
                [self._token, _myself()],
            )
        holder = self._holder()
        if holder is None or holder.token != self._token:
            raise RetryableError(_refusal(holder))

    def renew(self) -> None:
        """Go on holding it.

        Raises:
            RetryableError: Another deployment took it over.
        """
        self._engine.execute(f"update {self._name} set expires_at = {_LATER} where token = ?", [self._token])
        holder = self._holder()
        if holder is None or holder.token != self._token:
            whose = f"{holder.owner} took it over" if holder else "it was given back"
            raise RetryableError(f"The lease of this deployment is lost: {whose}.")

    def release(self) -> None:
        """Give it back, if it is still one's own."""
        self._engine.execute(f"update {self._name} set token = null where token = ?", [self._token])

    @property
    def _name(self) -> str:
        return self._table.sql(self._engine.name)

    def _create(self) -> None:
        # Only where it is missing: the role that deploys need not have the right to make schemas.
        if self._table.schema not in schemas_of(self._engine):
            parts = (self._engine.database, self._table.schema)
            name = ".".join(quoted(part, self._engine.name) for part in parts)
            self._engine.execute(f"create schema if not exists {name}")
        self._engine.execute(
            f"create table if not exists {self._name} as select cast(null as varchar) as token, "
            f"cast(null as varchar) as owner, {_NOW} as started_at, {_NOW} as expires_at"
        )

    def _holder(self) -> Holder | None:
        rows = self._engine.query(
            f"select token, owner, started_at, expires_at from {self._name} where token is not null"
        ).to_pylist()
        return Holder(**rows[0]) if rows else None


@contextmanager
def leased(engine: Engine, table: Relation, *, over: bool = False) -> Iterator[Lease]:
    """Hold the lease in the block.

    Raises:
        RetryableError: Another deployment is running.
    """
    lease = Lease(engine, table)
    lease.take(over=over)
    try:
        yield lease
    except BaseException:
        # What went wrong is the news; a lease that cannot be given back lapses.
        with suppress(WarehouseError):
            lease.release()
        raise
    lease.release()


def _myself() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's number without a name
        user = "somebody"
    return f"{user} on {socket.gethostname()}, process {os.getpid()}"


def _refusal(holder: Holder | None) -> str:
    if holder is None:
        return "Another deployment to this schema has just ended. Deploy again."
    return (
        f"Another deployment to this schema is running: {holder.owner}, since {holder.started_at:%Y-%m-%d %H:%M:%S} "
        f"UTC. Wait for it; if it is dead, its lease lapses at {holder.expires_at:%H:%M:%S} UTC, or is taken over "
        "with --take-over."
    )
