"""The stand-in as a test sees it: a process to start, to ask for databases and records, and to stop."""

import json
import os
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from standin.records import Record

HERE = Path(__file__).parents[1]


@dataclass
class StandIn:
    """The server; `python` is the interpreter that functions and procedures run in."""

    python: str = sys.executable
    log: Path | None = None

    def __enter__(self) -> Self:
        environment = {
            **os.environ,
            "PYTHONPATH": str(HERE),
            "PYTHONWARNINGS": "ignore",
            "PYTHONUNBUFFERED": "1",
        }
        command = [sys.executable, "-m", "standin.server", "--python", self.python]
        with (self.log or Path(os.devnull)).open("w") as log:
            # The server ends when this process does, however it ends: its standard input is closed then.
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment, text=True
            )
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(
                f"The stand-in did not start: exit code {self._process.wait()}. See {self.log}."
            )
        self.port = json.loads(line)["port"]
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def create_database(self, name: str) -> None:
        """An empty database with the schema PUBLIC; the name in upper case."""
        self._ask("create", name)

    def drop_database(self, name: str) -> None:
        """The database and all that is in it, from functions to models."""
        self._ask("drop", name)

    def records(self, database: str | None = None) -> list[Record]:
        """The statements of the sessions that logged in to `database`, or of all."""
        return [Record(**one) for one in self._ask("records", database)]

    def parameters(self, database: str, schema: str = "PUBLIC") -> dict[str, Any]:
        """For `snowflake.connector.connect` and Snowpark's `Session.builder.configs`."""
        return {
            "account": "standin",
            "user": "snowml",
            "password": "none",
            "protocol": "http",
            "host": "127.0.0.1",
            "port": self.port,
            "database": database,
            "schema": schema,
            # A request that fails is otherwise repeated for ever.
            "network_timeout": 60,
            "login_timeout": 10,
            "session_parameters": {
                "CLIENT_TELEMETRY_ENABLED": False,
                "CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False,
            },
        }

    def trouble(self, database: str, *, at: int = 0, code: str = "390111", hold: str = "") -> None:
        """Begin to count the statements of the database's clients, and let something go wrong: see `troubles`."""
        self._ask("trouble", database, at=at, code=code, hold=hold)

    def seen(self, database: str) -> int:
        """How many statements of its clients have come since `trouble`."""
        return int(self._ask("seen", database)["statements"])

    def holds(self, database: str) -> bool:
        """Whether a statement has come that is held."""
        return bool(self._ask("seen", database)["held"])

    def _ask(self, what: str, database: str | None, **more: Any) -> Any:
        body = json.dumps({"database": database, **more}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/standin/{what}", data=body, method="POST"
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        if isinstance(answer, dict) and not answer["success"]:
            raise RuntimeError(answer["message"])
        return answer
