"""One login: its place, its transaction, its temporary tables; and the account that all logins share."""

import importlib.metadata
import itertools
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import fakesnow.conn
import fakesnow.instance
import pyarrow as pa

from standin.failures import Failure
from standin.grammar import Name
from standin.records import Records
from standin.repairs import PACKAGES
from standin.workers import Nursery

if TYPE_CHECKING:
    from standin.troubles import Trouble

REMEMBERED = 20
IDS = itertools.count(1)


class Account:
    """What outlives a session: the databases, and the objects that DuckDB knows nothing of."""

    def __init__(self, python: str) -> None:
        from standin.experiments import Experiments
        from standin.functions import Functions
        from standin.models import Models
        from standin.monitors import Monitors
        from standin.procedures import Procedures
        from standin.scheduled import Schedules
        from standin.stages import Stages
        from standin.streams import Streams
        from standin.tags import Absent, Tags

        self.instance = fakesnow.instance.FakeSnow(
            create_database_on_connect=False, create_schema_on_connect=False
        )
        self.duckdb = self.instance.duck_conn
        self.duckdb.execute("set global threads = 2")
        self._list_packages()
        self.directory = Path(tempfile.mkdtemp(prefix="standin_"))
        self.nursery = Nursery(python, self.directory)
        self.records = Records()
        self.logins: dict[str, Login] = {}
        # What tests want to go wrong, by database.
        self.troubles: dict[str, Trouble] = {}
        # Where a handler's Session finds this server; known once it listens.
        self.port = 0
        self.stages, self.functions = Stages(self.directory / "stages"), Functions(self)
        self.procedures, self.models = Procedures(self), Models(self)
        self.streams = Streams()
        self.monitors, self.experiments = Monitors(self), Experiments()
        self.tasks, self.alerts = Schedules("TASK"), Schedules("ALERT")
        self.tags = Tags()
        self.absent = {kind: Absent(kind) for kind in ("DYNAMIC TABLE", "ONLINE FEATURE TABLE")}
        self.warehouses = {"STANDIN"}
        self.lock = threading.RLock()

    def create_database(self, name: str) -> None:
        """With the schema PUBLIC in it, as on Snowflake."""
        with self.lock:
            session = Session(self, None, None)
            for sql in (f"create database {name}", f"create schema {name}.public"):
                session.connection.cursor().execute(sql)
            session.close()

    def drop_database(self, name: str) -> None:
        with self.lock:
            for objects in (
                *(self.stages, self.functions, self.procedures, self.models),
                *(self.streams, self.tasks, self.alerts, self.tags),
            ):
                objects.forget(lambda one: one.database == name)
            self.duckdb.execute(f'detach database if exists "{name}"')

    def _list_packages(self) -> None:
        """INFORMATION_SCHEMA.PACKAGES: what is installed here, whatever an account would have."""
        self.duckdb.execute(
            f"create table {PACKAGES} "
            "(PACKAGE_NAME varchar, VERSION varchar, LANGUAGE varchar, RUNTIME_VERSION varchar)"
        )
        installed = {one.name.lower(): one.version for one in importlib.metadata.distributions()}
        rows = [[name, version, "python", None] for name, version in installed.items()]
        self.duckdb.executemany(f"insert into {PACKAGES} values (?, ?, ?, ?)", rows)

    def close(self) -> None:
        self.functions.forget(lambda _: True)
        self.procedures.forget(lambda _: True)
        self.models.forget(lambda _: True)
        self.nursery.close()
        shutil.rmtree(self.directory, ignore_errors=True)


@dataclass
class Session:
    """What one client, or one handler, is logged in to."""

    account: Account
    database: str | None
    schema: str | None
    id: int = field(default_factory=lambda: next(IDS))
    # Temporary tables and views, by their name, and where DuckDB has them.
    temporary: dict[Name, Name] = field(default_factory=dict)
    in_transaction: bool = False
    # The newest answers by the id of their query.
    results: OrderedDict[str, pa.Table] = field(default_factory=OrderedDict)
    # What to do with the temporary objects of other kinds.
    at_close: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection: fakesnow.conn.FakeSnowflakeConnection = self.account.instance.connect(
            self.database, self.schema
        )
        self.duckdb = self.connection._duck_conn
        self.home = self.connection.database

    @property
    def place(self) -> tuple[str | None, str | None]:
        """The current database and schema."""
        here = self.connection
        return here.database, here.schema if here.schema_set else None

    def name(self, path: list[str]) -> Name:
        """The full name of what a statement calls by `path`."""
        database, schema = self.place
        full = [part for part in (database, schema)[: 3 - len(path)] if part] + path
        if len(full) != 3:
            raise Failure(
                f"Cannot resolve '{'.'.join(path)}'. This session does not have a current schema. "
                "Call 'USE SCHEMA', or use a qualified name.",
                errno=90106,
                state="22000",
            )
        return Name(*full)

    def commit_before_ddl(self) -> None:
        """A statement that defines something commits what is open, and then itself."""
        if self.in_transaction:
            self.duckdb.execute("commit")
            self.in_transaction = False

    def remember(self, query: str, result: pa.Table | None) -> None:
        if result is not None:
            self.results[query] = result
        while len(self.results) > REMEMBERED:
            self.results.popitem(last=False)

    def close(self) -> None:
        if self.in_transaction:
            self.duckdb.execute("rollback")
        for undo in self.at_close:
            undo()
        for schema in {(name.database, name.schema) for name in self.temporary.values()}:
            self.duckdb.execute('drop schema if exists "{}"."{}" cascade'.format(*schema))
        self.connection.close()


@dataclass
class Login:
    """A token's holder: a client with a session of its own, or a handler in the session of its caller."""

    session: Session
    origin: str = "client"
    query_tag: str | None = None
    statement_timeout: int = 172_800
    canceled: threading.Event = field(default_factory=threading.Event)
    # One statement at a time; a handler's come while its caller waits for CALL.
    lock: threading.Lock = field(default_factory=threading.Lock)

    def close(self) -> None:
        if self.origin == "client":
            self.session.close()
