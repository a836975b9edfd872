"""What the Snowflake engine does beyond the contract: statements, tags, errors, sessions of procedures."""

import math
import re
import subprocess
import sys
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("snowflake.snowpark", reason="the extra 'snowflake' is not installed")

from snowflake.connector import errors as driver
from snowflake.snowpark.exceptions import SnowparkSQLException
from snowflake_target import PASSWORD, open_standin

from snowml.engines.base import Parameter, SqlFunction, VectorFunction
from snowml.engines.factory import engine_for
from snowml.engines.snowflake import engine as module
from snowml.engines.snowflake.code import package
from snowml.engines.snowflake.errors import kind_of, wrapped
from snowml.engines.snowflake.functions import LARGEST_STATEMENT, listed_types, sql_function, vector_function
from snowml.engines.snowflake.secrets import Secrets
from snowml.engines.snowflake.values import bound
from snowml.errors import DataError, RetryableError, TerminalError
from snowml.names import Relation

NOON = datetime(2013, 1, 1, 12, 0, 0, 123456)
X = (Parameter("x", "double"),)


@pytest.fixture
def engine(snowflake_engine):
    return snowflake_engine


@pytest.fixture
def table(engine):
    relation = Relation("main", "things", engine.database)
    columns = "id bigint, label varchar, moment timestamp_ntz, flag boolean, value double"
    engine.execute(f"create table {relation.sql('snowflake')} ({columns})")
    return relation


def statements(warehouse, start):
    return [record.sql for record in warehouse.records if record.sql.startswith(start)]


def test_rows_go_in_one_statement_and_come_back_as_they_were(engine, table, warehouse):
    whole = {"id": 2**62, "label": "ł 'x'", "moment": NOON, "flag": True, "value": math.inf}
    empty = dict.fromkeys(whole)
    early = {**whole, "moment": datetime(1, 1, 1), "id": -1, "flag": False, "value": 5e-324}
    engine.insert(table, [whole, empty, early])
    found = engine.query(f"select * from {table.sql('snowflake')} order by id nulls last").to_pylist()
    assert found == [early, whole, empty]
    assert len(statements(warehouse, "insert")) == 1


def test_many_rows_go_in_chunks_all_or_none(engine, table, warehouse, monkeypatch):
    monkeypatch.setattr(module, "_BOUND_AT_ONCE", 4)
    engine.insert(table, [{"id": n, "label": str(n)} for n in range(5)])
    assert len(statements(warehouse, "insert")) == 3
    with pytest.raises(TerminalError):
        engine.insert(table, [*({"id": n} for n in range(8)), {"id": "no number"}])
    assert engine.query(f"select count(*) as n from {table.sql('snowflake')}").to_pylist() == [{"n": 5}]


def test_ddl_is_refused_where_it_would_commit(engine, table):
    with pytest.raises(TerminalError, match="would commit the transaction"), engine.transaction():
        engine.insert(table, [{"id": 1}])
        engine.execute("create table other (id bigint)")
    assert engine.query(f"select * from {table.sql('snowflake')}").num_rows == 0
    with engine.transaction(), pytest.raises(TerminalError, match="create objects outside"):
        engine.transaction(ddl=True)


def test_functions_of_a_schema_that_is_not_there_are_none(engine):
    assert engine.comments(Relation("nowhere", "f")) == []


def test_each_statement_is_tagged_with_its_command(engine, monkeypatch):
    seen = []
    cursor = type(engine.session.connection.cursor())
    execute = cursor.execute

    def recorded(self, *args, _statement_params=None, **kwargs):
        seen.append(_statement_params)
        return execute(self, *args, _statement_params=_statement_params, **kwargs)

    monkeypatch.setattr(cursor, "execute", recorded)
    engine.query("select 1 as answer")
    engine.tag("train", "lateness")
    engine.query("select 1 as answer")
    assert seen == [None, {"QUERY_TAG": '{"app": "snowml", "command": "train", "model": "lateness"}'}]


def test_the_session_of_a_procedure_is_an_engine(engine):
    inner = engine_for(engine.session)
    assert inner.name == "snowflake"
    assert inner.database == engine.database
    assert inner.query("select ? as answer", ["x"]).to_pylist() == [{"answer": "x"}]


def test_a_plain_name_is_the_folded_one_and_any_other_is_to_the_letter():
    assert Relation("main", "plain").sql("snowflake") == '"MAIN"."PLAIN"'
    assert Relation("main", "Plain").sql("snowflake") == '"MAIN"."Plain"'


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (driver.OperationalError(msg="out of reach", errno=250003), RetryableError),
        (driver.TooManyRequests(errno=429), RetryableError),
        (driver.ServiceUnavailableError(errno=503), RetryableError),
        (driver.ProgrammingError(msg="Session no longer exists.", errno=390111), RetryableError),
        (driver.ProgrammingError(msg="Authentication token has expired.", errno=390114), RetryableError),
        (driver.ProgrammingError(msg="Statement was aborted: lock timeout.", errno=625), RetryableError),
        (
            driver.DatabaseError(msg="Incorrect username or password was specified.", errno=250001),
            TerminalError,
        ),
        (driver.ForbiddenError(errno=403), TerminalError),
        (driver.ProgrammingError(msg="Aborted because of a deadlock.", errno=1), RetryableError),
        (driver.ProgrammingError(msg="Conflicting data types in a union.", errno=1), TerminalError),
        (driver.ProgrammingError(msg="SQL compilation error", errno=1003, sqlstate="42000"), TerminalError),
        (driver.ProgrammingError(msg="Insufficient privileges", errno=3001, sqlstate="42501"), TerminalError),
        (driver.ProgrammingError(msg="Statement reached its timeout", errno=630), TerminalError),
        (driver.DatabaseError(msg="Connection is closed", errno=250002), TerminalError),
    ],
)
def test_what_may_succeed_later_is_told_from_what_will_not(error, kind):
    assert kind_of(error) is kind


@pytest.mark.parametrize("layers", [1, 2])
def test_a_servers_text_that_repeats_a_secret_is_cleaned_wherever_it_is_printed(layers):
    def fail():
        inner = driver.ProgrammingError(msg=f"syntax error near '{PASSWORD}'", errno=1003, sfqid="01ab")
        if layers == 1:
            raise inner
        raise SnowparkSQLException(f"wrapped {PASSWORD}", conn_error=inner) from inner

    with pytest.raises(TerminalError) as caught, wrapped(f"select '{PASSWORD}'", Secrets([PASSWORD])):
        fail()
    error = caught.value
    assert "query 01ab" in str(error)
    assert isinstance(error.__cause__, driver.ProgrammingError)
    while error is not None:
        assert PASSWORD not in f"{error} {error!r} {vars(error)}"
        error = error.__cause__ or error.__context__


def test_the_login_of_the_engine_is_hidden_in_its_errors(warehouse):
    engine = open_standin(warehouse)
    try:
        with pytest.raises(TerminalError) as caught:
            engine.query(f"select '{PASSWORD}' from there_is_no_such_table")
    finally:
        engine.close()
    assert PASSWORD not in str(caught.value)
    assert "'***'" in str(caught.value)


def test_a_function_longer_than_snowflake_takes_is_refused_with_a_remedy():
    body = " + ".join(["1.0"] * (LARGEST_STATEMENT // 6))
    with pytest.raises(DataError, match=r"500 kB.*fewer columns"):
        sql_function(SqlFunction(Relation("s", "f"), X, "double", body))


def test_the_types_of_overloads_are_read_from_what_show_tells():
    assert listed_types("F(FLOAT, VARCHAR) RETURN FLOAT") == ("FLOAT", "VARCHAR")
    assert listed_types("F() RETURN FLOAT") == ()
    assert listed_types("F(NUMBER(38, 0), DEFAULT FLOAT) RETURN NUMBER(38, 0)") == (
        "NUMBER(38, 0)",
        "DEFAULT FLOAT",
    )


def test_a_vector_function_names_all_that_it_needs():
    function = VectorFunction(
        Relation("s", "kernel", "d"), (*X, Parameter("town", "text")), "snowml.serving.estimator",
        Relation("r", "artifacts", "d"), "ab12", "", ("scikit-learn",),
    )  # fmt: skip
    sql = vector_function(function, "snowml_1.zip")
    assert '"D"."S"."KERNEL"("X" float, "TOWN" varchar)' in sql
    assert """'@"D"."R"."ARTIFACTS"/ab12', '@"D"."R"."ARTIFACTS"/snowml_1.zip'""" in sql
    # What the handler's module imports, and the module around it.
    declared = re.search(r"packages = \((.*)\)", sql)[1]
    assert re.findall(r"'([^=']*)==", declared) == ["pandas", "pyarrow", "scikit-learn"]
    assert "artifact_repository = snowflake.snowpark.pypi_shared_repository" in sql
    assert "_sf_max_batch_size = 4096" in sql


def test_the_code_on_the_stage_is_the_same_file_for_the_same_code():
    name, data = package()
    package.cache_clear()
    assert package() == (name, data)
    assert name.startswith("snowml_")


def test_the_zip_is_made_out_of_the_zip_where_there_is_nothing_else(tmp_path):
    name, data = package()
    (tmp_path / name).write_bytes(data)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / name)!r}); from snowml.engines.snowflake import code; "
        "print(code.__file__, code.package()[0])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [f"{tmp_path / name}/snowml/engines/snowflake/code.py", name]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float64(2), 2.0),
        (np.int8(1), 1),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (pd.Timestamp(NOON), NOON),
        (pd.Timestamp(NOON, tz="Asia/Tokyo"), NOON - timedelta(hours=9)),
        (bytearray(b"x"), b"x"),
    ],
)
def test_what_is_bound_is_pythons_own(value, plain):
    assert bound(value) == plain
    assert type(bound(value)) is type(plain)


def test_a_servers_text_is_plain_short_and_keeps_its_number_and_query():
    said = (
        "SQL compilation error:\n\x1b[31mred\x1b[0m \x1b]0;title\x07bell\x07 \u202eback\x00 "
        + "select " * 2000
        + "the reason"
    )
    error = driver.ProgrammingError(msg=said, errno=1003, sqlstate="42000", sfqid="01ab-cd")
    with pytest.raises(TerminalError) as caught, wrapped("select '\x1b[2J'\n" * 100, Secrets()):
        raise error
    text = str(caught.value)
    assert text.startswith("Snowflake: 001003 (42000): SQL compilation error: red bell back select")
    # A traceback says at its end what happened.
    assert "the reason (query 01ab-cd)\nin: select '' select ''" in text
    assert len(text) < 900
    assert text.count("\n") == 1
    assert all(character.isprintable() for character in text.replace("\n", ""))


def test_a_secret_is_hidden_before_a_text_is_cut():
    said = "x" * 590 + PASSWORD
    with pytest.raises(TerminalError) as caught, wrapped("select 1", Secrets([PASSWORD])):
        raise driver.ProgrammingError(msg=said, errno=1003)
    assert PASSWORD[:5] not in str(caught.value)


def test_a_token_that_expired_is_told_with_what_to_do():
    refused = driver.DatabaseError(
        msg="Failed to connect to DB: x:443. OAuth access token expired.", errno=250001
    )
    with pytest.raises(TerminalError, match=r"expired\..*Give a new one"), wrapped("login", Secrets()):
        raise refused
