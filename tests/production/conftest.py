"""What an account has of its own, and what happens to sessions there, on an engine of each kind."""

from engine_fixtures import duckdb_engine, engine, only, snowflake_engine  # noqa: F401
