"""From a profile or a session to an engine."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from snowml.engines.base import Engine
from snowml.errors import ProjectError

if TYPE_CHECKING:
    from snowml.engines.duckdb.connection import DuckDBFile
    from snowml.engines.profile import Target

Notify = Callable[[str], None]


def open_engine(target: "Target", *, read_only: bool = False, notify: Notify | None = None) -> Engine:
    """A session of the profile's warehouse; a project's relative DuckDB path is its folder's by now.

    Args:
        target: The profile's output.
        read_only: Open a DuckDB file without the right to write; on Snowflake a role's rights decide.
        notify: Told once, in a sentence, when it has to wait for a DuckDB file.

    Raises:
        ProjectError: The profile's type is not one that snowml knows, its client is not installed, or a setting is
            missing.
        RetryableError: The warehouse is in use or out of reach; TerminalError: it refused the login.
    """
    if target.type == "duckdb":
        from snowml.engines.duckdb.engine import DuckDBEngine

        return DuckDBEngine(duckdb_file(target).open(read_only=read_only, notify=notify))
    if target.type == "snowflake":
        return _open_snowflake(target)
    raise ProjectError(
        f"{target.file}: the target '{target.name}' is of type '{target.type}'; snowml knows duckdb and snowflake."
    )


def duckdb_file(target: "Target") -> "DuckDBFile":
    """The file of a DuckDB target, with the configuration that dbt gives it."""
    from snowml.engines.duckdb.connection import DuckDBFile

    settings = target.settings
    path = str(settings.get("path", ":memory:"))
    if path != ":memory:":
        path = str(target.file.parent / Path(path).expanduser())
    return DuckDBFile(
        path=path,
        config={key: str(value) for key, value in (settings.get("config_options") or {}).items()},
        settings={key: str(value) for key, value in (settings.get("settings") or {}).items()},
        schema=target.schema,
    )


def engine_for(session: object) -> Engine:
    """The engine of a live session, recognised by what it can do: procedures are handed one.

    Raises:
        ProjectError: It is no session of a warehouse that snowml knows.
    """
    if hasattr(session, "create_function") and hasattr(session, "execute"):
        from snowml.engines.duckdb.engine import DuckDBEngine

        return DuckDBEngine(session)  # type: ignore[arg-type]
    if hasattr(session, "connection") and hasattr(session, "file"):
        from snowml.engines.snowflake.engine import SnowflakeEngine

        return SnowflakeEngine(session)  # type: ignore[arg-type]
    raise ProjectError(f"{type(session).__name__} is not a session of DuckDB or Snowflake.")


def _open_snowflake(target: "Target") -> Engine:
    try:
        from snowml.engines.snowflake.connection import SnowflakeLogin
        from snowml.engines.snowflake.engine import SnowflakeEngine
    except ImportError as error:
        raise ProjectError(
            f"The target '{target.name}' is of type snowflake, and its client is not installed ({error.name}). "
            "Install snowml with the extra 'snowflake': pip install '.[snowflake]' in its clone."
        ) from error
    return SnowflakeEngine.open(SnowflakeLogin.of(target))
