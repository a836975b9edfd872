"""dbt inside the process: one runner, its progress told, its file lock given back, its failures as our errors."""

import contextlib
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snowml.errors import ProjectError, RetryableError, SnowmlError, TerminalError
from snowml.progress import Progress, Silent, Step
from snowml.workflows.outcome import Node, Outcome, TestsFailed, outcome_of, with_rows
from snowml.workflows.project import Project

_QUIET = [
    "--log-level",
    "none",
    "--log-level-file",
    "debug",
    "--no-version-check",
    "--no-send-anonymous-usage-stats",
]
# What a node's message holds where the warehouse failed; any other error is the node's own SQL.
_WAREHOUSE = (
    "IO Error",
    "Out of Memory",
    "Could not set lock",
    "INTERNAL Error",
    "Connection",
    "Failed to connect",
)
# DuckDB's sentence about a file that another process has open.
_LOCKED = re.compile(r"Could not set lock on file \"?([^\"]*)\"?: .*?PID (\d+)", re.DOTALL)
# dbt's exceptions that mean: the project, not the warehouse.
_USAGE = (
    "Usage",
    "Parsing",
    "Compilation",
    "Validation",
    "Yaml",
    "DbtProject",
    "DbtProfile",
    "Dependency",
    "Ambiguous",
)


@dataclass(slots=True)
class Dbt:
    """dbt, for one project and target."""

    project: Project
    progress: Progress = field(default_factory=Silent)
    # The parsed project by vars: parsing takes seconds, and vars are rendered into it.
    _parsed: dict[str, Any] = field(default_factory=dict)

    def install_packages(self) -> None:
        """`dbt deps`, where packages are declared but not there."""
        declared = self.project.folder / "packages.yml"
        if declared.is_file() and not (self.project.folder / "dbt_packages").is_dir():
            self._invoke("deps", [])

    def manifest(self, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The parsed project as dbt's manifest, a dictionary.

        Raises:
            ProjectError: dbt cannot parse it.
        """
        manifest: dict[str, Any] = self._parse(self._vars(variables)).writable_manifest().to_dict()
        return manifest

    def build(
        self,
        *,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        changed_since: Path | None = None,
        variables: Mapping[str, Any] | None = None,
        full_refresh: bool = False,
        store_failures: bool = False,
        title: str = "dbt build",
    ) -> Outcome:
        """`dbt build`: the models, their tests and unit tests, in order.

        Args:
            select: Which nodes, as dbt selects them.
            exclude: Which not.
            changed_since: The folder of an earlier manifest: only what has changed since, and what depends on it.
            variables: Vars, over the project's.
            full_refresh: Rebuild incremental models from nothing.
            store_failures: Keep the rows that tests find in tables.
            title: What the step is called.

        Raises:
            ProjectError: The project or the selection is wrong, or a model cannot be built.
            TestsFailed: A test failed.
            TerminalError: The warehouse failed.
        """
        given = self._vars(variables)
        args = [*given, *(["--full-refresh"] if full_refresh else [])]
        args += ["--store-failures"] if store_failures else []
        if changed_since:
            args += ["--select", "state:modified+", "--state", str(changed_since)]
        elif select:
            args += ["--select", *select]
        args += ["--exclude", *exclude] if exclude else []
        with self.progress.step(title) as step:
            result = self._invoke("build", args, step=step, parsed=self._parse(given))
            results = getattr(result, "results", ())
            if not results and not changed_since:
                raise ProjectError(
                    f"dbt found nothing to build for the selection: {' '.join(select) or 'everything'}."
                )
            outcome = outcome_of(results)
            _raise_for(outcome)
            outcome = with_rows(outcome, results, self.project)
            if any(node.status == "fail" for node in outcome.nodes):
                raise TestsFailed(outcome)
            step.outcome(_summary(outcome) or "nothing changed")
        return outcome

    def rebuild(
        self,
        models: Sequence[str],
        rewrite: Callable[[Any], None],
        *,
        variables: Mapping[str, Any] | None = None,
        step: Step | None = None,
    ) -> None:
        """`dbt run` of some models, by their unique ids, on a copy of the parsed project that `rewrite` may change.

        No hook at the start or the end of a run is called, and nothing of the project's own `target` is touched.

        Raises:
            ProjectError: A model cannot be built; TerminalError: the warehouse failed.
        """
        given = self._vars(variables)
        copy = self._parse(given).deepcopy()
        copy.nodes = {uid: node for uid, node in copy.nodes.items() if not uid.startswith("operation.")}
        rewrite(copy)
        # What macros see of the project in `graph`.
        copy.build_flat_graph()
        selected = [f"fqn:{'.'.join(copy.nodes[uid].fqn)}" for uid in models]
        args = [*given, "--full-refresh", "--no-write-json", "--select", *selected]
        result = self._invoke("run", args, step=step, parsed=copy, target_path="audit")
        _raise_for(outcome_of(getattr(result, "results", ())))

    def _parse(self, given: Sequence[str]) -> Any:
        key = " ".join(given)
        if key not in self._parsed:
            self.install_packages()
            self._parsed[key] = self._invoke("parse", given)
        return self._parsed[key]

    def _vars(self, variables: Mapping[str, Any] | None) -> list[str]:
        merged = {**self.project.given_vars, **(variables or {})}
        return ["--vars", json.dumps(merged, default=str)] if merged else []

    def _invoke(
        self,
        command: str,
        args: Sequence[str],
        *,
        step: Step | None = None,
        parsed: Any = None,
        target_path: str = "",
    ) -> Any:
        from dbt.cli.main import dbtRunner

        listener = _Listener(step)
        where = [
            *("--project-dir", str(self.project.folder), "--profiles-dir", str(self.project.profiles_dir)),
            *("--target", self.project.target.name),
        ]
        if command != "deps":
            own = self.project.folder / "target" / self.project.target.name
            where += ["--target-path", str(own / target_path)]
        # dbt-duckdb takes a relative path from the current folder; for our own sessions it is the project's.
        with contextlib.chdir(self.project.folder):
            try:
                runner = dbtRunner(manifest=parsed, callbacks=[listener])
                result = runner.invoke([*_QUIET, command, *where, *args])
            finally:
                _give_back_lock()
                _close_log()
        if isinstance(result.exception, KeyboardInterrupt):
            # The runner makes a result of it, once dbt has canceled what it was running.
            raise KeyboardInterrupt from result.exception
        if result.exception is not None:
            raise _exception(result.exception, listener.errors) from result.exception
        return result.result


class _Listener:
    """Turns dbt's events into progress, and keeps its error lines."""

    def __init__(self, step: Step | None) -> None:
        self.step, self.errors = step, list[str]()
        self._counted = False

    def __call__(self, event: Any) -> None:
        name = event.info.name
        if event.info.level == "error":
            self.errors.append(event.info.msg)
        if self.step is None:
            return
        if name in {"LogStartLine", "LogTestResult", "LogModelResult"} and not self._counted:
            self._counted = True
            self.step.total(int(event.data.total if name == "LogStartLine" else event.data.num_models))
        elif name == "NodeFinished":
            self.step.advance(str(event.data.node_info.node_name))


def _give_back_lock() -> None:
    """Close dbt-duckdb's session: it holds the file's lock for as long as the process lives."""
    with contextlib.suppress(ImportError):
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


def _close_log() -> None:
    """Close the log file that dbt leaves open."""
    log = logging.getLogger("file_log")
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()


def _raise_for(outcome: Outcome) -> None:
    errors = [node for node in outcome.nodes if node.status in {"error", "runtime error"}]
    if errors:
        raise _node_error(errors)


def _node_error(errors: Sequence[Node]) -> SnowmlError:
    lines = "\n".join(f"  {node.name}: {_essence(node.message)}" for node in errors)
    text = f"dbt could not build {len(errors)} node{'s' if len(errors) > 1 else ''}:\n{lines}"
    locked = _locked("\n".join(node.message for node in errors))
    if locked:
        return locked
    warehouse = any(word in node.message for node in errors for word in _WAREHOUSE)
    return TerminalError(text) if warehouse else ProjectError(text)


def _locked(message: str) -> RetryableError | None:
    found = _LOCKED.search(message)
    if not found:
        return None
    return RetryableError(
        f"dbt could not open {found[1]}: process {found[2]} is using it, and DuckDB lets one process write at a time. "
        "Run this again when that one has finished; what was built stays. With `retries: {connect_attempts: 6}` in the "
        "profile dbt waits for it."
    )


def _essence(message: str) -> str:
    """Dbt's message without its heading and its pointers into compiled files."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith(("> in macro", "compiled code at", "> called by"))]
    return " ".join(kept[1:] if len(kept) > 1 and kept[0].endswith(")") else kept)


def _exception(error: BaseException, lines: Sequence[str]) -> SnowmlError:
    text = str(error).strip() or "\n".join(lines) or type(error).__name__
    locked = _locked(text)
    if locked:
        return locked
    if any(word in type(error).__name__ for word in _USAGE):
        return ProjectError(f"dbt: {text}")
    if isinstance(error, OSError) or "IO Error" in text or "Connection" in type(error).__name__:
        return TerminalError(f"dbt: {text}")
    return ProjectError(f"dbt: {text}")


def _summary(outcome: Outcome) -> str:
    counted = [
        (outcome.count("model"), "models"),
        (outcome.count("test"), "tests"),
        (outcome.count("unit_test"), "unit tests"),
        (len(outcome.warnings), "warnings"),
    ]
    return ", ".join(f"{count} {word}" for count, word in counted if count)
