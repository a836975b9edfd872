"""dbt-duckdb's door to the prediction functions: name this module under `plugins:` in the profile."""

from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from snowml.engines.duckdb.functions import attach


class Plugin(BasePlugin):
    """Attaches the file's functions to each of dbt's cursors; dbt-duckdb asks for a class of this name."""

    def configure_cursor(self, cursor: Any) -> None:
        """Temporary macros belong to one cursor, so each new one gets them."""
        if isinstance(cursor, duckdb.DuckDBPyConnection):
            attach(cursor)
