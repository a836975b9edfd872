"""A strict stand-in for Snowflake's HTTP side, for its unmodified Python clients.

It runs in a process of its own (`StandIn`), on fakesnow's translation of Snowflake's SQL to DuckDB. It executes what
snowml needs, records what it only accepts, and refuses the rest. What it does otherwise than Snowflake is in
deviations.py. Nothing that passes here has met an account: rights, packages, costs, concurrency and speed are
Snowflake's own.
"""

from standin.client import Record, StandIn

__all__ = ["Record", "StandIn"]
