"""Sessions that end in mid-run, statements that are canceled, and commands that meet on one account."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import handmade
import pyarrow as pa
import pytest

pytest.importorskip("snowflake.snowpark", reason="the extra 'snowflake' is not installed")

from snowflake_target import open_standin
from training_set import fill

from snowml.engines.snowflake.errors import SessionLost
from snowml.errors import RetryableError, TerminalError
from snowml.names import Relation
from snowml.registry.store import Registry
from snowml.workflows.batch import predict_batch
from snowml.workflows.monitor import monitor
from snowml.workflows.promote import promote
from snowml.workflows.specs import Located
from snowml.workflows.train import train

CODES = ("390104", "390111", "390114")


@pytest.fixture
def engine(snowflake_engine):
    return snowflake_engine


@pytest.fixture
def table(engine):
    relation = Relation("main", "things", engine.database)
    engine.execute(f"create table {relation.sql('snowflake')} (id bigint)")
    return relation


def expire(warehouse, at, code="390111"):
    warehouse.server.trouble(warehouse.database, at=at, code=code)


@pytest.mark.parametrize("code", CODES)
def test_a_read_whose_session_is_gone_is_repeated_in_a_new_one(engine, table, warehouse, code):
    engine.insert(table, [{"id": 1}])
    old = engine.session
    expire(warehouse, 1, code)
    assert engine.query(f"select * from {table.sql('snowflake')}").to_pylist() == [{"id": 1}]
    assert engine.session is not old


def test_a_write_is_not_repeated_and_the_next_statement_has_a_session(engine, table, warehouse):
    expire(warehouse, 1)
    with pytest.raises(SessionLost, match=r"changes something was answered\. Run the same again") as caught:
        engine.insert(table, [{"id": 1}])
    assert (caught.value.exit_code, "390111" in str(caught.value)) == (3, True)
    engine.insert(table, [{"id": 2}])
    assert engine.query(f"select * from {table.sql('snowflake')}").to_pylist() == [{"id": 2}]


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_of_a_transaction_all_is_kept_or_nothing_and_one_is_told(engine, table, warehouse, at):
    def transfer():
        with engine.transaction():
            engine.insert(table, [{"id": 1}])
            engine.query(f"select * from {table.sql('snowflake')}")
            engine.insert(table, [{"id": 2}])

    expire(warehouse, at)
    if at == 1:  # BEGIN, before anything was written
        transfer()
    else:
        with pytest.raises(SessionLost, match=r"nothing is kept|was answered"):
            transfer()
    rows = engine.query(f"select count(*) as n from {table.sql('snowflake')}")["n"][0].as_py()
    assert rows == (2 if at == 1 else 0)


@pytest.mark.parametrize("at", [2, 3, 4])
def test_a_temporary_table_is_not_believed_to_be_there_in_another_session(engine, warehouse, at):
    rows = pa.table({"x": pa.array([1.5])})
    engine.database  # noqa: B018  # asked once
    expire(warehouse, at)

    def read():
        with engine.temporary(rows, schema="main") as name:
            return engine.query(f"select * from {name.sql('snowflake')}").to_pylist()

    if at == 4:  # the DROP: the table went with its session
        assert read() == [{"x": 1.5}]
    else:
        with pytest.raises(SessionLost, match=r"temporary tables with it\. Run the same again"):
            read()
    assert engine.query("select 1 as one").to_pylist() == [{"one": 1}]


def test_a_session_that_is_lost_twice_is_a_failure(engine, warehouse, monkeypatch):
    renew = type(engine)._renew

    def and_again(self):
        renew(self)
        expire(warehouse, 1)

    monkeypatch.setattr(type(engine), "_renew", and_again)
    expire(warehouse, 1)
    with pytest.raises(SessionLost):
        engine.query("select 1 as one")


def test_a_session_lent_by_a_procedure_is_not_replaced(engine, warehouse):
    from snowml.engines.factory import engine_for

    lent = engine_for(engine.session)
    expire(warehouse, 1)
    with pytest.raises(SessionLost):
        lent.query("select 1 as one")


CLIENT = {"oauth_client_id": "client-of-mine", "oauth_client_secret": "secret-of-mine"}


def tokens(engine):
    return engine.session.connection._token


def test_a_refresh_token_is_exchanged_at_each_login(warehouse):
    engine = open_standin(
        warehouse, authenticator="oauth", token="refresh-of-mine", password=None, user=None, **CLIENT
    )
    try:
        first = tokens(engine)
        expire(warehouse, 1)
        assert engine.query("select 1 as one").to_pylist() == [{"one": 1}]
        assert tokens(engine) != first
        assert tokens(engine).startswith("access-")
        with pytest.raises(TerminalError) as caught:
            engine.query(f"select '{tokens(engine)}' from there_is_no_such_table")
        assert tokens(engine) not in str(caught.value)
    finally:
        engine.close()


@pytest.mark.parametrize(
    "wrong", [{"token": "another-of-mine"}, {"oauth_client_secret": "no-secret-of-mine"}]
)
def test_a_refresh_token_that_is_refused_is_told_and_not_shown(warehouse, wrong):
    settings = {"authenticator": "oauth", "token": "refresh-of-mine", **CLIENT, **wrong}
    with pytest.raises(TerminalError, match=r"refused the OAuth refresh token.*log in with") as caught:
        open_standin(warehouse, **settings)
    assert "of-mine" not in str(caught.value)


def test_a_rotated_token_file_is_read_at_the_next_login_and_an_expired_one_is_told(warehouse, tmp_path):
    file = tmp_path / "token"
    file.write_text("access-of-today\n")
    settings = {"authenticator": "oauth", "token_file_path": str(file), "password": None}
    engine = open_standin(warehouse, **settings)
    try:
        file.write_text("access-of-tomorrow\n")
        expire(warehouse, 1)
        engine.query("select 1 as one")
        assert tokens(engine) == "access-of-tomorrow"
        file.write_text("yesterdays")
        expire(warehouse, 1)
        with pytest.raises(TerminalError, match=r"access token expired\. Is the profile's token still valid"):
            engine.query("select 1 as one")
    finally:
        engine.close()


def located():
    return Located(handmade.spec(), None)


def trained(engine, registry):
    return train(engine, registry, located(), as_of=handmade.AS_OF, now=handmade.NOW)


# One of each part of a training: reading, the registry's tables, the transaction, functions, the certificate.
SAMPLE = 5


def test_wherever_the_session_ends_a_training_is_whole_or_can_be_run_again(engine, warehouse, monkeypatch):
    """Not the native models, which take a second a training: they have a test of their own."""
    from snowml.workflows import train as module

    monkeypatch.setattr(module, "follow", lambda *_: False)
    fill(engine)
    registry = Registry(engine, "snowml")
    expire(warehouse, 0)
    trained(engine, registry)
    statements = warehouse.server.seen(warehouse.database)
    assert statements > 30
    lost = 0
    for at in range(1, statements, statements // SAMPLE):
        before = len(registry.versions(handmade.MODEL))
        expire(warehouse, at)
        try:
            trained(engine, registry)
        except SessionLost:
            lost += 1
        expire(warehouse, 0)
        assert_whole(engine, registry, before)
    assert lost > 0
    assert trained(engine, registry).passed


def assert_whole(engine, registry, before):
    versions = registry.versions(handmade.MODEL)
    assert len(versions) - before in (0, 1)
    runs = {row["run_id"] for row in registry.runs(handmade.MODEL)}
    statuses = registry.statuses(handmade.MODEL)
    for version in versions:
        assert version.run_id in runs
        assert statuses[version.version] == "approved"
        assert registry.artifact(version)
        assert registry.baselines(version)
    assert len(runs) == len(versions)


def counts(registry):
    tables = [registry.table(name).sql("snowflake") for name in ("drift", "performance")]
    return [registry.engine.query(f"select count(*) as n from {table}")["n"][0].as_py() for table in tables]


def test_wherever_the_session_ends_each_row_is_scored_once_and_each_window_kept_once(engine, warehouse):
    fill(engine)
    registry = Registry(engine, "snowml")
    trained(engine, registry)
    promote(engine, registry, handmade.MODEL, now=handmade.NOW)
    home = Relation("main", f"{handmade.MODEL}_predictions", engine.database).sql("snowflake")

    def scored():
        return predict_batch(engine, registry, located(), as_of=handmade.AS_OF).scored

    expire(warehouse, 0)
    assert scored() == 200
    statements = warehouse.server.seen(warehouse.database)
    lost = 0
    for at in range(statements % 3 or 3, statements + 1, 3):
        engine.execute(f"delete from {home}")
        expire(warehouse, at)
        try:
            scored()
        except SessionLost:
            lost += 1
            rows = engine.query(f"select count(*) as n from {home}")["n"][0].as_py()
            assert rows in (0, 200)
        scored()
        found = engine.query(f"select count(*) as n, count(distinct id) as ids from {home}").to_pylist()
        assert found == [{"n": 200, "ids": 200}]
    assert 0 < lost < statements // 3

    def monitored():
        window = timedelta(days=30)
        return monitor(engine, registry, located(), as_of=handmade.AS_OF, window=window).summary()

    expire(warehouse, 0)
    expected = monitored()
    statements = warehouse.server.seen(warehouse.database)
    kept = counts(registry)
    lost = 0
    for at in range(statements % 4 or 4, statements + 1, 4):
        expire(warehouse, at)
        try:
            assert monitored() == expected
        except SessionLost:
            lost += 1
        expire(warehouse, 0)
        # The same window is kept once, whole.
        assert counts(registry) == kept
    assert 0 < lost < statements // 4


def test_two_promotions_at_once_leave_one_event(engine, warehouse):
    fill(engine)
    registry = Registry(engine, "snowml")
    trained(engine, registry)
    others = [open_standin(warehouse) for _ in range(2)]

    def promoted(other):
        try:
            return promote(other, Registry(other, "snowml"), handmade.MODEL, now=handmade.NOW).version.version
        except RetryableError as error:
            return error

    try:
        with ThreadPoolExecutor(2) as threads:
            found = list(threads.map(promoted, others))
    finally:
        for other in others:
            other.close()
    assert 1 in found, found
    events = [event.event for event in registry.events(handmade.MODEL)]
    assert events.count("promoted") == 1
    assert promote(engine, registry, handmade.MODEL, now=handmade.NOW).version.version == 1
    assert registry.champions(handmade.MODEL) == [1]


def test_two_trainings_at_once_get_numbers_of_their_own_or_are_told_to_come_again(engine, warehouse):
    fill(engine)
    registry = Registry(engine, "snowml").create()
    others = [open_standin(warehouse) for _ in range(2)]

    def attempt(other):
        try:
            return trained(other, Registry(other, "snowml")).version.version
        except RetryableError as error:
            return error

    try:
        with ThreadPoolExecutor(2) as threads:
            found = list(threads.map(attempt, others))
    finally:
        for other in others:
            other.close()
    made = [one for one in found if isinstance(one, int)]
    assert made, found
    assert [version.version for version in registry.versions(handmade.MODEL)] == sorted(made)
    assert_whole(engine, registry, 0 if len(made) == 1 else 1)


COMMAND = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from standin import StandIn
from snowflake_target import open_standin
from snowml import cli

class Place:
    server, database = StandIn(), {database!r}
    parameters = property(lambda self: self.server.parameters(self.database))

Place.server.port = {port}

@cli.cli.command()
def wait():
    engine = open_standin(Place())
    import pyarrow as pa
    try:
        with engine.temporary(pa.table({{"x": [1.5]}}), schema="main"):
            engine.query("select 1 as held_statement")
    finally:
        engine.close()

sys.argv = ["snowml", "wait"]
cli.main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_stopped_cancels_its_statement_and_leaves_nothing(engine, warehouse, number):
    warehouse.server.trouble(warehouse.database, hold="held_statement")
    tests = Path(__file__).parents[1]
    code = COMMAND.format(
        paths=[str(tests / "support"), str(tests / "snowflake")],
        database=warehouse.database,
        port=warehouse.server.port,
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    until(lambda: warehouse.server.holds(warehouse.database) or process.poll() is not None)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, ""), err
    assert err.strip() == "stopped."
    (held,) = [record for record in warehouse.records if "held_statement" in record.sql]
    assert (held.kind, held.error) == ("failed", "SQL execution canceled")
    # Snowpark's word at the end, and what we did before it.
    *_, drop, goodbye = [record.sql for record in warehouse.records if record.session == held.session]
    assert drop.startswith("drop table if exists")
    assert "cancel_all_queries" in goodbye


def until(done):
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_statement_beyond_its_timeout_is_told_with_the_setting(engine, warehouse):
    other = open_standin(warehouse, statement_timeout=1)
    try:
        warehouse.server.trouble(warehouse.database, hold="held_statement")
        with pytest.raises(TerminalError, match=r"timeout of 1 second.*statement_timeout in the profile"):
            other.query("select 1 as held_statement")
        assert other.query("select 2 as two").to_pylist() == [{"two": 2}]
    finally:
        other.close()
