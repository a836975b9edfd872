"""What the stand-in does otherwise than Snowflake is as listed; where one of these fails, take it off the list."""

import pytest
from snowflake_errors import ProgrammingError
from standin.deviations import DEVIATIONS


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda deviation: deviation.name)
def test_the_deviation_is_still_there(ask, deviation):
    for sql in deviation.before:
        if sql.startswith("fails: "):
            with pytest.raises(ProgrammingError):
                ask(sql.removeprefix("fails: "))
        else:
            ask(sql)
    if isinstance(deviation.here, str):
        with pytest.raises(ProgrammingError, match=deviation.here):
            ask(deviation.sql)
    else:
        assert ask(deviation.sql) == deviation.here


def test_a_transaction_that_duckdb_gave_up_is_not_said_to_be_kept(ask):
    ask("create table t (a int)")
    ask("begin")
    ask("insert into t values (1)")
    with pytest.raises(ProgrammingError):
        ask("select cast('x' as int)")
    with pytest.raises(ProgrammingError, match="cannot commit"):
        ask("commit")
    assert ask("select count(*) from t") == [(0,)]
