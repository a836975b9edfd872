"""DuckDB files: locks, names, read-only connections, and functions that need Python."""

import subprocess
import sys
import time
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

import snowml
from snowml.engines.base import Parameter, VectorFunction
from snowml.engines.duckdb.connection import DuckDBFile
from snowml.engines.duckdb.engine import DuckDBEngine
from snowml.engines.duckdb.functions import attach
from snowml.errors import ProjectError, RetryableError, TerminalError
from snowml.names import Relation
from snowml.records import Feature, Signature
from snowml.registry.trusted import Artifact
from snowml.training.pipeline import build, fit

REPOSITORY = Path(snowml.__file__).parent.parent
FEATURES = (Feature(name='the "x"', kind="number"), Feature(name="town", kind="category"))
STORE = Relation("main", "artifacts")
REMEDY = "kernel: it's Python. Open the file with snowml.connect()."


@pytest.fixture
def file(tmp_path):
    return DuckDBFile(str(tmp_path / "house.duckdb"))


@contextmanager
def opened(file, **options):
    engine = DuckDBEngine(file.open(**options))
    try:
        yield engine
    finally:
        engine.close()


def artifact(slope=2.0):
    x = np.repeat(np.arange(20.0), 2)
    frame = pd.DataFrame({'the "x"': x, "town": np.array(["a", None] * 20, dtype=object)})
    pipeline = fit(build("decision_tree", "regression", {}, 0, FEATURES), frame, slope * x)
    signature = Signature(
        features=FEATURES, entity=("id",), as_of="t", task="regression", label_type="double"
    )
    return Artifact(signature, pipeline).dumps()


def kernel(data, name="kernel", handler="snowml.serving.estimator", key=None):
    parameters = (Parameter('the "x"', "double"), Parameter("town", "text"))
    digest = key or sha256(data).hexdigest()
    return VectorFunction(Relation("main", name), parameters, handler, STORE, digest, REMEDY)


def serve(engine, made, data):
    engine.execute("create table if not exists artifacts (artifact varchar, chunk bigint, data blob)")
    engine.put(STORE, made.artifact, data)
    engine.create_function(made)


def filled(file, made=None):
    """A file with a function that needs Python, a view and a macro over it, made by a session that is over."""
    data = artifact()
    with opened(file) as engine:
        serve(engine, made or kernel(data), data)
        engine.execute("create macro twice(x) as 2 * kernel(x, 'a')")
        engine.execute(
            "create view answers as select x, kernel(x, 'a') as y from (select unnest([3, null, 5]) as x)"
        )
    return file


def value(engine, sql):
    (row,) = engine.query(f"select {sql} as answer").to_pylist()
    return row["answer"]


def in_a_process(code, *args):
    """Run Python elsewhere; its standard output."""
    done = subprocess.run(
        [sys.executable, "-c", code, *args], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


# Functions that need Python


def test_a_function_answers_at_once_where_it_was_made(file):
    data = artifact()
    with opened(file) as engine:
        serve(engine, kernel(data), data)
        assert value(engine, "kernel(3, 'a')") == 6.0
        assert value(engine, "kernel('4', null)") == 8.0
        assert value(engine, "kernel(null, null)") == value(engine, "kernel('nan'::double, 'a')")
        assert value(engine, "kernel('inf'::double, 'a')") is None


def test_another_connection_of_the_process_has_it(file):
    with opened(filled(file)) as one, opened(file) as other:
        assert value(one, "kernel(3, 'a')") == value(other, "kernel(3, 'a')") == 6.0


def test_views_and_macros_of_the_file_reach_it(file):
    with opened(filled(file)) as engine:
        assert value(engine, "twice(3)") == 12.0
        answers = engine.query("select y from answers where x is not null order by x").to_pylist()
        assert [row["y"] for row in answers] == [6.0, 10.0]


def test_a_read_only_connection_has_it(file):
    with opened(filled(file), read_only=True) as engine:
        assert value(engine, "twice(3)") == 12.0
        with pytest.raises(TerminalError, match="read-only"):
            engine.execute("create table t (a int)")


def test_another_process_has_it(file):
    code = (
        "import sys; from snowml.engines.duckdb.connection import DuckDBFile; "
        "print(DuckDBFile(sys.argv[1]).open().execute('select twice(3)').fetchone()[0])"
    )
    assert in_a_process(code, filled(file).path) == "12.0"


def test_a_plain_connection_is_told_the_remedy(file):
    with duckdb.connect(filled(file).path) as plain:
        for sql in ("select kernel(3, 'a')", "select twice(3)", "select * from answers"):
            with pytest.raises(duckdb.Error, match=r"it's Python\. Open the file with snowml\.connect\(\)"):
                plain.execute(sql).fetchall()


def test_a_cursor_is_told_the_remedy_until_it_is_attached(file):
    with opened(filled(file)) as engine:
        cursor = engine.connection.cursor()
        with pytest.raises(duckdb.Error, match="Open the file with"):
            cursor.execute("select twice(3)").fetchall()
        attach(cursor)
        attach(cursor)
        assert cursor.execute("select twice(3)").fetchone() == (12.0,)
        cursor.close()


def test_a_renamed_file_has_it(file, tmp_path):
    filled(file)
    renamed = Path(file.path).rename(tmp_path / "snowml.duckdb")
    with opened(DuckDBFile(str(renamed))) as engine:
        assert engine.database == "snowml"
        assert value(engine, "twice(3)") == 12.0


def test_a_function_of_the_same_name_replaces_it(file):
    data = artifact(slope=3.0)
    with opened(filled(file)) as engine:
        serve(engine, kernel(data), data)
        assert value(engine, "kernel(3, 'a')") == 9.0
        assert value(engine, "twice(3)") == 18.0
    with opened(file) as engine:
        assert value(engine, "twice(3)") == 18.0


def test_a_function_made_again_is_the_same_for_later_sessions(file):
    data = artifact()
    with opened(filled(file)) as engine:
        serve(engine, kernel(data), data)
        serve(engine, kernel(data), data)
    with opened(file) as engine:
        assert value(engine, "twice(3)") == 12.0


@pytest.mark.parametrize("name", ['odd "name"', "it's", "żółw"])
def test_any_name_will_do(file, name):
    data = artifact()
    made = kernel(data, name=name)
    with opened(file) as engine:
        serve(engine, made, data)
    with opened(file) as engine:
        assert value(engine, f"{Relation('main', name).sql('duckdb').split('.')[1]}(3, 'a')") == 6.0


def test_it_must_be_made_before_the_transaction_that_uses_it(file):
    data = artifact()
    with (
        opened(file) as engine,
        pytest.raises(TerminalError, match="before the transaction"),
        engine.transaction(),
    ):
        engine.create_function(kernel(data))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("update artifacts set data = data || '\\x00'::blob", "it was changed or damaged"),
        ("update artifacts set data = ''::blob", "it was changed or damaged"),
        ("delete from artifacts", "is not in main.artifacts; train and promote again"),
        ("drop table artifacts", "is not in main.artifacts; train and promote again"),
        (
            """comment on macro kernel is '{"kind": "snowml.vector_function/1"}'""",
            "is damaged; promote again",
        ),
        (
            """comment on macro kernel is 'no json "kind": "snowml.vector_function/1"'""",
            "is damaged; promote again",
        ),
    ],
)
def test_damage_is_told_by_the_function_and_the_file_still_opens(file, damage, message):
    with duckdb.connect(filled(file).path) as plain:
        plain.execute(damage)
    with opened(file) as engine:
        assert value(engine, "1") == 1
        with pytest.raises(TerminalError, match=message):
            value(engine, "twice(3)")


@pytest.mark.parametrize("handler", ["os", "snowmlx.serving", "snowml", "antigravity"])
def test_a_handler_that_is_not_ours_is_not_imported(file, handler):
    filled(file, kernel(artifact(), handler=handler, key=None))
    with opened(file) as engine, pytest.raises(TerminalError, match=r"only snowml's own are run|damaged"):
        value(engine, "twice(3)")
    assert "antigravity" not in sys.modules


# Opening


def test_a_session_is_in_utc(file):
    with opened(file) as engine:
        assert value(engine, "current_setting('TimeZone')") == "UTC"


def test_a_new_file_can_be_read_by_duckdb_1_4(file):
    with opened(file) as engine:
        (row,) = engine.query(
            "select tags['storage_version'] as storage from duckdb_databases() where database_name = 'house'"
        ).to_pylist()
    assert row["storage"].startswith("v1.4.0")


def test_a_file_may_share_its_name_with_its_schema(tmp_path):
    file = DuckDBFile(str(tmp_path / "snowml.duckdb"), schema="snowml")
    with opened(file) as engine:
        engine.execute("create schema snowml.snowml")
        engine.execute("create table snowml.snowml.t as select 1 as a")
        engine.insert(Relation("snowml", "t", "snowml"), [{"a": 2}])
    with opened(file) as engine:
        assert value(engine, "(select sum(a) from t)") == 3
        assert value(engine, "current_schema()") == "snowml"


def test_a_path_with_a_quote_opens(tmp_path):
    with opened(DuckDBFile(str(tmp_path / 'it\'s a "file".duckdb'))) as engine:
        assert value(engine, "1") == 1


def test_a_missing_folder_or_file_is_named(tmp_path, file):
    with pytest.raises(ProjectError, match=r"folder .*nowhere"):
        DuckDBFile(str(tmp_path / "nowhere" / "x.duckdb")).open()
    with pytest.raises(ProjectError, match=r"no DuckDB file .*house\.duckdb\. Build it first"):
        file.open(read_only=True)


def test_another_kind_of_file_is_refused(file):
    Path(file.path).write_text("a,b\n1,2\n" * 1000)
    with pytest.raises(ProjectError, match=r"house\.duckdb is not a DuckDB file"):
        file.open()


def test_another_configuration_in_the_process_is_explained(file):
    with opened(file), pytest.raises(TerminalError, match="another configuration"):
        DuckDBFile(file.path, config={"threads": "1"}).open()


def test_a_setting_that_is_refused_gives_the_file_back(file):
    with pytest.raises(TerminalError, match="no_such_setting"):
        DuckDBFile(file.path, settings={"no_such_setting": "1"}).open()
    assert in_a_process("import sys, duckdb; duckdb.connect(sys.argv[1]); print('free')", file.path) == "free"


HOLD = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.readline(); c.close()"


@contextmanager
def held(path):
    """Another process that has the file open, until it is sent a line."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        if process.poll() is None:
            process.communicate("\n")


def test_a_lock_is_waited_for_with_one_message_that_names_path_and_process(file):
    told = []
    with held(file.path) as process:

        def notify(message):
            told.append(message)
            process.stdin.write("\n")
            process.stdin.flush()

        with opened(file, notify=notify) as engine:
            assert value(engine, "1") == 1
        assert told == [f"{file.path} is in use by process {process.pid}; waiting for it."]


def test_a_lock_that_is_not_given_back_is_retryable(file):
    with held(file.path) as process:
        start = time.monotonic()
        with pytest.raises(RetryableError, match=f"in use by process {process.pid}, which did not") as caught:
            file.open(wait=0.3)
        assert 0.3 <= time.monotonic() - start < 5
        assert isinstance(caught.value.__cause__, duckdb.Error)


CONFLICTS = [
    ("update t set a = 2", "update t set a = 3"),
    ("create or replace macro m(x) as x", "create or replace macro m(x) as x + 1"),
    ("create table u (a int)", "create table u (a int)"),
    ("alter table t add column b int", "insert into t values (3)"),
]


@pytest.mark.parametrize(("first", "second"), CONFLICTS)
def test_of_two_transactions_that_change_the_same_one_may_retry(file, first, second):
    with opened(file) as one, opened(file) as other:
        one.execute("create table t as select 1 as a")
        with one.transaction():
            one.execute(first)
            with pytest.raises(RetryableError) as caught, other.transaction():
                other.execute(second)
        assert isinstance(caught.value.__cause__, duckdb.Error)
        assert value(other, "1") == 1
