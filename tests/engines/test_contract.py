"""What every engine does, whatever the warehouse: the real definition of `snowml.engines.base.Engine`."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowml.engines import artifacts
from snowml.engines.base import Logged, Method, NativeVersion, Parameter, SqlFunction
from snowml.engines.columns import columns_of
from snowml.engines.duckdb import engine as duckdb_module
from snowml.errors import DataError, TerminalError, UserError
from snowml.names import Relation, literal, quoted

FEW = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ODD = ["", "it's", 'a "quote"', "back\\slash", "?", "null", "ł日本", "a\nb", "--", "$1", "{x}"]
NOON = datetime(2013, 1, 1, 12)

# What is written otherwise on the two.
MANY = {
    "duckdb": "select * from range(1000000)",
    "snowflake": "select seq4() as n from table(generator(rowcount => 1000000))",
}
SPOILED = {
    "duckdb": "select cast(x as integer) as x from (select unnest(['1', 'x']) as x)",
    "snowflake": "select cast(column1 as integer) as x from values ('1'), ('x')",
}


class Stop(Exception):
    """What fails in the midst of a transaction."""


@pytest.fixture
def names(engine):
    """Full names in the schema `main`."""
    return lambda name: Relation("main", name, engine.database)


@pytest.fixture
def things(engine, names):
    relation = names("things")
    engine.execute(f"create table {relation.sql(engine.name)} (id bigint, label varchar)")
    return relation


@pytest.fixture
def store(engine, names):
    relation = names("artifacts")
    kept_in = {
        "duckdb": f"table {relation.sql('duckdb')} (artifact varchar, chunk bigint, data blob)",
        "snowflake": f"stage {relation.sql('snowflake')}",
    }
    engine.execute(f"create {kept_in[engine.name]}")
    return relation


def one(engine, sql, params=()):
    (row,) = engine.query(sql, params).to_pylist()
    (value,) = row.values()
    return value


def ids(engine, relation):
    rows = engine.query(f"select id from {relation.sql(engine.name)} order by id").to_pylist()
    return [row["id"] for row in rows]


def test_it_says_its_dialect_and_its_database(engine):
    assert engine.name in ("duckdb", "snowflake")
    assert engine.database == one(engine, "select current_database()")


@pytest.mark.parametrize(
    "value",
    [
        *(
            *ODD,
            None,
            True,
            False,
            0,
            -(2**63),
            2**63 - 1,
            b"",
            b"\x00\xff'",
            NOON,
            NOON.replace(microsecond=1),
        ),
        *(0.1, 5e-324, -1.7976931348623157e308, math.inf, -math.inf),
    ],
)
def test_a_bound_value_comes_back(engine, value):
    found = one(engine, "select ? as answer", [value])
    assert found == value
    assert type(found) is type(value)


def test_nan_and_the_sign_of_zero_come_back(engine):
    assert math.isnan(one(engine, "select ? as answer", [math.nan]))
    assert math.copysign(1, one(engine, "select ? as answer", [-0.0])) == -1


@FEW
@given(st.text(st.characters(exclude_categories=["Cs"])) | st.floats(allow_nan=False) | st.binary())
def test_any_bound_value_comes_back(engine, value):
    assert one(engine, "select ? as answer", [value]) == value


def test_a_moment_with_a_zone_is_the_same_moment_in_utc(engine):
    elsewhere = NOON.replace(tzinfo=timezone(timedelta(hours=-5)))
    assert one(engine, "select cast(? as timestamp) as answer", [elsewhere]) == NOON + timedelta(hours=5)
    assert one(engine, "select cast(? as timestamp) as answer", [NOON.replace(tzinfo=UTC)]) == NOON


def test_an_answer_is_arrow_with_column_names_in_lower_case(engine):
    table = engine.query("select 1 as A, 2 as \"Wind Gust\", 'x' as b")
    assert isinstance(table, pa.Table)
    assert table.column_names == ["a", "wind gust", "b"]


def test_an_answer_may_have_no_rows(engine, things):
    table = engine.query(f"select * from {things.sql(engine.name)}")
    assert (table.num_rows, table.column_names) == (0, ["id", "label"])


def test_the_answer_of_execute_is_discarded(engine):
    engine.execute(MANY[engine.name])
    assert one(engine, "select 1 as answer") == 1
    with pytest.raises(TerminalError):
        engine.execute(SPOILED[engine.name])


def test_an_answer_that_was_left_half_read_is_not_in_the_way(engine, only):
    only("duckdb", "elsewhere each statement has a cursor of its own")
    engine.connection.execute("select * from range(1000000)").fetchone()
    assert one(engine, "select 1 as answer") == 1


def test_rows_are_inserted_by_column_name(engine, things):
    engine.insert(things, [{"label": "a", "id": 1}, {"id": 2, "label": None}])
    assert engine.query(f"select * from {things.sql(engine.name)} order by id").to_pylist() == [
        {"id": 1, "label": "a"},
        {"id": 2, "label": None},
    ]


def test_nothing_to_insert_is_nothing(engine, things):
    engine.insert(things, [])
    engine.insert(things, iter([]))
    assert ids(engine, things) == []


@pytest.mark.parametrize("wrong", [{"id": "no number", "label": "x"}, {"id": 3}, {"id": 3, "colour": "red"}])
def test_rows_are_inserted_all_or_none(engine, things, wrong):
    with pytest.raises(TerminalError):
        engine.insert(things, [{"id": 1, "label": "a"}, {"id": 2, "label": "b"}, wrong])
    assert ids(engine, things) == []


def test_a_transaction_keeps_all(engine, things):
    with engine.transaction():
        engine.insert(things, [{"id": 1}])
        with engine.transaction():
            engine.insert(things, [{"id": 2}])
    assert ids(engine, things) == [1, 2]


@pytest.mark.parametrize("failure", [Stop, KeyboardInterrupt])
def test_a_transaction_that_fails_keeps_nothing(engine, things, failure):
    with pytest.raises(failure), engine.transaction():
        engine.insert(things, [{"id": 1}])
        raise failure
    assert ids(engine, things) == []


def test_a_failure_of_the_inner_transaction_undoes_the_outer(engine, things):
    def inner():
        with engine.transaction():
            engine.insert(things, [{"id": 2}])
            raise Stop

    with pytest.raises(Stop), engine.transaction():
        engine.insert(things, [{"id": 1}])
        inner()
    with pytest.raises(TerminalError, match="none of it was kept"), engine.transaction():
        engine.insert(things, [{"id": 1}])
        with pytest.raises(Stop):
            inner()
    assert ids(engine, things) == []


def test_a_failed_statement_undoes_its_transaction_even_where_the_error_is_swallowed(engine, things):
    with pytest.raises(TerminalError, match="none of it was kept"), engine.transaction():
        engine.insert(things, [{"id": 1}])
        with pytest.raises(TerminalError):
            engine.execute("select * from there_is_no_such_table")
    assert ids(engine, things) == []


def test_after_a_failure_the_next_transaction_is_a_fresh_one(engine, things):
    with pytest.raises(TerminalError), engine.transaction():
        engine.execute("select * from there_is_no_such_table")
    with engine.transaction():
        engine.insert(things, [{"id": 1}])
    with pytest.raises(TerminalError):
        engine.query("select cast('x' as integer) as answer")
    with engine.transaction():
        engine.insert(things, [{"id": 2}])
    assert ids(engine, things) == [1, 2]


STATEMENTS = [
    "select * from there_is_no_such_table",
    "this is no sql",
    "select cast('x' as integer) as answer",
    "select ? as answer",
]


@pytest.mark.parametrize("verb", ["execute", "query"])
@pytest.mark.parametrize("sql", STATEMENTS)
def test_the_drivers_error_is_wrapped_once_and_shows_the_statement(engine, verb, sql):
    with pytest.raises(TerminalError) as caught:
        getattr(engine, verb)(sql)
    assert type(caught.value.__cause__).__module__.split(".")[0] in (engine.name, "_duckdb")
    assert caught.value.__cause__.__cause__ is None
    assert sql in str(caught.value)


def test_a_long_statement_is_shortened_in_the_error(engine):
    with pytest.raises(TerminalError) as caught:
        engine.execute("select " + ", ".join(f"nothing_{i}" for i in range(10_000)))
    assert len(str(caught.value)) < 2000


def test_an_error_met_while_rows_are_fetched_is_wrapped(engine):
    with pytest.raises(TerminalError):
        engine.query(SPOILED[engine.name])


def test_a_closed_session_says_so_as_ours(engine):
    engine.close()
    with pytest.raises(TerminalError):
        engine.query("select 1 as answer")


def test_the_columns_of_a_relation(engine, things):
    assert [name for name, _ in columns_of(engine, Relation("MAIN", "Things"))] == ["id", "label"]
    with pytest.raises(DataError, match=r"no relation .*main\.nothing"):
        columns_of(engine, Relation("main", "nothing"))


CHUNK = duckdb_module.CHUNK
IN_CHUNKS = "elsewhere an artifact is one file on a stage"
SMALL = 16


@pytest.mark.parametrize("size", [0, 1, SMALL - 1, SMALL, SMALL + 1, 3 * SMALL, 3 * SMALL + 5])
def test_bytes_come_back(engine, store, monkeypatch, size):
    monkeypatch.setattr(duckdb_module, "CHUNK", SMALL)
    data = bytes(i % 256 for i in range(size))
    engine.put(store, "key", data)
    assert engine.get(store, "key") == data


@pytest.mark.parametrize("size", [0, SMALL, SMALL + 1, 3 * SMALL])
def test_bytes_are_kept_in_chunks(engine, store, monkeypatch, size, only):
    only("duckdb", IN_CHUNKS)
    monkeypatch.setattr(duckdb_module, "CHUNK", SMALL)
    engine.put(store, "key", bytes(size))
    assert one(engine, f"select count(*) as n from {store.sql(engine.name)}") == max(1, -(-size // SMALL))


def test_bytes_beyond_a_chunk_of_the_real_size_come_back(engine, store, only):
    only("duckdb", IN_CHUNKS)
    data = bytes(range(256)) * (CHUNK // 256) * 2 + b"x"
    engine.put(store, "key", data)
    assert engine.get(store, "key") == data
    largest = one(engine, f"select max(octet_length(data)) as n from {store.sql(engine.name)}")
    assert largest == CHUNK == 16 * 2**20


def test_the_same_key_twice_is_kept_once_and_keys_are_apart(engine, store):
    for key, data in (("a", b"one"), ("a", b"one"), ("b", b"two"), ("it's ?", b"three")):
        engine.put(store, key, data)
    assert [engine.get(store, key) for key in ("a", "b", "it's ?")] == [b"one", b"two", b"three"]
    assert kept(engine, store) == 3


def test_a_missing_artifact_is_named(engine, store):
    with pytest.raises(DataError, match="artifact nothing is not in"):
        engine.get(store, "nothing")


def test_an_artifact_beyond_the_maximum_is_refused_with_a_remedy(engine, store, monkeypatch):
    monkeypatch.setattr(artifacts, "MAXIMUM", 3 * 2**20)
    engine.put(store, "fits", bytes(3 * 2**20))
    with pytest.raises(UserError, match=r"takes 4 MiB; an artifact may take 3 MiB\..*max_depth"):
        engine.put(store, "large", bytes(4 * 2**20))
    assert kept(engine, store) == 1


def kept(engine, store):
    """How many artifacts there are."""
    if engine.name == "snowflake":
        return engine.query(f"list @{store.sql('snowflake')}").num_rows
    return one(engine, f"select count(distinct artifact) as n from {store.sql('duckdb')}")


def test_put_belongs_to_the_transaction(engine, store, only):
    only("duckdb", "an upload to a stage belongs to no transaction; what is left over is found by no version")
    with pytest.raises(Stop), engine.transaction():
        engine.put(store, "key", b"data")
        raise Stop
    with pytest.raises(DataError):
        engine.get(store, "key")


@pytest.fixture
def function(engine, names):
    """A SQL function; `{x}` in its body is the parameter x."""

    def function(body, name="f", parameters=("x",), returns="double", kind="double", comment=""):
        body = body.format(**{item: quoted(item, engine.name) for item in parameters if item.isalpha()})
        given = tuple(Parameter(item, kind) for item in parameters)
        return SqlFunction(names(name), given, returns, body, comment)

    return function


def call(engine, made, *args):
    slots = ", ".join("?" for _ in args)
    return one(engine, f"select {made.name.sql(engine.name)}({slots}) as answer", args)


def test_a_sql_function_answers(engine, function):
    made = function("cast({x} as double) + 1")
    engine.create_function(made)
    assert call(engine, made, 2) == 3.0
    assert call(engine, made, None) is None


def test_a_parameter_without_a_type_takes_what_can_be_cast(engine, function, only):
    only("duckdb", "elsewhere parameters have types")
    made = function("cast({x} as double) + 1")
    engine.create_function(made)
    assert call(engine, made, "2.5") == 3.5


def test_the_answer_has_the_type_that_was_promised(engine, function):
    made = function("{x}", returns="varchar", kind="text")
    engine.create_function(made)
    assert call(engine, made, "12") == "12"


@pytest.mark.parametrize("name", ['the "odd" one', "Wind Gust", "select", "żółw", "a.b"])
def test_names_are_quoted(engine, function, name):
    parameter = quoted(name, engine.name)
    made = function(f"cast({parameter} as double) * 2", name=name, parameters=(name, "y"))
    engine.create_function(made)
    assert call(engine, made, 2, 5) == 4.0


@pytest.mark.parametrize("text", ["it's", "back\\slash", "a $$ b", "a\nb"])
def test_a_body_may_hold_any_text(engine, function, text):
    made = function(literal(text, engine.name), returns="varchar")
    engine.create_function(made)
    assert call(engine, made, 1) == text


def test_a_function_is_replaced_whatever_its_parameters_were(engine, function):
    engine.create_function(function("cast({x} as double)"))
    made = function("cast({x} as double) * cast({y} as double)", parameters=("x", "y"))
    engine.create_function(made)
    assert call(engine, made, 3, 4) == 12.0
    with pytest.raises(TerminalError):
        call(engine, made, 3)


def test_the_comments_of_a_function_tell_whose_it_is(engine, function, names):
    assert engine.comments(names("f")) == []
    engine.create_function(function("cast({x} as double)", comment="it's the first"))
    engine.create_function(function("cast({x} as double)", name="f_", comment="another"))
    assert engine.comments(names("f")) == ["it's the first"]
    engine.create_function(
        function("cast({x} as varchar)", kind="text", returns="varchar", comment="the second")
    )
    assert engine.comments(names("f")) == ["the second"]
    engine.create_function(function("cast({x} as varchar)", kind="text", returns="varchar"))
    assert engine.comments(names("f")) == [""]


def test_a_view_over_a_function_follows_it(engine, function, names):
    made = function("cast({x} as double) + 1")
    engine.create_function(made)
    view = names("answers").sql(engine.name)
    engine.execute(f"create view {view} as select {made.name.sql(engine.name)}(1) as answer")
    engine.create_function(function("cast({x} as double) + 10"))
    assert one(engine, f"select answer from {view}") == 11.0


def test_a_body_that_does_not_bind_is_refused(engine, function):
    with pytest.raises(TerminalError):
        engine.create_function(function("no_such_function({x})"))


def test_an_unknown_procedure_is_refused_with_a_suggestion(engine):
    with pytest.raises(UserError, match=r"no procedure 'train_modle'\. Did you mean 'train_model'\?"):
        engine.call("train_modle", ["m"])
    with pytest.raises(UserError):
        engine.call("../conftest", [])


NUMBERS = [
    None,
    math.nan,
    math.inf,
    -math.inf,
    0.0,
    -0.0,
    5e-324,
    -5e-324,
    0.1,
    1.7976931348623157e308,
    2.0**53,
]
WHOLE = [None, 0, -1, 2**53 + 1, -(2**53) - 1, 2**62 + 1, 2**63 - 1, -(2**63), 1, 2, 3]


def test_rows_are_lent_to_this_session_to_the_bit(engine):
    lent = {
        'Wind "Gust"': pa.array(NUMBERS, pa.float64(), from_pandas=False),
        "whole": pa.array(WHOLE, pa.int64()),
        "town": pa.array([*ODD, None][: len(NUMBERS)], pa.string()),
    }
    with (
        engine.temporary(pa.table(lent), schema="main") as place,
        engine.temporary(pa.table(lent), schema="main"),
    ):
        listed = ", ".join(quoted(name, engine.name) for name in lent)
        found = engine.query(f"select {listed} from {place.sql(engine.name)}")
    columns = [column.to_pylist() for column in found.columns]
    # Their order is nobody's promise; of NaN and the zeros the text tells.
    rows = sorted(map(repr, zip(*columns, strict=True)))
    assert rows == sorted(map(repr, zip(*(column.to_pylist() for column in lent.values()), strict=True)))
    with pytest.raises(TerminalError):
        engine.query(f"select * from {place.sql(engine.name)}")


def test_rows_that_were_lent_are_gone_after_a_failure(engine):
    with pytest.raises(Stop), engine.temporary(pa.table({"a": pa.array([1.0])}), schema="main") as place:
        raise Stop
    with pytest.raises(TerminalError):
        engine.query(f"select * from {place.sql(engine.name)}")


def native(model, name):
    return NativeVersion(
        model=model,
        name=name,
        parameters=(Parameter("a", "double"), Parameter('the "b"', "text")),
        methods=(Method("predict", "prediction", "double"),),
        handler="handler",
        packages=("numpy",),
        artifact="0" * 64,
        data=b"bytes",
        metrics={"test_mae": 1.5},
        comment=f"it's {name}",
        task="regression",
    )


def test_models_of_the_warehouse_itself_have_versions_and_one_champion(engine, only):
    only("snowflake", "DuckDB has no registry of models of its own")
    models, scored = engine.models, Relation("registry", "scored", engine.database)
    engine.execute(f"create schema {scored.sql('snowflake').rpartition('.')[0]}")
    assert models.versions(scored) == []
    for name in ("V1", "V2"):
        models.log(native(scored, name))
    assert models.versions(scored) == [Logged("V1", "it's V1", False), Logged("V2", "it's V2", False)]
    for name in ("V2", "V1", "V1"):
        models.crown(scored, name)
        assert {one.name: one.is_champion for one in models.versions(scored)} == {
            "V1": name == "V1",
            "V2": name == "V2",
        }
    with pytest.raises(TerminalError, match="create objects outside"), engine.transaction():
        models.log(native(scored, "V3"))
    with pytest.raises(TerminalError, match=r"already existed(.|\n)*in: log"):
        models.log(native(scored, "V2"))


def test_where_a_warehouse_has_no_models_there_are_none(engine, only):
    only("duckdb", "Snowflake has models")
    assert engine.models is None
