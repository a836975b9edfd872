"""dbt-snowflake on the stand-in: a profile that leads there, and dbt in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

from fixtures import Warehouse


def write_profile(folder: Path, warehouse: Warehouse, profile: str, schema: str = "DEV") -> None:
    """`profiles.yml` with one target, `snowflake`."""
    to = warehouse.parameters
    target = {key: to[key] for key in ("account", "user", "password", "host", "port", "protocol")}
    target |= {
        "type": "snowflake",
        "database": to["database"],
        "schema": schema,
        "warehouse": "STANDIN",
        "threads": 2,
    }
    content = {profile: {"target": "snowflake", "outputs": {"snowflake": target}}}
    # JSON is YAML.
    (folder / "profiles.yml").write_text(json.dumps(content))


def dbt(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """dbt as its users start it, in the project's folder."""
    program = "from dbt.cli.main import cli; cli()"
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "PYTHONWARNINGS": "ignore"}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
