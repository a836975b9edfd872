"""The engine protocol on DuckDB."""

import importlib.util
import inspect
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import duckdb
import pyarrow as pa

from snowml.engines.artifacts import check_size
from snowml.engines.base import SqlFunction, VectorFunction
from snowml.engines.columns import shared_columns
from snowml.engines.duckdb.connection import was_interrupted
from snowml.engines.duckdb.functions import comments, create_macro, create_stub
from snowml.engines.procedures import procedure_file
from snowml.engines.transactions import Transactions
from snowml.errors import DataError, RetryableError, TerminalError, UserError, WarehouseError
from snowml.names import Dialect, Relation, quoted

CHUNK = 16 * 1024 * 1024

_NUMBERS = itertools.count(1)
# Of two transactions that change the same thing, one is told so, in one of these words.
_CONFLICT = re.compile(r"conflict|Failed to commit", re.IGNORECASE)


class DuckDBEngine:
    """A DuckDB connection as an engine; artifacts are BLOBs in the same file, so they commit with their version."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self._transactions = Transactions(self._run)

    @property
    def name(self) -> Dialect:
        """The dialect it speaks."""
        return "duckdb"

    @property
    def database(self) -> str:
        """The catalogue of the open file."""
        return str(self._run("select current_database()").fetchall()[0][0])

    def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        """Run one statement, to its end."""
        with self._errors(sql):
            self.connection.execute(sql, list(params))
            self.connection.complete()

    def query(self, sql: str, params: Sequence[object] = ()) -> pa.Table:
        """Run one query."""
        with self._errors(sql):
            # A result that someone has not read to its end would be in the way.
            self.connection.complete()
            relation = self.connection.sql(sql, params=list(params))
            if relation is None:
                raise TerminalError(f"Not a query: {_shortened(sql)}")
            table: pa.Table = relation.to_arrow_table()
        return table.rename_columns([name.lower() for name in table.column_names])

    def insert(self, relation: Relation, rows: Iterable[Mapping[str, object]]) -> None:
        """Append rows, by column name; all of them or none."""
        rows = list(rows)
        if not rows:
            return
        names = shared_columns(relation, rows)
        columns = ", ".join(quoted(name, "duckdb") for name in names)
        slots = ", ".join("?" for _ in names)
        sql = f"insert into {relation.sql('duckdb')} ({columns}) values ({slots})"
        with self.transaction(), self._errors(sql):
            self.connection.executemany(sql, [[row[name] for name in names] for row in rows])

    @contextmanager
    def temporary(self, rows: pa.Table, *, schema: str) -> Iterator[Relation]:
        """The rows where they are, in Arrow's memory, as a view of this connection."""
        name = f"snowml_rows_{next(_NUMBERS)}"
        with self._errors(name):
            self.connection.register(name, rows)
        try:
            yield Relation("main", name, "temp")
        finally:
            self.connection.unregister(name)

    def transaction(self, *, ddl: bool = False) -> AbstractContextManager[None]:
        """All or nothing, definitions included."""
        return self._transactions.joined()

    def tag(self, command: str, model: str) -> None:
        """DuckDB keeps no history of statements."""

    def put(self, store: Relation, key: str, data: bytes) -> None:
        """Keep an artifact in chunks, once."""
        check_size(data)
        with self.transaction():
            if self._run(f"select 1 from {store.sql('duckdb')} where artifact = ? limit 1", [key]).fetchall():
                return
            starts = range(0, max(len(data), 1), CHUNK)
            self.insert(
                store,
                [{"artifact": key, "chunk": n, "data": data[at : at + CHUNK]} for n, at in enumerate(starts)],
            )

    def get(self, store: Relation, key: str) -> bytes:
        """An artifact's bytes."""
        sql = f"select data from {store.sql('duckdb')} where artifact = ? order by chunk"
        rows = self._run(sql, [key]).fetchall()
        if not rows:
            raise DataError(f"The artifact {key} is not in {store}.")
        return b"".join(row[0] for row in rows)

    def create_function(self, function: SqlFunction | VectorFunction) -> None:
        """Create or replace a macro, or the stub of a Python function, in this database if none is named.

        A Python function is registered with the process, which no transaction can take back or see: create it first.
        """
        # In full: `main.f` may also mean the temporary macro that stands over a stub.
        function = replace(function, name=function.name.within(self.database))
        if isinstance(function, SqlFunction):
            with self._errors(function.body):
                create_macro(self.connection, function)
            return
        if self._transactions.is_open:
            raise TerminalError(f"{function.name} must be created before the transaction that uses it.")
        with self._errors(str(function.name)):
            create_stub(self.connection, function)

    def comments(self, function: Relation) -> list[str]:
        """The comment of the macro of that name; DuckDB has one for each name."""
        with self._errors(str(function)):
            return comments(self.connection, function.within(self.database))

    @property
    def models(self) -> None:
        """DuckDB knows no models."""
        return

    def call(self, procedure: str, args: Sequence[object]) -> object:
        """Run `main(session, *args)` of the file in stored_procs/ that Snowflake runs too."""
        file = procedure_file(procedure)
        module_spec = importlib.util.spec_from_file_location(procedure, file)
        assert module_spec is not None  # the file ends in .py
        assert module_spec.loader is not None
        module = importlib.util.module_from_spec(module_spec)
        module_spec.loader.exec_module(module)
        try:
            inspect.signature(module.main).bind(self.connection, *args)
        except TypeError as error:
            raise UserError(f"{procedure}: {error}. It says: {module.__doc__}") from error
        return module.main(self.connection, *args)

    def close(self) -> None:
        """Give the file back to other processes."""
        self.connection.close()

    def _run(self, sql: str, params: Sequence[object] = ()) -> duckdb.DuckDBPyConnection:
        with self._errors(sql):
            return self.connection.execute(sql, list(params))

    @contextmanager
    def _errors(self, sql: str) -> Iterator[None]:
        """DuckDB's errors as ours. One inside a transaction ends it, though DuckDB's COMMIT would not say so."""
        try:
            yield
        except (duckdb.Error, RuntimeError) as error:
            self._transactions.fail()
            if was_interrupted(error):
                raise KeyboardInterrupt from error
            if isinstance(error, duckdb.Error):
                raise _wrapped(error, sql) from error
            raise


def _wrapped(error: duckdb.Error, sql: str) -> WarehouseError:
    text = str(error)
    conflict = isinstance(error, duckdb.TransactionException) and _CONFLICT.search(text)
    kind = RetryableError if conflict or "Could not set lock" in text else TerminalError
    return kind(f"DuckDB: {text}\nin: {_shortened(sql)}")


def _shortened(sql: str) -> str:
    line = " ".join(sql.split())
    return line if len(line) <= 200 else line[:197] + "..."
