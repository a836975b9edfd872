"""What becomes of a statement: executed here or by DuckDB, accepted without effect, or refused; and put on record."""

import json
import logging
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import duckdb
import snowflake.connector.errors
from sqlglot.errors import SqlglotError

from standin import queries
from standin.answers import Answer, Listing, listing, status
from standin.failures import Failure, unknown
from standin.grammar import Reader
from standin.records import Record
from standin.stages import like
from standin.troubles import hold

if TYPE_CHECKING:
    from standin.session import Login, Session

log = logging.getLogger("standin")

# Taken note of, and nothing is done: DuckDB has nothing of the kind. Tests assert on the record.
ACCEPTED = {"WAREHOUSE", "RESOURCE MONITOR", "ROLE", "EVENT TABLE"}
SYSTEM_FUNCTIONS = {
    "SYSTEM$CANCEL_ALL_QUERIES": "0 queries cancelled.",
    "SYSTEM$ML_PLATFORM_CAPABILITIES": "{}",
    "SYSTEM$GET_DEFAULT_PYTHON_ARTIFACT_REPOSITORY": "snowflake.snowpark.pypi_shared_repository",
}


def respond(login: "Login", body: dict[str, Any]) -> dict[str, Any]:
    """The whole response to one query request."""
    session, sql = login.session, body["sqlText"]
    record = Record(sql, "executed", session.home, login.origin, session.id, query_tag=login.query_tag)
    with login.lock:
        try:
            hold(login, sql)
            answer = _execute(login, sql, body)
        except Exception as error:  # noqa: BLE001
            failure = _failure(error)
            record.kind, record.error = "failed", str(failure)
            session.account.records.add(record)
            return _failed(failure)
    record.kind, record.rows, record.bytes = answer.kind, answer.rows, answer.bytes
    session.account.records.add(record)
    database, schema = session.place
    query = str(uuid.uuid4())
    session.remember(query, answer.result)
    place = {"finalDatabaseName": database, "finalSchemaName": schema, "queryId": query}
    return {
        "data": {"parameters": [], **place, **answer.data},
        "code": None,
        "message": None,
        "success": True,
    }


def _execute(login: "Login", sql: str, body: dict[str, Any]) -> Answer:
    reader = Reader(sql)
    if not reader.tokens:
        raise Failure("SQL compilation error:\nempty statement", 900)
    if reader.take("CALL"):
        return login.session.account.procedures.call(login, reader, body.get("bindings") or {})
    if reader.words(4)[:1] == ["WITH"] and reader.words(4)[2:] == ["AS", "PROCEDURE"]:
        reader.expect("WITH")
        return login.session.account.procedures.anonymous(login, reader, body.get("bindings") or {})
    for word, handler in HANDLERS.items():
        if reader.take(word):
            answer = handler(login, reader)
            if answer is not None:
                return answer
            break
    return queries.run(login.session, sql, body.get("bindings") or {}, bool(body.get("describeOnly")))


def _create(login: "Login", reader: Reader) -> Answer | None:
    session = login.session
    replace = reader.take("OR REPLACE")
    _ = reader.take("SECURE")
    scoped = reader.take("SCOPED")
    temporary = reader.take("TEMPORARY") or reader.take("TEMP") or scoped
    objects = session.account
    owners = {"FUNCTION": objects.functions, "PROCEDURE": objects.procedures}
    owners |= {
        "STAGE": objects.stages,
        "MODEL MONITOR": objects.monitors,
        "EXPERIMENT": objects.experiments,
        "MODEL": objects.models,
        "STREAM": objects.streams,
        "TASK": objects.tasks,
        "ALERT": objects.alerts,
        "TAG": objects.tags,
    }
    for kind, owner in owners.items():
        if reader.take(kind):
            session.commit_before_ddl()
            return owner.create(session, reader, replace, temporary)
    if reader.take("VIEW"):
        return objects.tags.create_view(session, reader, replace)
    if reader.take("WAREHOUSE"):
        _ = reader.take("IF NOT EXISTS")
        objects.warehouses.add(reader.identifier())
        return status(kind="accepted")
    return _accepted(reader)


def _drop(login: "Login", reader: Reader) -> Answer | None:
    session, objects = login.session, login.session.account
    owners = {"FUNCTION": objects.functions, "PROCEDURE": objects.procedures}
    owners |= {
        "STAGE": objects.stages,
        "MODEL MONITOR": objects.monitors,
        "EXPERIMENT": objects.experiments,
        "MODEL": objects.models,
        "STREAM": objects.streams,
        "TASK": objects.tasks,
        "ALERT": objects.alerts,
        "TAG": objects.tags,
        **objects.absent,
    }
    for kind, owner in owners.items():
        if reader.take(kind):
            session.commit_before_ddl()
            return owner.drop(session, reader)
    if reader.take("VIEW"):
        objects.tags.drop_view(session, reader)
        return None
    return _accepted(reader)


def _alter(login: "Login", reader: Reader) -> Answer | None:
    if reader.take("SESSION"):
        return _alter_session(login, reader)
    account = login.session.account
    owners = {"MODEL": account.models, "TASK": account.tasks, "ALERT": account.alerts}
    owners |= {"EXPERIMENT": account.experiments}
    for kind, owner in owners.items():
        if reader.take(kind):
            return owner.alter(login.session, reader)
    if reader.take("TABLE"):
        return account.tags.alter_table(login.session, reader)
    return _accepted(reader)


def _alter_session(login: "Login", reader: Reader) -> Answer:
    unset = reader.take("UNSET")
    if not unset:
        reader.expect("SET")
    while reader.next:
        parameter = reader.identifier()
        value = ""
        if not unset:
            reader.expect("=")
            value = reader.one().text
        reader.take(",")
        if parameter == "AUTOCOMMIT" and value.upper() not in ("TRUE", "1"):
            raise unknown("sessions without autocommit")
        if parameter == "QUERY_TAG":
            login.query_tag = value or None
    return status(kind="accepted")


def _accepted(reader: Reader) -> Answer | None:
    return status(kind="accepted") if any(reader.take(kind) for kind in sorted(ACCEPTED)) else None


def _accept(_: "Login", __: Reader) -> Answer:
    return status(kind="accepted")


def _use(_: "Login", reader: Reader) -> Answer | None:
    return (
        status(kind="accepted") if reader.words(2)[1:] in (["ROLE"], ["WAREHOUSE"], ["SECONDARY"]) else None
    )


def _show(login: "Login", reader: Reader) -> Answer | None:
    session, account = login.session, login.session.account
    shown = {
        "MODEL MONITORS": account.monitors.show,
        "RUN METRICS": account.experiments.show_metrics,
        "RUN PARAMETERS": account.experiments.show_parameters,
        "RUNS": account.experiments.show_runs,
        "MODELS": account.models.show,
        "VERSIONS": account.models.show_versions,
        "FUNCTIONS IN MODEL": account.models.show_functions,
        "USER FUNCTIONS": account.functions.show,
        "FUNCTIONS": account.functions.show,
        "USER PROCEDURES": account.procedures.show,
        "PROCEDURES": account.procedures.show,
        "TASKS": account.tasks.show,
        "ALERTS": account.alerts.show,
        "STREAMS": account.streams.show,
        "TAGS": account.tags.show,
        "VIEWS": account.tags.show_views,
        "WAREHOUSES": _show_warehouses,
        "STAGES": account.stages.show,
        **{f"{kind}S": absent.show for kind, absent in account.absent.items()},
    }
    for kind, show in shown.items():
        if reader.take(kind):
            return show(session, reader)
    return None


def _show_warehouses(session: "Session", reader: Reader) -> Answer:
    pattern = reader.string() if reader.take("LIKE") else "%"
    reader.end()
    rows = [[name, "STARTED"] for name in sorted(session.account.warehouses) if like(name, pattern)]
    return listing(Listing({"name": "text", "state": "text"}, rows))


def _describe(login: "Login", reader: Reader) -> Answer | None:
    if reader.take("FUNCTION"):
        return login.session.account.functions.describe(login.session, reader)
    if reader.take("PROCEDURE"):
        return login.session.account.procedures.describe(login.session, reader)
    if reader.take("VIEW"):
        session = login.session
        name = session.name(reader.path())
        return session.account.tags.describe(session, name, queries.run(session, reader.sql, {}, False))
    return None


def _stages(verb: str) -> Callable[["Login", Reader], Answer]:
    def handle(login: "Login", reader: Reader) -> Answer:
        return getattr(login.session.account.stages, verb)(login.session, reader)

    return handle


def _select(login: "Login", reader: Reader) -> Answer | None:
    """What clients ask of the system itself."""
    name = reader.words(2)[-1].upper()
    if name == "SYSTEM$STREAM_HAS_DATA":
        reader.one()
        session = login.session
        found = session.account.streams.has_data(session, Reader(reader.inside()).string())
        return listing(Listing({name: "boolean"}, [["1" if found else "0"]]), 0x1000)
    if reader.take("ENTITY_DETAIL"):
        session = login.session
        detail = session.account.tags.entity_detail(session, reader.inside())
        reader.end()
        return listing(Listing({"ENTITY_DETAIL": "text"}, [[detail]]), 0x1000)
    if name in SYSTEM_FUNCTIONS:
        return listing(Listing({_column(reader, name): "text"}, [[SYSTEM_FUNCTIONS[name]]]), 0x1000)
    return None


def _column(reader: Reader, name: str) -> str:
    """The alias of a single selected column, or else its own name."""
    words = [token.text for token in reader.tokens]
    return words[-1].upper() if len(words) > 2 and words[-2].upper() == "AS" else name


def _begin(login: "Login", reader: Reader) -> Answer:
    _ = reader.take("TRANSACTION") or reader.take("WORK")
    reader.end()
    session = login.session
    if session.in_transaction:
        raise unknown("BEGIN inside a transaction")
    session.duckdb.execute("begin")
    session.in_transaction = True
    return status()


def _is_aborted(session: "Session") -> bool:
    """DuckDB would take COMMIT for ROLLBACK then, and say nothing."""
    try:
        session.duckdb.execute("select 1")
    except duckdb.TransactionException:
        return True
    return False


def _end(verb: str) -> Callable[["Login", Reader], Answer]:
    def handle(login: "Login", reader: Reader) -> Answer:
        _ = reader.take("WORK")
        reader.end()
        session: Session = login.session
        # Outside a transaction there is nothing to do, and no error.
        if session.in_transaction:
            session.in_transaction = False
            if verb == "commit" and _is_aborted(session):
                session.duckdb.execute("rollback")
                raise Failure(
                    "The stand-in cannot commit: DuckDB gave the transaction up when a statement in it failed."
                )
            session.duckdb.execute(verb)
        return status()

    return handle


HANDLERS: dict[str, Callable[["Login", Reader], Answer | None]] = {
    "CREATE": _create,
    "DROP": _drop,
    "ALTER": _alter,
    "SHOW": _show,
    "DESCRIBE": _describe,
    "DESC": _describe,
    "USE": _use,
    "GRANT": _accept,
    "REVOKE": _accept,
    "EXECUTE TASK": _accept,
    "EXECUTE DBT PROJECT": _accept,
    "PUT": _stages("put"),
    "GET": _stages("get"),
    "LIST": _stages("list"),
    "LS": _stages("list"),
    "REMOVE": _stages("remove"),
    "RM": _stages("remove"),
    "SELECT": _select,
    "BEGIN": _begin,
    "START": _begin,
    "COMMIT": _end("commit"),
    "ROLLBACK": _end("rollback"),
}


def _failure(error: Exception) -> Failure:
    if isinstance(error, Failure):
        return error
    if isinstance(error, snowflake.connector.errors.Error):
        return Failure(str(error.raw_msg or error.msg), error.errno, error.sqlstate or "42000")
    if isinstance(error, SqlglotError):
        return Failure(f"SQL compilation error:\n{error}")
    if isinstance(error, duckdb.Error) and "Python Interpreter Error" in str(error):
        return Failure(
            "Python Interpreter Error" + str(error).partition("Python Interpreter Error")[2], 100357, "P0000"
        )
    if isinstance(error, duckdb.Error):
        return Failure(str(error), 100035, "22000")
    log.exception("a statement broke the stand-in")
    return Failure(f"The stand-in for Snowflake failed: {type(error).__name__}: {error}", 603, "XX000")


def _failed(failure: Failure) -> dict[str, Any]:
    """A failure is an ordinary response: to a status of 500 the connector answers by asking again, for ever."""
    code = f"{failure.errno:06d}"
    data = {"errorCode": code, "sqlState": failure.state, "queryId": str(uuid.uuid4())}
    return json.loads(json.dumps({"data": data, "code": code, "message": str(failure), "success": False}))
