"""The engine protocol on a Snowpark session."""

import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
from snowflake.connector.errors import NotSupportedError

from snowml.engines.artifacts import check_size
from snowml.engines.base import SqlFunction, VectorFunction
from snowml.engines.columns import shared_columns
from snowml.engines.procedures import procedure_file
from snowml.engines.snowflake import stage
from snowml.engines.snowflake.code import package
from snowml.engines.snowflake.connection import SnowflakeLogin
from snowml.engines.snowflake.errors import DRIVER_ERRORS, SessionLost, shortened, wrapped
from snowml.engines.snowflake.functions import argument_types, listed_types, sql_function, vector_function
from snowml.engines.snowflake.native import SnowflakeModels
from snowml.engines.snowflake.secrets import Secrets
from snowml.engines.snowflake.values import answer, answer_of_rows, bound, listed
from snowml.engines.transactions import Transactions
from snowml.errors import DataError, ProjectError, TerminalError, WarehouseError
from snowml.names import Dialect, Relation, literal, quoted

if TYPE_CHECKING:
    from snowflake.connector.cursor import SnowflakeCursor
    from snowflake.snowpark import Session

Answer = TypeVar("Answer")

# Values in one statement; from 65,280 on the connector would write them to a temporary stage first, which is DDL.
_BOUND_AT_ONCE = 50_000
_COLUMN_TYPES = {pa.float64(): "float", pa.int64(): "number(38, 0)", pa.string(): "varchar"}
_NUMBERS = itertools.count(1)
# Statements that change nothing, so that they can be run once more; BEGIN is one as long as nothing is open.
_READ: re.Pattern[str] = re.compile(r"\s*(select|with|show|describe|desc|list|ls|begin)\b", re.IGNORECASE)
# Statements that end a transaction that is open.
_DDL = re.compile(r"\s*(create|alter|drop|undrop|truncate|comment|grant|revoke)\b", re.IGNORECASE)


class SnowflakeEngine:
    """A Snowpark session as an engine; artifacts are files on a stage.

    Args:
        session: The session: one of our own, or the one that a procedure is handed.
        login: How another one is opened, where this one is our own.
    """

    def __init__(self, session: "Session", login: SnowflakeLogin | None = None) -> None:
        self.session = session
        self._login = login
        self._secrets = login.secrets if login else Secrets()
        self._temporary_tables = 0
        self._transactions = Transactions(self._run)
        self._tag: dict[str, str] = {}
        # Remembered now: CREATE SCHEMA makes the new one the session's.
        self._schema = session.get_current_schema()

    @classmethod
    def open(cls, login: SnowflakeLogin) -> "SnowflakeEngine":
        """A new session.

        Raises:
            RetryableError: Snowflake is out of reach; TerminalError: it refused the login.
        """
        with wrapped("login", login.secrets):
            return cls(login.open(), login)

    @property
    def name(self) -> Dialect:
        """The dialect it speaks."""
        return "snowflake"

    @cached_property
    def database(self) -> str:
        """The session's database."""
        (row,) = self._run("select current_database()").fetchall()
        if row[0] is None:
            raise ProjectError("The session has no database. Name one in the profile (database:).")
        return str(row[0])

    def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        """Run one statement, to its end."""
        self._run(sql, [bound(value) for value in params])

    def query(self, sql: str, params: Sequence[object] = ()) -> pa.Table:
        """Run one query."""
        cursor = self._run(sql, [bound(value) for value in params])
        with self.errors(sql):
            try:
                found = cursor.fetch_arrow_all(force_return_table=True, force_microsecond_precision=True)
            except NotSupportedError:
                # SHOW, LIST and CALL answer in JSON.
                return answer_of_rows([column.name for column in cursor.description], cursor.fetchall())
        return answer(found)

    def insert(self, relation: Relation, rows: Iterable[Mapping[str, object]]) -> None:
        """Append rows, by column name, many with each statement; all of them or none."""
        rows = list(rows)
        if not rows:
            return
        names = shared_columns(relation, rows)
        columns = ", ".join(quoted(name, "snowflake") for name in names)
        slots = ", ".join("?" for _ in names)
        sql = f"insert into {relation.sql('snowflake')} ({columns}) values ({slots})"
        size = max(1, _BOUND_AT_ONCE // len(names))
        with self.transaction() if len(rows) > size else nullcontext():
            for start in range(0, len(rows), size):
                chunk = rows[start : start + size]
                # Column by column, which is how the connector binds arrays.
                self._run(sql, [[listed(row[name]) for row in chunk] for name in names])

    @contextmanager
    def temporary(self, rows: pa.Table, *, schema: str) -> Iterator[Relation]:
        """A temporary table, filled by INSERTs of many rows each."""
        name = Relation(schema, f"snowml_rows_{next(_NUMBERS)}", self.database)
        columns = ", ".join(
            f"{quoted(field.name, 'snowflake')} {_COLUMN_TYPES[field.type]}" for field in rows.schema
        )
        self.execute(f"create temporary table {name.sql('snowflake')} ({columns})")
        self._temporary_tables += 1
        drop = f"drop table if exists {name.sql('snowflake')}"
        try:
            self.insert(name, rows.to_pylist())
            yield name
        except BaseException:
            # Where the session is lost, so is the table: what matters is why.
            with suppress(WarehouseError):
                self.execute(drop)
            raise
        else:
            with suppress(SessionLost):
                self.execute(drop)
        finally:
            self._temporary_tables -= 1

    def transaction(self, *, ddl: bool = False) -> AbstractContextManager[None]:
        """All or nothing. DDL commits by itself, so there is no transaction around it.

        Raises:
            TerminalError: A transaction is open in which objects are to be created.
        """
        if not ddl:
            return self._transactions.joined()
        if self._transactions.is_open:
            raise TerminalError(
                "Snowflake's DDL commits the transaction that it stands in: create objects outside."
            )
        return nullcontext()

    def tag(self, command: str, model: str) -> None:
        """Sent with each statement; a procedure with owner's rights may not alter its session."""
        self._tag = {"QUERY_TAG": json.dumps({"app": "snowml", "command": command, "model": model})}

    def put(self, store: Relation, key: str, data: bytes) -> None:
        """Keep an artifact as a file on a stage, once. An upload belongs to no transaction."""
        check_size(data)
        place = store.within(self.database)
        # A file's name tells its content: putting it twice is putting it once.
        self._again_if_lost(f"put {key}", lambda: stage.upload(self.session, place, key, data))

    def get(self, store: Relation, key: str) -> bytes:
        """An artifact's bytes."""
        place = store.within(self.database)
        data = self._again_if_lost(f"get {key}", lambda: stage.download(self.session, place, key))
        if data is None:
            raise DataError(f"The artifact {key} is not in {store}.")
        return data

    def create_function(self, function: SqlFunction | VectorFunction) -> None:
        """Create or replace a function, then drop those of the same name with other argument types."""
        function = replace(function, name=function.name.within(self.database))
        if isinstance(function, SqlFunction):
            self.execute(sql_function(function))
        else:
            function = replace(function, store=function.store.within(self.database))
            code, data = package()
            self.put(function.store, code, data)
            self.execute(vector_function(function, code))
        kept = argument_types(function.parameters)
        for types in (listed_types(row["arguments"]) for row in self._functions(function.name)):
            if types != kept:
                self.execute(f"drop function if exists {function.name.sql('snowflake')}({', '.join(types)})")

    def comments(self, function: Relation) -> list[str]:
        """The comment of each function of that name, whatever its arguments."""
        return [row["description"] or "" for row in self._functions(function.within(self.database))]

    @property
    def models(self) -> SnowflakeModels:
        """The account's MODEL objects."""
        return SnowflakeModels(self)

    def call(self, procedure: str, args: Sequence[object]) -> object:
        """CALL a procedure that was deployed to the schema that the session was opened with."""
        procedure_file(procedure)
        slots = ", ".join("?" for _ in args)
        home = f"{quoted(self.database, 'snowflake')}.{self._schema}." if self._schema else ""
        sql = f"call {home}{quoted(procedure, 'snowflake')}({slots})"
        cursor = self._run(sql, [bound(value) for value in args])
        with self.errors(sql):
            row = cursor.fetchone()
        return _read(row[0]) if isinstance(row, tuple) else None

    def close(self) -> None:
        """End the session. One that is lost, or that belongs to a procedure, is let go."""
        with suppress(SessionLost), self.errors("close"):
            self.session.close()

    def _functions(self, name: Relation) -> list[dict[str, Any]]:
        """What SHOW tells of the functions of a name; there may be several, told apart by their arguments."""
        own, schema = (
            quoted(part, "snowflake")[1:-1].replace('""', '"') for part in (name.name, name.schema)
        )
        # LIKE ignores case and knows wildcards: what it finds is compared once more. IN SCHEMA would be an error where
        # the schema is gone.
        found = self.query(
            f"show user functions like {literal(own, 'snowflake')} "
            f"in database {quoted(name.database or self.database, 'snowflake')}"
        )
        return [row for row in found.to_pylist() if (row["name"], row["schema_name"]) == (own, schema)]

    def _run(self, sql: str, params: Sequence[object] = ()) -> "SnowflakeCursor":
        if self._transactions.is_open and _DDL.match(sql):
            self._transactions.fail()
            raise TerminalError(
                f"Snowflake's DDL would commit the transaction that it stands in: {shortened(sql)}"
            )

        def run() -> "SnowflakeCursor":
            cursor = self.session.connection.cursor()
            cursor.execute(sql, list(params) or None, _statement_params=self._tag or None)
            return cursor

        return self._again_if_lost(sql, run, repeatable=_READ.match(sql) is not None)

    def _again_if_lost(self, sql: str, run: Callable[[], Answer], *, repeatable: bool = True) -> Answer:
        """Run something; once more, in a new session, where the session was lost and that can do no harm.

        Raises:
            SessionLost: It was lost, with what it had not committed or its temporary tables; or twice; or the statement
                changes something, so that one cannot know whether it was done.
        """
        try:
            with self.errors(sql):
                return run()
        except SessionLost as lost:
            if self._login is None:
                raise
            if self._transactions.is_open:
                raise SessionLost(
                    f"The session ended in the middle of a transaction, of which nothing is kept. Run the same again.\n"
                    f"{lost}"
                ) from lost
            if self._temporary_tables:
                raise SessionLost(
                    f"The session ended, and its temporary tables with it. Run the same again.\n{lost}"
                ) from lost
            self._renew()
            if not repeatable:
                raise SessionLost(
                    f"The session ended before a statement that changes something was answered. Run the same again.\n"
                    f"{lost}"
                ) from lost
        with self.errors(sql):
            return run()

    def _renew(self) -> None:
        """Another session, with the key or the token as it is now."""
        assert self._login is not None  # asked before
        # The connection first: the old session has nobody to ask for leave, and would ask three times.
        with suppress(*DRIVER_ERRORS):
            self.session.connection.close(retry=False)
        with suppress(*DRIVER_ERRORS):
            self.session.close()
        with wrapped("login", self._secrets):
            self.session = self._login.open()

    @contextmanager
    def errors(self, sql: str) -> Iterator[None]:
        """The drivers' errors in the block, which runs `sql`, as ours."""
        try:
            with wrapped(sql, self._secrets):
                yield
        except Exception:
            self._transactions.fail()
            raise


def _read(returned: object) -> object:
    """What a procedure returned: an OBJECT or VARIANT comes as JSON."""
    if not isinstance(returned, str):
        return returned
    try:
        return json.loads(returned)
    except ValueError:
        return returned
