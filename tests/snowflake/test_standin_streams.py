"""Streams on the stand-in: what was added since it was taken last, and nothing of a table that was made anew."""

import pytest
from snowflake.connector.errors import ProgrammingError

STREAM = "create or replace stream s on table t append_only = true show_initial_rows = true comment = 'ours'"


@pytest.fixture
def stream(ask):
    ask("create table t (a int)")
    ask("insert into t values (1), (2)")
    ask(STREAM)
    ask("create table taken (n int)")
    return "s"


def has_data(ask):
    return ask("select system$stream_has_data('s')") == [(True,)]


def test_a_question_leaves_it_and_what_writes_moves_it_on(ask, stream):
    assert has_data(ask)
    assert ask("select count(*) from s") == [(2,)]
    assert has_data(ask)
    ask("insert into taken select count(*) from s")
    assert ask("select n from taken") == [(2,)]
    assert not has_data(ask)
    ask("insert into t values (3)")
    assert ask("select a from s") == [(3,)]


def test_what_is_rolled_back_was_not_taken(ask, stream):
    ask("begin")
    ask("insert into taken select count(*) from s")
    ask("rollback")
    assert ask("select count(*) from s") == [(2,)]


def test_it_may_begin_with_what_comes_after_it(ask, stream):
    ask("create or replace stream s on table t append_only = true")
    assert not has_data(ask)


def test_it_is_listed_and_stale_once_its_table_was_made_anew(ask, stream, warehouse):
    place = f"{warehouse.database}.public"
    assert [(row[1], row[4], row[6]) for row in ask(f"show streams in schema {place}")] == [
        ("S", "ours", "false")
    ]
    ask("create or replace table t (a int)")
    assert [row[6] for row in ask(f"show streams in schema {place}")] == ["true"]
    with pytest.raises(ProgrammingError, match="cannot read from stream 'S'"):
        ask("select count(*) from s")
    ask("drop stream s")
    assert ask(f"show streams in schema {place}") == []


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("create stream x on table nothing append_only = true", "NOTHING"),
        ("create stream x on table t", "APPEND_ONLY"),
        ("create stream x on table t append_only = true color = red", "option COLOR"),
        ("create stream s on table t append_only = true", "already exists"),
        ("drop stream x", "X"),
        ("select system$stream_has_data('x')", "X"),
    ],
)
def test_what_an_account_refuses_is_refused(ask, stream, sql, told):
    with pytest.raises(ProgrammingError, match=told):
        ask(sql)
