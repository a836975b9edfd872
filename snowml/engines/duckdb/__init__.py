"""DuckDB: one file, one writing process, the artifacts inside it."""
