"""Functions in a DuckDB file.

A SQL function is a persistent macro, which any client can call. A vector function needs Python, and DuckDB binds a
macro's body when it is created, so what the file holds is a *stub*: a macro of the function's name that answers with
the remedy, and whose comment says how to compute it. `attach` reads those comments and, for the connection at hand,
puts a temporary macro of the same name over each stub, which calls the registered Python function. A temporary macro
wins over the file's, inside persistent macros and views too, so `predict_x(…)` need not know which one it meets.

A registered function belongs to the process's database, outlives its connection and cannot be registered twice: its
name carries the artifact's hash, and registering is skipped where it is done.
"""

import atexit
import hashlib
import importlib
import json
import threading
import weakref
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from snowml.engines.base import Parameter, SqlFunction, VectorFunction
from snowml.errors import TerminalError
from snowml.names import Relation, literal, quoted

Vectorised = Callable[[pa.StructArray], pa.Array]

_TYPES = {"double": "double", "text": "varchar"}
_MARK = "snowml.vector_function/1"
# dbt opens a cursor in each of its threads; two must not register the same function.
_registering = threading.Lock()
_open_connections: "weakref.WeakSet[duckdb.DuckDBPyConnection]" = weakref.WeakSet()


def create_macro(connection: duckdb.DuckDBPyConnection, function: SqlFunction) -> None:
    """Create or replace a persistent macro; its parameters are untyped, so the body casts them."""
    name = function.name.sql("duckdb")
    parameters = _parameter_list(function.parameters)
    body = f"cast(({function.body}) as {function.returns})"
    connection.execute(f"create or replace macro {name}({parameters}) as {body}")
    if function.comment:
        connection.execute(f"comment on macro {name} is {literal(function.comment, 'duckdb')}")


def comments(connection: duckdb.DuckDBPyConnection, name: Relation) -> list[str]:
    """The comment of the file's macro of that name, empty where it has none; no entry where there is no macro."""
    rows = connection.execute(
        "select comment from duckdb_functions() where database_name = ? and lower(schema_name) = lower(?) "
        "and lower(function_name) = lower(?) and function_type = 'macro'",
        [name.database, name.schema, name.name],
    ).fetchall()
    return [row[0] or "" for row in rows]


def create_stub(connection: duckdb.DuckDBPyConnection, function: VectorFunction) -> None:
    """Create or replace the stub of a vector function, and make it work on this connection."""
    # In full: of a bare name, COMMENT would mean the temporary macro that an earlier attach put over the file's.
    name = function.name.within(_database(connection)).sql("duckdb")
    recipe = Recipe(
        handler=function.handler,
        store=Relation(function.store.schema, function.store.name),
        artifact=function.artifact,
        parameters=function.parameters,
        keys=function.keys,
    )
    body = _refusal(function.remedy, recipe.returns)
    connection.execute(f"create or replace macro {name}({_parameter_list(function.parameters)}) as {body}")
    connection.execute(f"comment on macro {name} is {literal(recipe.dumps(), 'duckdb')}")
    attach(connection)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a stub's answer is computed: what its comment holds."""

    handler: str
    store: Relation
    artifact: str
    parameters: tuple[Parameter, ...]
    keys: tuple[str, ...] = ()

    @property
    def returns(self) -> str:
        """The type of its answers."""
        return "double[]" if self.keys else "double"

    def dumps(self) -> str:
        """As JSON, with a mark that tells it from other people's comments."""
        return json.dumps({"kind": _MARK, **asdict(self)})

    @classmethod
    def loads(cls, text: str) -> "Recipe":
        """Read a comment."""
        read = json.loads(text)
        parameters = tuple(Parameter(**item) for item in read["parameters"])
        # Older files have functions of one answer only.
        keys = tuple(read.get("keys", ()))
        return cls(read["handler"], Relation(**read["store"]), read["artifact"], parameters, keys)


def attach(connection: duckdb.DuckDBPyConnection) -> None:
    """Make every vector function of the connection's database work on it; safe to repeat.

    One whose artifact is gone does not keep the file from being opened: calling it says what is missing.
    """
    stubs = connection.execute(
        "select function_name, parameters, comment from duckdb_functions() "
        "where database_name = current_database() and comment like ?",
        [f'%"kind": "{_MARK}"%'],
    ).fetchall()
    for name, parameters, comment in stubs:
        _attach_one(connection, name, parameters, comment)
    if stubs:
        _close_at_exit(connection)


def _attach_one(
    connection: duckdb.DuckDBPyConnection, name: str, parameters: list[str], comment: str
) -> None:
    try:
        body = _computing(connection, name, Recipe.loads(comment))
    except (KeyError, TypeError, ValueError):
        body = _refusal(f"{name}: the comment that says how it is computed is damaged; promote again.")
    listed = ", ".join(quoted(parameter, "duckdb") for parameter in parameters)
    connection.execute(f"create or replace temp macro {quoted(name, 'duckdb')}({listed}) as {body}")


def _computing(connection: duckdb.DuckDBPyConnection, name: str, recipe: Recipe) -> str:
    """The expression that calls the registered function, which is registered where that is due."""
    registered = f"{name}_{recipe.artifact[:16]}_udf"
    fields = ", ".join(
        f"p{i}: cast({quoted(parameter.name, 'duckdb')} as {_TYPES[parameter.type]})"
        for i, parameter in enumerate(recipe.parameters)
    )
    with _registering:
        if not _is_registered(connection, registered):
            data = _artifact(connection, recipe)
            if data is None:
                return _refusal(
                    f"{name}: its artifact {recipe.artifact} is not in {recipe.store}; train and promote again.",
                    recipe.returns,
                )
            _register(connection, registered, recipe, data)
    return f"{quoted(registered, 'duckdb')}({{{fields}}})"


def _refusal(message: str, returns: str = "double") -> str:
    return f"cast(error({literal(message, 'duckdb')}) as {returns})"


def _database(connection: duckdb.DuckDBPyConnection) -> str:
    row = connection.execute("select current_database()").fetchone()
    assert row is not None  # a select without a table has one row
    return str(row[0])


def _is_registered(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    found = connection.execute(
        "select 1 from duckdb_functions() where function_name = ? and function_type = 'scalar'", [name]
    ).fetchone()
    return found is not None


def _register(connection: duckdb.DuckDBPyConnection, name: str, recipe: Recipe, data: bytes) -> None:
    key = (recipe.handler, recipe.artifact, hashlib.sha256(data).hexdigest())
    if key not in _answering:
        _answering[key] = _deferred(recipe.handler, recipe.artifact, data)
    fields = ", ".join(f"p{i} {_TYPES[parameter.type]}" for i, parameter in enumerate(recipe.parameters))
    connection.create_function(
        name,
        _answering[key],
        # One struct: DuckDB makes its Arrow array faster than those of so many columns.
        [f"struct({fields})"],
        recipe.returns,
        type=PythonUDFType.ARROW,
        # The default drops rows that hold a NULL before the call; to a model a NULL is a value like others.
        null_handling=FunctionNullHandling.SPECIAL,
    )


# What DuckDB was given to call, kept for good. DuckDB lets go of a function when the connection that registered it is
# closed, and still calls it from the database's other connections: the process would crash.
_answering: dict[tuple[str, str, str], Callable[[pa.ChunkedArray], pa.Array]] = {}


def _deferred(handler: str, artifact: str, data: bytes) -> Callable[[pa.ChunkedArray], pa.Array]:
    """A function that loads its model at the first call: scikit-learn takes a second to import."""
    lock = threading.Lock()
    compute: Vectorised | None = None

    def answer(rows: pa.ChunkedArray) -> pa.Array:
        nonlocal compute
        if compute is None:
            with lock:
                compute = _load(handler, artifact, data)
        return compute(rows.chunk(0) if rows.num_chunks == 1 else rows.combine_chunks())

    return answer


_loaded: dict[tuple[str, str], Vectorised] = {}


def _load(handler: str, artifact: str, data: bytes) -> Vectorised:
    """The loaded model, shared by every connection of the process that serves the same artifact."""
    key = (handler, artifact)
    if key not in _loaded:
        _loaded[key] = _handler(handler)(_checked(artifact, data))
    return _loaded[key]


def _checked(artifact: str, data: bytes) -> bytes:
    found = hashlib.sha256(data).hexdigest()
    if found != artifact:
        raise TerminalError(
            f"The artifact {artifact} holds other bytes (sha256 {found}): it was changed or damaged."
        )
    return data


@cache
def _handler(module: str) -> Callable[[bytes], Vectorised]:
    # The name comes out of the file: only our own modules may be imported on its word.
    if not module.startswith("snowml."):
        raise TerminalError(
            f"The file names '{module}' as the handler of a function; only snowml's own are run."
        )
    load: Callable[[bytes], Vectorised] = importlib.import_module(module).load
    return load


def _artifact(connection: duckdb.DuckDBPyConnection, recipe: Recipe) -> bytes | None:
    store = recipe.store.within(_database(connection)).sql("duckdb")
    try:
        rows = connection.execute(
            f"select data from {store} where artifact = ? order by chunk", [recipe.artifact]
        ).fetchall()
    except duckdb.CatalogException:
        return None
    return b"".join(row[0] for row in rows) if rows else None


def _parameter_list(parameters: tuple[Parameter, ...]) -> str:
    return ", ".join(quoted(parameter.name, "duckdb") for parameter in parameters)


def _close_at_exit(connection: duckdb.DuckDBPyConnection) -> None:
    """A connection with a Python function that is open when the interpreter ends makes DuckDB report leaks."""
    if not _open_connections:
        atexit.register(_close_all)
    _open_connections.add(connection)


def _close_all() -> None:
    for connection in list(_open_connections):
        connection.close()
