"""The stand-in: queries, bindings, DML, temporary tables, transactions, as the real connector and Snowpark see them."""

import hashlib
from datetime import date, datetime
from decimal import Decimal

import pytest
from snowflake_errors import ProgrammingError

NOON = datetime(2013, 1, 1, 12)


@pytest.fixture
def things(ask):
    ask("create table things (id int, label varchar, at timestamp)")
    ask("insert into things values (1, 'a', '2013-01-01 12:00:00'), (2, null, null)")


def test_a_null_timestamp_comes_back_as_null(ask, things):
    """fakesnow alone answers 1970-01-01."""
    assert ask("select at from things order by id") == [(NOON,), (None,)]
    assert ask("select at from things where at is null") == [(None,)]
    assert ask("select max(at) from things where id > 2") == [(None,)]


@pytest.mark.parametrize("moment", [datetime(1969, 12, 31, 23, 59, 59, 1), NOON])
def test_moments_keep_their_microseconds(ask, moment):
    assert ask("select ?", moment) == [(moment,)]


@pytest.mark.parametrize(
    "value", [1, -(2**62), 1.5, float("inf"), "it's", "", True, b"\x00'", date(2013, 1, 1), None]
)
def test_a_bound_value_comes_back(ask, value):
    assert ask("select ?", value) == [(value,)]


def test_text_is_trimmed_at_the_end_that_is_asked(ask):
    assert ask("select rtrim(' a, ', ', '), ltrim(' a, '), trim('xax', 'x')") == [(" a", "a, ", "a")]


def test_halves_of_a_digest_are_numbers(ask):
    answer = ask(
        "select mod(md5_number_upper64('Snowflake'), 997), mod(md5_number_lower64('Snowflake'), 997)"
    )
    digest = hashlib.md5(b"Snowflake").hexdigest()
    assert answer == [(int(digest[:16], 16) % 997, int(digest[16:], 16) % 997)]


def test_decimals_keep_their_scale(ask):
    assert ask("select cast(? as number(10, 2))", Decimal("1.25")) == [(Decimal("1.25"),)]


def test_many_rows_are_inserted_in_one_statement(connection, warehouse, ask, things):
    rows = [(3, "b", NOON), (4, None, None), (5, "c", NOON)]
    connection.cursor().executemany("insert into things (id, label, at) values (?, ?, ?)", rows)
    assert ask("select * from things where id > 2 order by id") == rows
    assert [record.sql for record in warehouse.records if "insert into things (" in record.sql] == [
        "insert into things (id, label, at) values (?, ?, ?)"
    ]


def test_many_rows_are_inserted_all_or_none(connection, ask, things):
    with pytest.raises(ProgrammingError):
        connection.cursor().executemany("insert into things (id) values (?)", [("3",), ("x",)])
    assert ask("select count(*) from things") == [(2,)]


def test_an_answer_without_rows_has_its_columns(connection, things):
    cursor = connection.cursor().execute("select id, at from things where id > 2")
    assert cursor.fetch_arrow_all(force_return_table=True).column_names == ["ID", "AT"]
    assert cursor.fetchall() == []


def test_dml_counts_its_rows(connection, things):
    cursor = connection.cursor()
    assert cursor.execute("update things set label = 'x'").rowcount == 2
    assert cursor.execute("delete from things where id = 1").rowcount == 1
    merge = "merge into things using (select 2 as id union all select 3) as n on things.id = n.id "
    cursor.execute(
        merge + "when matched then update set label = 'y' when not matched then insert (id) values (n.id)"
    )
    assert cursor.execute("select id, label from things order by id").fetchall() == [(2, "y"), (3, None)]


def test_a_temporary_table_is_its_sessions_own(ask, session, warehouse, things):
    ask("create temporary table things as select 9 as id")
    assert ask(f"select id from {warehouse.database}.public.things") == [(9,)]
    assert session.sql("select count(*) from things").collect()[0][0] == 2
    ask("insert into things select 10")
    assert ask("select id from things t where t.id > 9") == [(10,)]
    ask("drop table things")
    assert ask("select count(*) from things") == [(2,)]


def test_a_temporary_table_ends_with_its_session(warehouse, ask):
    import snowflake.connector

    with snowflake.connector.connect(**warehouse.parameters) as other:
        other.cursor().execute("create temporary table passing as select 1 as id")
    with pytest.raises(ProgrammingError, match="PASSING"):
        ask("select * from passing")


def test_a_transaction_is_kept_or_undone(ask, things):
    ask("begin")
    ask("delete from things")
    ask("rollback")
    assert ask("select count(*) from things") == [(2,)]
    ask("begin transaction")
    ask("delete from things")
    ask("commit")
    assert ask("select count(*) from things") == [(0,)]


@pytest.mark.parametrize(
    "definition",
    [
        "create table other (id int)",
        "create temporary table other (id int)",
        "create function f(a float) returns float as 'a'",
        "create stage other",
        "alter table things add column more int",
        "drop table if exists nothing",
    ],
)
def test_a_definition_commits_what_is_open(ask, things, definition):
    ask("begin")
    ask("delete from things where id = 1")
    ask(definition)
    ask("rollback")
    assert ask("select id from things") == [(2,)]


def test_asof_join_pads_with_nulls(ask):
    ask("create table l (k int, at timestamp)")
    ask("create table r (k int, at timestamp, v int)")
    ask("insert into l values (1, '2013-01-02'), (1, '2013-01-04'), (2, '2013-01-02')")
    ask("insert into r values (1, '2013-01-01', 10), (1, '2013-01-03', 11)")
    sql = "select l.k, r.v from l asof join r match_condition (l.at >= r.at) on l.k = r.k order by l.k, l.at"
    assert ask(sql) == [(1, 10), (1, 11), (2, None)]


@pytest.mark.parametrize(
    "sql",
    [
        "select l.k from l asof join r on l.k = r.k and l.at >= r.at",
        "select l.k from l asof join r match_condition (r.at <= l.at) on l.k = r.k",
        "select l.k from l asof join r match_condition (l.at = r.at) on l.k = r.k",
    ],
)
def test_asof_join_is_written_as_on_snowflake(ask, sql):
    ask("create table l (k int, at timestamp)")
    ask("create table r (k int, at timestamp)")
    with pytest.raises(ProgrammingError, match=r"(?i)match_condition"):
        ask(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "foo bar",
        "create dynamic table d target_lag = '1 day' warehouse = w as select 1 as a",
        "create iceberg table d (a int)",
        "copy into things from @somewhere",
        "execute immediate 'select 1'",
        "alter session set autocommit = false",
        "create function f(a float) returns table (b float) as 'select a'",
        "create function f(a float) returns float language javascript as 'return A'",
        "create stage s url = 's3://somewhere'",
        "show regions",
        "vacuum",
        "pragma version",
        "set x = 1",
    ],
)
def test_what_it_does_not_know_fails(ask, warehouse, sql):
    with pytest.raises(ProgrammingError):
        ask(sql)
    assert [record.kind for record in warehouse.records if record.sql == sql] == ["failed"]


@pytest.mark.parametrize(
    "sql",
    [
        "select strftime(at, '%Y') from things",
        "select isodow(at) from things",
        "select epoch(at) from things",
        "select quantile_cont(id, 0.5) from things",
        "select count(*) filter (where id > 1) from things",
        "select cast(id as hugeint) from things",
        "select list_transform([id], x -> x + 1) from things",
        "create table t (a blob)",
        "select * from range(10)",
        "select unnest([1, 2])",
        "select * from generate_series(1, 3)",
    ],
)
def test_what_only_duckdb_has_fails(ask, things, sql):
    with pytest.raises(ProgrammingError):
        ask(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "grant usage on database d to role r",
        "create warehouse if not exists w warehouse_size = 'XSMALL'",
        "create resource monitor m with credit_quota = 1",
        "use warehouse w",
        "use role r",
        "alter session set statement_timeout_in_seconds = 60",
    ],
)
def test_what_it_only_accepts_is_on_record_as_accepted(ask, warehouse, sql):
    ask(sql)
    assert [record.kind for record in warehouse.records if record.sql == sql] == ["accepted"]


def test_the_record_tells_what_came_to_the_client(ask, warehouse, things):
    ask("alter session set query_tag = 'snowml'")
    ask("select * from things")
    ask("create table copied as select * from things")
    fetched, copied = warehouse.records[-2:]
    assert (fetched.kind, fetched.rows, fetched.origin, fetched.query_tag) == (
        "executed",
        2,
        "client",
        "snowml",
    )
    assert fetched.bytes > 0
    assert (copied.rows, copied.bytes) == (0, 0)


def test_snowpark_reads_and_writes_tables(session):
    frame = session.create_dataframe([[1, 2.5, "x"], [2, None, None]], schema=["id", "value", "label"])
    frame.write.mode("append").save_as_table("written")
    read = session.table("written").order_by("id")
    assert [tuple(row) for row in read.collect()] == [(1, 2.5, "x"), (2, None, None)]
    assert read.schema.names == ["ID", "VALUE", "LABEL"]
    assert read.filter(read["value"] > 1).count() == 1
    assert list(read.to_pandas()["ID"]) == [1, 2]


def test_the_session_knows_its_place(ask, warehouse):
    sql = "select current_database(), current_schema(), current_role(), current_warehouse()"
    assert ask(sql) == [(warehouse.database, "PUBLIC", "STANDIN", "STANDIN")]
    ask("create schema other")
    ask("use schema other")
    assert ask("select current_schema() as s") == [("OTHER",)]


def test_a_moment_is_written_as_its_format_says(ask, things):
    sql = """select to_char(at, 'YYYYMMDD"T"HH24MI') as a from things order by id"""
    assert ask(sql) == [("20130101T1200",), (None,)]
    with pytest.raises(ProgrammingError, match="the format"):
        ask("select to_char(at, 'YYYY-WW') as a from things")


def test_the_answer_to_an_earlier_statement_is_a_table(connection):
    cursor = connection.cursor().execute("show schemas")
    query = cursor.sfqid
    found = cursor.execute(
        f"""select "name" from table(result_scan('{query}')) where "name" = 'PUBLIC'"""
    ).fetchall()
    assert found == [("PUBLIC",)]
    with pytest.raises(ProgrammingError, match="not found"):
        cursor.execute("select * from table(result_scan('nothing'))")


def test_what_a_client_asks_before_it_runs_a_statement(connection, things):
    described = connection.cursor().describe("select id, at, label from things where id = ?")
    assert [column.name for column in described] == ["ID", "AT", "LABEL"]
