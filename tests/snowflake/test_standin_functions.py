"""The stand-in: user-defined functions in SQL and in Python, as the warehouse would run them."""

import math
from pathlib import Path

import pytest
from snowflake_errors import ProgrammingError

PYTHON = "language python runtime_version = '3.11' packages = ('pandas') handler = 'handle'"
SCALAR = f"create or replace function f(a float) returns float {PYTHON} as $$\n{{}}\n$$"


@pytest.fixture
def numbers(ask):
    ask("create table numbers (id int, x float)")
    ask("insert into numbers values (1, 1.5), (2, null), (3, 2.5)")


@pytest.fixture
def put(ask, tmp_path):
    """Puts a file on the stage `code`."""
    ask("create stage if not exists code")

    def put(name: str, content: str) -> None:
        file = tmp_path / name
        file.write_text(content)
        ask(f"put 'file://{file}' @code auto_compress = false overwrite = true")

    return put


def test_a_sql_function_computes(ask, numbers):
    """fakesnow alone answers the text of the body."""
    ask("create function twice(a float) returns float as 'a * 2'")
    ask("create function more(a float, b float) returns float as $$ twice(a) + b $$")
    assert ask("select more(x, id) from numbers order by id") == [(4.0,), (None,), (8.0,)]


def test_a_sql_function_may_hold_a_query(ask, numbers):
    ask("create function highest() returns float as 'select max(x) from numbers'")
    ask("create schema elsewhere")
    assert ask("select public.highest()") == [(2.5,)]


def test_an_answer_has_the_type_that_the_function_declares(ask):
    ask("create function f(a float) returns varchar as 'a'")
    assert ask("select f(1.5)") == [("1.5",)]


def test_overloads_are_chosen_by_their_arguments(ask):
    ask("create function f(a float) returns varchar as $$ 'number' $$")
    ask("create function f(a varchar) returns varchar as $$ 'text' $$")
    ask("create function f(a float, b float) returns varchar as $$ 'two' $$")
    assert ask("select f(1), f(1.5::float), f('x'), f(1, 2)") == [("number", "number", "text", "two")]
    ask("drop function f(varchar)")
    with pytest.raises(ProgrammingError):
        ask("select f('x')")
    assert ask("select f(1), f(1, 2)") == [("number", "two")]


def test_the_type_of_the_arguments_names_what_is_dropped(ask):
    ask("create function f(a float) returns float as 'a'")
    with pytest.raises(ProgrammingError, match="does not exist"):
        ask("drop function f(varchar)")
    ask("drop function if exists f(varchar)")
    ask("drop function f(double)")
    with pytest.raises(ProgrammingError, match="F"):
        ask("select f(1)")


def test_a_function_is_replaced_only_on_request(ask):
    ask("create function f(a float) returns float as 'a'")
    with pytest.raises(ProgrammingError, match="already exists"):
        ask("create function f(a float) returns float as 'a + 1'")
    ask("create function if not exists f(a float) returns float as 'a + 2'")
    assert ask("select f(1)") == [(1.0,)]
    ask("create or replace function f(a float) returns float as 'a + 3'")
    assert ask("select f(1)") == [(4.0,)]


@pytest.mark.parametrize(
    "body", ["b + 1", "no_such_function(a)", "(select x from no_such_table)", "epoch(a)"]
)
def test_a_body_that_does_not_compile_is_refused(ask, body):
    ask("create function f(a float) returns float as 'a'")
    with pytest.raises(ProgrammingError):
        ask(f"create or replace function f(a float) returns float as $$ {body} $$")
    assert ask("select f(1)") == [(1.0,)]


def test_show_and_describe_tell_what_there_is(ask):
    ask("create function f_x(a float, b varchar) returns float comment = 'of x' as 'a'")
    ask("create function fox(a float) returns float as 'a'")
    (shown,) = ask("show user functions like 'f\\\\_x' in schema public")
    assert shown[1] == "F_X"
    assert "F_X(FLOAT, VARCHAR) RETURN FLOAT" in shown
    assert len(ask("show functions like 'f_x'")) == 2
    assert ("signature", "(A FLOAT, B VARCHAR)") in ask("describe function f_x(float, varchar)")


def test_a_scalar_function_is_called_row_by_row(ask, numbers):
    ask(SCALAR.format("def handle(a):\n    return -1.0 if a is None else a * 10"))
    assert ask("select f(x) from numbers order by id") == [(15.0,), (-1.0,), (25.0,)]


def test_a_strict_function_is_not_called_with_null(ask, numbers):
    ask(SCALAR.format("def handle(a):\n    return a * 10").replace("returns float", "returns float strict"))
    assert ask("select f(x) from numbers order by id") == [(15.0,), (None,), (25.0,)]


def test_objects_go_in_and_out(ask):
    body = "def handle(a):\n    return {'twice': a['x'] * 2, 'none': None}"
    ask(SCALAR.format(body).replace("a float", "a object").replace("returns float", "returns object"))
    assert ask("select f(object_construct('x', 2)):twice::float") == [(4.0,)]


VECTORISED = """
import pandas
def handle(frame):
    assert list(frame.columns) == [0, 1], frame.columns
    return pandas.Series([float(len(frame))] * len(frame)) if {sizes} else frame[0].fillna(-1.0) + frame[1]
handle._sf_vectorized_input = pandas.DataFrame
{more}
"""


def test_a_vectorised_function_gets_frames(ask, numbers):
    body = VECTORISED.format(sizes=False, more="")
    ask(SCALAR.format(body).replace("a float", "a float, b float"))
    assert ask("select f(x, id) from numbers order by id") == [(2.5,), (1.0,), (5.5,)]


def test_a_batch_is_no_larger_than_the_handler_allows(ask):
    ask("create table many as select seq4() as id from table(generator(rowcount => 5000))")
    body = VECTORISED.format(sizes=True, more="handle._sf_max_batch_size = 100")
    ask(SCALAR.format(body).replace("a float", "a float, b float"))
    ((rows, largest),) = ask("select count(*), max(f(id, id)) from many")
    assert rows == 5000
    assert largest == 100


def test_the_decorator_marks_a_vectorised_function(ask, numbers):
    body = """
import pandas
from _snowflake import vectorized
@vectorized(input=pandas.DataFrame, max_batch_size=2)
def handle(frame):
    return frame[0] * 2
"""
    ask(SCALAR.format(body))
    assert ask("select f(x) from numbers order by id") == [(3.0,), (None,), (5.0,)]


def test_imports_come_from_a_stage_and_stay_as_they_were(ask, put, numbers):
    put("weights.json", '{"factor": 3}')
    module = """
import json, sys
from pathlib import Path
FACTOR = json.loads((Path(sys._xoptions["snowflake_import_directory"]) / "weights.json").read_text())["factor"]
def handle(a):
    return None if a is None else a * FACTOR
"""
    put("scoring.py", module)
    options = (
        PYTHON.replace("'handle'", "'scoring.handle'")
        + " imports = ('@code/scoring.py', '@code/weights.json')"
    )
    ask(f"create function f(a float) returns float {options}")
    put("weights.json", '{"factor": 4}')
    assert ask("select f(x) from numbers order by id") == [(4.5,), (None,), (7.5,)]


def test_an_import_that_is_not_there_is_an_error(ask, put):
    options = PYTHON + " imports = ('@code/nothing.py')"
    with pytest.raises(ProgrammingError, match=r"nothing\.py"):
        ask(f"create function f(a float) returns float {options}")


def test_a_handlers_error_comes_with_its_traceback(ask):
    ask(SCALAR.format("def handle(a):\n    raise ValueError('too odd')"))
    with pytest.raises(
        ProgrammingError, match=r"(?s)Python Interpreter Error.*too odd.*in function F with handler handle"
    ):
        ask("select f(1)")


@pytest.mark.parametrize(
    "forbidden",
    [
        "open(sys._xoptions['snowflake_import_directory'] + 'new', 'w')",
        "os.makedirs(os.path.expanduser('~/.cache'))",
        "open('/var/tmp/new', 'w')",
        "socket.create_connection(('127.0.0.1', 9))",
    ],
)
def test_the_sandbox_is_closed(ask, forbidden):
    ask(SCALAR.format(f"import os, sys, socket\ndef handle(a):\n    {forbidden}\n    return a"))
    with pytest.raises(ProgrammingError, match=r"Read-only file system|Not a directory|no network"):
        ask("select f(1)")


def test_the_sandbox_has_a_temporary_folder_and_nothing_of_this_machine(ask, monkeypatch):
    body = "import os, tempfile\ndef handle(a):\n    tempfile.mkstemp()\n    return str(sorted(os.environ))"
    ask(SCALAR.format(body).replace("returns float", "returns varchar"))
    ((found,),) = ask("select f(1)")
    # The last one is snowflake-snowpark's.
    assert set(eval(found)) <= {"PATH", "LANG", "TMPDIR", "HOME", "LC_CTYPE", "ARROW_DEFAULT_MEMORY_POOL"}


@pytest.mark.parametrize("missing", ["runtime_version = '3.11'", "handler = 'handle'"])
def test_what_a_python_function_must_say(ask, missing):
    with pytest.raises(ProgrammingError):
        ask(SCALAR.format("def handle(a):\n    return a").replace(missing, ""))


def test_snowpark_registers_functions(session, numbers):
    import snowflake.snowpark.functions as F  # noqa: N812
    from snowflake.snowpark.types import FloatType

    session.udf.register(
        lambda x: x * 10, return_type=FloatType(), input_types=[FloatType()], name="u", replace=True
    )
    rows = (
        session.table("numbers")
        .filter("x is not null")
        .select(F.call_udf("u", F.col("x")).alias("y"))
        .collect()
    )
    assert [row["Y"] for row in rows] == [15.0, 25.0]


def test_files_go_to_a_stage_and_back(session, tmp_path):
    session.sql("create stage files").collect()
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "down").mkdir()
    session.file.put(str(tmp_path / "a.txt"), "@files/deep", auto_compress=False)
    assert [Path(row["name"]).name for row in session.sql("list @files").collect()] == ["a.txt"]
    session.file.get("@files/deep/a.txt", str(tmp_path / "down"))
    assert (tmp_path / "down" / "a.txt").read_text() == "hello"
    with session.file.get_stream("@files/deep/a.txt") as stream:
        assert stream.read() == b"hello"
    session.sql("remove @files/deep").collect()
    assert session.sql("list @files").collect() == []


def test_a_stage_has_edges(ask):
    with pytest.raises(ProgrammingError, match="does not exist"):
        ask("list @nothing")
    ask("create stage files")
    with pytest.raises(ProgrammingError, match="leaves its stage"):
        ask("list @files/../../x")
    with pytest.raises(ProgrammingError, match="already exists"):
        ask("create stage files")
    ask("drop stage files")
    with pytest.raises(ProgrammingError):
        ask("list @files")


def test_nan_is_what_a_scalar_handler_says(ask):
    ask(SCALAR.format("def handle(a):\n    return float('nan')"))
    assert math.isnan(ask("select f(1)")[0][0])
