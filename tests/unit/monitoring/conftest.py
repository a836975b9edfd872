import duckdb
import pytest


class LocalEngine:
    """As much of an engine as monitoring needs, in memory; it remembers how much left the warehouse."""

    name = "duckdb"

    def __init__(self):
        self.connection = duckdb.connect()
        self.rows_fetched = 0

    def query(self, sql, params=()):
        answer = self.connection.sql(sql, params=list(params)).to_arrow_table()
        self.rows_fetched += answer.num_rows
        return answer

    def table(self, name, frame):
        self.connection.register("frame", frame)
        self.connection.execute(f'create or replace table "{name}" as select * from frame')


@pytest.fixture
def engine():
    engine = LocalEngine()
    yield engine
    engine.connection.close()
