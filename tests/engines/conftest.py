"""An engine of each kind: what holds for one must hold for all."""

from engine_fixtures import duckdb_engine, engine, only, snowflake_engine  # noqa: F401
