"""The stand-in: stored procedures, whose handlers get a real Snowpark Session."""

import pytest
from snowflake_errors import ProgrammingError

OPTIONS = "language python runtime_version = '3.11' packages = ('snowflake-snowpark-python') handler = 'run'"
PROCEDURE = f"create or replace procedure p({{}}) returns {{}} {OPTIONS} execute as {{}} as $$\n{{}}\n$$"


def test_a_procedure_reads_and_writes_where_it_was_called(ask, warehouse):
    ask("create table numbers as select 1 as id union all select 2")
    body = """
def run(session, table, factor):
    total = session.table(table).to_pandas()["ID"].sum() * factor
    session.create_dataframe([[float(total)]], schema=["total"]).write.mode("append").save_as_table("totals")
    return f"total {total}"
"""
    ask(PROCEDURE.format("source varchar, factor float", "varchar", "caller", body))
    assert ask("call p('numbers', 2)") == [("total 6.0",)]
    assert ask("call p(?, ?)", "numbers", 0.5) == [("total 1.5",)]
    assert ask("select total from totals order by 1") == [(1.5,), (6.0,)]
    origins = {
        record.origin
        for record in warehouse.records
        if 'FROM "NUMBERS"' in record.sql or "numbers" in record.sql
    }
    assert origins == {"client", "procedure"}


def test_what_a_procedure_reads_does_not_come_to_the_client(ask, warehouse):
    ask("create table numbers as select seq4() as id from table(generator(rowcount => 100))")
    body = "def run(session):\n    return len(session.table('numbers').collect())"
    ask(PROCEDURE.format("", "int", "owner", body))
    before = len(warehouse.records)
    assert ask("call p()") == [(100,)]
    fetched = {
        origin: sum(r.rows for r in warehouse.records[before:] if r.origin == origin)
        for origin in ("client", "procedure")
    }
    assert fetched["client"] == 1
    assert fetched["procedure"] >= 100


@pytest.mark.parametrize(
    ("returns", "value", "answer"),
    [("float", "1.5", 1.5), ("boolean", "True", True), ("varchar", "None", None), ("int", "7", 7)],
)
def test_a_procedures_answer_has_the_type_it_declares(ask, returns, value, answer):
    ask(PROCEDURE.format("", returns, "owner", f"def run(session):\n    return {value}"))
    assert ask("call p()") == [(answer,)]


def test_an_answer_of_another_type_is_an_error(ask):
    ask(PROCEDURE.format("", "float", "owner", "def run(session):\n    return 'text'"))
    with pytest.raises(ProgrammingError, match="returned str"):
        ask("call p()")


def test_a_failure_in_a_procedure_comes_with_its_traceback(ask):
    ask(
        PROCEDURE.format(
            "", "varchar", "owner", "def run(session):\n    session.sql('select * from nowhere').collect()"
        )
    )
    with pytest.raises(ProgrammingError, match=r"(?si)Python Interpreter Error.*nowhere"):
        ask("call p()")


def test_the_temporary_tables_of_the_caller_are_there(ask):
    ask("create temporary table mine as select 5 as id")
    body = "def run(session):\n    return session.table('mine').collect()[0][0]"
    ask(PROCEDURE.format("", "int", "caller", body))
    assert ask("call p()") == [(5,)]
    assert ask("select id from mine") == [(5,)]


def test_procedures_are_dropped_by_their_arguments(ask):
    ask(PROCEDURE.format("a float", "float", "owner", "def run(session, a):\n    return a"))
    assert ("execute as", "OWNER") in ask("describe procedure p(float)")
    with pytest.raises(ProgrammingError, match="does not exist"):
        ask("drop procedure p(varchar)")
    ask("drop procedure p(float)")
    with pytest.raises(ProgrammingError, match="does not exist"):
        ask("call p(1)")


def test_snowpark_registers_and_calls_procedures(session, tmp_path):
    session.sql("create stage code").collect()
    module = tmp_path / "training.py"
    module.write_text(
        "from snowflake.snowpark import Session\n"
        "def train(session: Session, table: str) -> str:\n    return 'trained on ' + table\n"
    )
    session.sproc.register_from_file(
        str(module),
        "train",
        name="train_it",
        is_permanent=True,
        stage_location="@code",
        packages=["snowflake-snowpark-python"],
        replace=True,
        execute_as="caller",
        return_type=_text(),
        input_types=[_text()],
    )
    assert session.call("train_it", "t") == "trained on t"


def _text():
    from snowflake.snowpark.types import StringType

    return StringType()


def test_a_procedure_may_be_there_for_one_call(ask, warehouse):
    anonymous = (
        "with once as procedure (a varchar) returns varchar language python runtime_version = '3.11' "
        "packages = ('snowflake-snowpark-python') handler = 'run' execute as caller as "
        "$$\ndef run(session, a):\n    return a + str(session.sql('select 1 as x').collect()[0][0])\n$$ call once('a')"
    )
    assert ask(anonymous) == [("a1",)]
    assert ask(anonymous) == [("a1",)]
    assert ask(f"show procedures in schema {warehouse.database}.public") == []
    with pytest.raises(ProgrammingError, match="NOBODY"):
        ask(anonymous.replace("call once", "call nobody"))
    # An ordinary query may begin with WITH too.
    assert ask("with once as (select 2 as a) select a from once") == [(2,)]
