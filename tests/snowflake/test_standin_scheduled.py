"""Tasks and alerts on the stand-in: kept, listed, and refused where an account would refuse them."""

import pytest
from snowflake.connector.errors import ProgrammingError

ROOT = "create task root warehouse = wh schedule = 'USING CRON 0 6 * * * Europe/Berlin' comment = 'ours' as select 1"


def made(ask):
    ask(ROOT)
    ask("create task child warehouse = wh after root as call p()")
    ask("create task last warehouse = wh finalize = root as call p()")


def test_tasks_are_listed_suspended_until_they_are_resumed(ask, warehouse):
    made(ask)
    ask("alter task child resume")
    rows = ask(f"show tasks in schema {warehouse.database}.public")
    assert [(row[1], row[-2]) for row in rows] == [
        ("ROOT", "suspended"),
        ("CHILD", "started"),
        ("LAST", "suspended"),
    ]
    assert rows[0][4] == "ours"
    assert rows[1][-1] == "call p()"
    assert [one.kind for one in warehouse.records if one.sql.startswith("create task")] == ["accepted"] * 3


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("create task a warehouse = wh after nobody as select 1", "NOBODY"),
        ("create task a warehouse = wh as select 1", "either a schedule or predecessors"),
        ("create task a warehouse = wh schedule = '1 MINUTE' after root as select 1", "either a schedule or"),
        ("create task a warehouse = wh schedule = 'daily' as select 1", "invalid schedule 'daily'"),
        (
            "create task a warehouse = wh task_auto_retry_attempts = 1 after root as select 1",
            "root tasks only",
        ),
        ("create task a warehouse = wh color = 'red' after root as select 1", "option COLOR"),
        (
            "create task a warehouse = wh user_task_managed_initial_warehouse_size = 'XSMALL' schedule = '1 MINUTE' "
            "as select 1",
            "exclude each other",
        ),
        (
            "create task a serverless_task_max_statement_size = 'HUGE' schedule = '1 MINUTE' as select 1",
            "invalid size 'HUGE'",
        ),
        (
            "create task a warehouse = wh schedule = '1 MINUTE' when system$stream_has_data('s') as select 1",
            "Stream",
        ),
        ("create task a warehouse = wh schedule = '1 MINUTE' when 1 = 1 as select 1", "in a task's WHEN"),
        ("create task root warehouse = wh schedule = '1 MINUTE' as select 1", "already exists"),
        ("alter task nobody resume", "NOBODY"),
        ("drop task nobody", "NOBODY"),
        ("create alert a warehouse = wh schedule = '1 MINUTE' if (1 = 1) then select 1", "EXISTS"),
    ],
)
def test_what_an_account_refuses_is_refused(ask, sql, told):
    made(ask)
    with pytest.raises(ProgrammingError, match=told):
        ask(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "create or replace task child warehouse = wh after root as select 2",
        "create task more warehouse = wh after child as select 2",
        "drop task child",
        "alter task child suspend",
    ],
)
def test_a_graph_that_runs_is_not_changed(ask, sql):
    made(ask)
    ask("alter task root resume")
    with pytest.raises(ProgrammingError, match="root task is not suspended"):
        ask(sql)
    ask("alter task root suspend")
    ask(sql)


def test_procedures_have_arguments_that_may_be_left_out(ask, warehouse):
    ask(
        "create procedure p(a varchar, b varchar default 'two', c boolean default false) returns varchar "
        "language python runtime_version = '3.11' packages = ('snowflake-snowpark-python') handler = 'run' "
        "as 'def run(session, a, b, c): return f\"{a} {b} {c}\"'"
    )
    assert ask("call p('one')") == [("one two False",)]
    assert ask("call p('one', 'three', true)") == [("one three True",)]
    (row,) = ask(f"show procedures in schema {warehouse.database}.public")
    assert "P(VARCHAR [, VARCHAR] [, BOOLEAN]) RETURN VARCHAR" in row
