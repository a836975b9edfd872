"""Reading and writing the registry's tables."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from snowml.engines.base import Engine
from snowml.errors import ModelNotFound, NotPromoted, NotTrained, ProjectError, did_you_mean
from snowml.names import Relation
from snowml.records import (
    Bin,
    Decision,
    Drift,
    Parity,
    ParityCheck,
    Performance,
    Reason,
    Run,
    Signature,
    Status,
    StoredRule,
    TaskRun,
    Version,
    VersionEvent,
)
from snowml.registry import history
from snowml.registry.schema import migrate, registry_schemas, schema_version, since


class Registry:
    """The registry in one schema of an engine's database."""

    def __init__(self, engine: Engine, schema: str) -> None:
        self.engine, self.schema = engine, schema

    @classmethod
    def find(cls, engine: Engine, schema: str | None = None) -> "Registry":
        """The registry of this database: the only one there is, or the one in `schema`.

        Raises:
            ProjectError: There is none, or there are several and none was named.
        """
        found = registry_schemas(engine)
        if schema is None and len(found) == 1:
            return cls(engine, found[0])
        if schema is not None and schema.lower() in found:
            return cls(engine, schema)
        if not found:
            raise ProjectError(
                f"Database {engine.database} has no registry yet. Train a model first: snowml train"
            )
        wanted = f"no registry in schema '{schema}'" if schema else "more than one registry; name its schema"
        raise ProjectError(f"Database {engine.database} has {wanted}. Registries: {', '.join(found)}.")

    def create(self) -> "Registry":
        """Create the tables, or migrate them, where that is due."""
        migrate(self.engine, self.schema)
        return self

    @property
    def exists(self) -> bool:
        """Whether the tables are there."""
        return schema_version(self.engine, self.schema) > 0

    def require(self) -> "Registry":
        """This registry, if it is there.

        Raises:
            NotTrained: It is not.
        """
        if not self.exists:
            raise NotTrained(
                f"Nothing is trained yet: {self.engine.database} has no registry in schema {self.schema}. "
                "Train a model: snowml train MODEL"
            )
        return self

    def table(self, name: str) -> Relation:
        """A table of the registry, by its full name."""
        return Relation(self.schema, name, self.engine.database)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and one writer at a time: numbers are given out by looking at the highest one.

        Raises:
            RetryableError: Another session is writing.
        """
        with self.engine.transaction():
            # Two inserts never conflict; two updates of this row do. DuckDB skips one that changes nothing.
            info = self.table("registry_info").sql(self.engine.name)
            for change in ("+ 1", "- 1"):
                self.engine.execute(f"update {info} set schema_version = schema_version {change}")
            yield

    # Specifications

    def record_spec(
        self,
        model: str,
        spec_hash: str,
        spec: str,
        at: datetime,
        *,
        overridden: bool = False,
        git_commit: str | None = None,
    ) -> None:
        """Append a model's resolved specification, unless it is the latest already, of the same commit if one is known.

        One with settings overridden for a single training is kept for that run, and is not the model's own.
        """
        latest = None if overridden else self._latest_spec(model)
        if latest and latest["spec"] == spec and git_commit in (None, latest["git_commit"]):
            return
        last = self._rows("select max(recorded_at) as at from {specs} where model = ?", [model])[0]["at"]
        row = {
            "model": model,
            "spec_hash": spec_hash,
            "spec": spec,
            "overridden": overridden,
            "git_commit": git_commit,
            # Two may come within one second, and clocks go back: the latest is the one recorded last all the same.
            "recorded_at": max(at, last + timedelta(microseconds=1)) if last else at,
        }
        self.engine.insert(self.table("specs"), [row])

    def latest_spec(self, model: str) -> str | None:
        """The model's own specification that was recorded last, as JSON; that of a run if there is no other."""
        latest = self._latest_spec(model)
        return str(latest["spec"]) if latest else None

    def latest_commit(self, model: str) -> str | None:
        """The commit that it was recorded at, where that is known."""
        latest = self._latest_spec(model)
        return latest["git_commit"] if latest else None

    def _latest_spec(self, model: str) -> dict[str, Any] | None:
        # Who only looks does not migrate.
        there = schema_version(self.engine, self.schema) >= since("stream_reads")
        commit = "git_commit" if there else "cast(null as varchar) as git_commit"
        rows = self._rows(
            f"select spec, {commit} from {{specs}} where model = ? order by overridden, recorded_at desc limit 1",
            [model],
        )
        return rows[0] if rows else None

    def spec(self, version: Version) -> str | None:
        """The specification that a version was trained by, as JSON."""
        rows = self._rows(
            "select spec from {specs} where model = ? and spec_hash = ? order by recorded_at desc limit 1",
            [version.model, version.spec_hash],
        )
        return str(rows[0]["spec"]) if rows else None

    def models(self) -> list[str]:
        """The names of all models with a specification."""
        return [row["model"] for row in self._rows("select distinct model from {specs} order by model")]

    # Runs and versions

    def record_run(self, run: Run) -> None:
        """Append a run with its parameters and metrics."""
        row = asdict(run)
        params, metrics = row.pop("params"), row.pop("metrics")
        for name in ("row_counts", "packages", "durations"):
            row[name] = json.dumps(row[name], sort_keys=True)
        with self.engine.transaction():
            self.engine.insert(self.table("runs"), [row])
            self.engine.insert(
                self.table("run_params"),
                [
                    {"run_id": run.run_id, "name": name, "value": json.dumps(value)}
                    for name, value in params.items()
                ],
            )
            self.engine.insert(
                self.table("run_metrics"), [{"run_id": run.run_id, **metric} for metric in metrics]
            )

    def runs(self, model: str) -> list[dict[str, Any]]:
        """A model's runs, newest first, each with `metrics` as split → metric → value, and `baselines` likewise."""
        rows = self._rows("select * from {runs} where model = ? order by started_at desc, run_id", [model])
        metrics = self.metrics(model)
        for row in rows:
            for name in ("row_counts", "packages", "durations"):
                row[name] = json.loads(row[name])
            row["metrics"] = metrics.get(row["run_id"], {})
            row["params"] = self.params(row["run_id"])
        return rows

    def run(self, run_id: str) -> Run:
        """One run, without its metrics.

        Raises:
            ModelNotFound: There is none of that id.
        """
        rows = self._rows("select * from {runs} where run_id = ?", [run_id])
        if not rows:
            raise ModelNotFound(f"The registry {self.schema} has no run '{run_id}'.")
        row = rows[0]
        for name in ("row_counts", "packages", "durations"):
            row[name] = json.loads(row[name])
        return Run(**row, params=self.params(run_id), metrics=())

    def params(self, run_id: str) -> dict[str, Any]:
        """A run's parameters."""
        rows = self._rows("select name, value from {run_params} where run_id = ? order by name", [run_id])
        return {row["name"]: json.loads(row["value"]) for row in rows}

    def metrics(self, model: str) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
        """The metrics of a model's runs: run → predictor → split → metric → value."""
        rows = self._rows(
            "select m.* from {run_metrics} as m inner join {runs} as r on r.run_id = m.run_id where r.model = ? "
            "order by m.run_id, m.predictor, m.split, m.metric",
            [model],
        )
        found: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
        for row in rows:
            splits = found.setdefault(row["run_id"], {}).setdefault(row["predictor"], {})
            splits.setdefault(row["split"], {})[row["metric"]] = row["value"]
        return found

    def next_version(self, model: str) -> int:
        """The number that the next version of a model gets."""
        rows = self._rows(
            "select coalesce(max(version), 0) + 1 as n from {model_versions} where model = ?", [model]
        )
        return int(rows[0]["n"])

    def register(
        self, version: Version, artifact: bytes, baselines: Iterable[Bin], rules: Iterable[StoredRule]
    ) -> None:
        """Append a version with its artifact, what monitoring compares it with, and the event of its registration."""
        row = asdict(version)
        row["signature"] = version.signature.model_dump_json()
        key = {"model": version.model, "version": version.version}
        with self.transaction():
            self.engine.put(self.table("artifacts"), version.artifact, artifact)
            self.engine.insert(self.table("model_versions"), [row])
            self.engine.insert(self.table("baselines"), [{**key, **asdict(item)} for item in baselines])
            self.engine.insert(
                self.table("rules"),
                [{**key, "predictor": rule.predictor, "rule": rule.model_dump_json()} for rule in rules],
            )
            self.record_event(VersionEvent(**key, event="registered", happened_at=version.registered_at))  # type: ignore[arg-type]

    def versions(self, model: str) -> list[Version]:
        """A model's versions, oldest first."""
        rows = self._rows("select * from {model_versions} where model = ? order by version", [model])
        return [_version(row) for row in rows]

    def version(self, model: str, number: int) -> Version:
        """One version.

        Raises:
            NotTrained: The model has no version.
            ModelNotFound: It has no version of that number.
        """
        versions = self.versions(model)
        if not versions:
            raise self.untrained(model)
        for version in versions:
            if version.version == number:
                return version
        known = ", ".join(str(version.version) for version in versions)
        raise ModelNotFound(f"{model} has no version {number}. Versions: {known}.")

    def artifact(self, version: Version) -> bytes:
        """The bytes of a version's artifact."""
        return self.engine.get(self.table("artifacts"), version.artifact)

    def baselines(self, version: Version) -> list[Bin]:
        """The distributions frozen when the version was trained, by column and bin."""
        rows = self._rows(
            "select column_name, kind, bin, lower, upper, category, share, null_rate, row_count from {baselines} "
            "where model = ? and version = ? order by column_name, bin",
            [version.model, version.version],
        )
        return [Bin(**row) for row in rows]

    def rules(self, version: Version) -> list[StoredRule]:
        """The simple predictors that the version was measured beside when it was trained."""
        rows = self._rows(
            "select rule from {rules} where model = ? and version = ? order by predictor",
            [version.model, version.version],
        )
        return [StoredRule.model_validate_json(row["rule"]) for row in rows]

    # Events

    def record_event(self, event: VersionEvent) -> None:
        """Append an event; `seq` puts the events in order."""
        with self.transaction():
            seq = self._rows("select coalesce(max(seq), 0) + 1 as n from {version_events}")[0]["n"]
            self.engine.insert(self.table("version_events"), [{"seq": seq, **asdict(event)}])

    def events(self, model: str) -> list[VersionEvent]:
        """All events of a model, in order."""
        rows = self._rows(
            "select model, version, event, happened_at, detail from {version_events} where model = ? order by seq",
            [model],
        )
        return [VersionEvent(**row) for row in rows]

    def statuses(self, model: str) -> dict[int, Status]:
        """The status of each version, as its events tell it."""
        return history.statuses(self.events(model))

    def champions(self, model: str) -> list[int]:
        """The versions that have been champion and were not rolled back from, the current one last."""
        return history.champions(self.events(model))

    def champion(self, model: str) -> Version:
        """The version that answers `predict_<model>`.

        Raises:
            NotTrained: The model has no version.
            NotPromoted: It has versions but none was promoted.
        """
        rows = self._rows("select version from {champions} where model = ?", [model])
        if rows:
            return self.version(model, rows[0]["version"])
        versions = self.versions(model)
        if not versions:
            raise self.untrained(model)
        raise NotPromoted(
            f"{model} is trained (version {versions[-1].version}) but no version is promoted. "
            f"Promote one: snowml promote {model}"
        )

    def untrained(self, model: str) -> NotTrained | ModelNotFound:
        """The error for a model without versions: not trained yet, or not known at all."""
        if model in self.models():
            return NotTrained(f"{model} has no version yet. Train it: snowml train {model}")
        return self.unknown(model)

    def unknown(self, model: str) -> ModelNotFound:
        """The error for a model that nobody recorded."""
        return ModelNotFound(
            f"The registry {self.schema} knows no model '{model}'.{did_you_mean(model, self.models())}"
        )

    # Audits, parity, drift, performance

    def record_audit(self, checks: Sequence[Mapping[str, object]]) -> None:
        """Append the checks of an audit, a row each."""
        self.engine.insert(self.table("audits"), checks)

    def audits(self, model: str) -> list[dict[str, Any]]:
        """The checks of a model's audits, newest first."""
        return self._rows("select * from {audits} where model = ? order by audited_at desc, name", [model])

    def record_parity(self, parity: Parity) -> None:
        """Append a certificate, or the refusal of one."""
        row = asdict(parity)
        row["row_count"] = row.pop("rows")
        checks = row.pop("checks")
        key = {name: row[name] for name in ("model", "version", "checked_at")}
        with self.engine.transaction():
            self.engine.insert(self.table("parity"), [row])
            self.engine.insert(self.table("parity_checks"), [{**key, **check} for check in checks])

    def parity(self, model: str) -> dict[int, Parity]:
        """The latest certificate of each version."""
        rows = self._rows("select * from {parity} where model = ? order by checked_at", [model])
        found = {row["version"]: row for row in rows}
        # Who only looks does not migrate.
        there = schema_version(self.engine, self.schema) >= since("parity_checks")
        listed = "select * from {parity_checks} where model = ? order by way, kind"
        checks = self._rows(listed, [model]) if there else []
        return {version: _parity(row, checks) for version, row in found.items()}

    def record_monitoring(self, drift: Sequence[Drift], performance: Sequence[Performance]) -> None:
        """Append what monitoring found; found again for the same window at the same moment, it is kept once."""
        with self.engine.transaction():
            for table, found in (("drift", drift), ("performance", performance)):
                for key in {
                    (row.model, row.version, row.window_start, row.window_end, row.monitored_at)
                    for row in found
                }:
                    self.engine.execute(
                        f"delete from {self.table(table).sql(self.engine.name)} "
                        "where model = ? and version = ? and window_start = ? and window_end = ? and monitored_at = ?",
                        key,
                    )
                self.engine.insert(self.table(table), [asdict(row) for row in found])

    def drifted(self, version: Version, since: datetime, until: datetime) -> list[dict[str, Any]] | None:
        """What drifted in the newest window monitored from `since` to `until`, the furthest first; None: there is none.

        Of the version's windows and of those before it: a later one's are not what its training could heed.
        """
        within = "model = ? and version <= ? and window_start >= ? and window_end <= ?"
        key = [version.model, version.version, since, until]
        rows = self._rows(
            "select version, window_start, window_end, column_name, psi, threshold, drifted from {drift} "
            f"where {within} and window_end = (select max(window_end) from {{drift}} where {within}) "
            "order by version desc, psi desc, column_name",
            [*key, *key],
        )
        return (
            [row for row in rows if row["drifted"] and row["version"] == rows[0]["version"]] if rows else None
        )

    # Retraining and tasks

    def record_decision(self, decision: Decision) -> None:
        """Append a decision about retraining."""
        reasons = json.dumps([reason.model_dump() for reason in decision.reasons])
        self.engine.insert(self.table("retrain_decisions"), [{**asdict(decision), "reasons": reasons}])

    def decisions(self, model: str) -> list[Decision]:
        """The decisions about a model, oldest first."""
        rows = self._rows(
            "select * from {retrain_decisions} where model = ? order by decided_at, as_of", [model]
        )
        return [_decision(row) for row in rows]

    def record_task_run(self, run: TaskRun) -> None:
        """Append a task that ended; `seq` puts them in order, since several end within one second."""
        with self.transaction():
            seq = self._rows("select coalesce(max(seq), 0) + 1 as n from {task_runs}")[0]["n"]
            self.engine.insert(self.table("task_runs"), [{"seq": seq, **asdict(run)}])

    def task_runs(
        self,
        *,
        schedule: str | None = None,
        due_at: datetime | None = None,
        task: str | None = None,
        model: str | None = None,
        limit: int | None = None,
    ) -> list[TaskRun]:
        """The tasks that ended, oldest first: of a schedule, a moment, a task, a model; the newest `limit` of them."""
        wanted = {"schedule": schedule, "due_at": due_at, "task": task, "model": model}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = " and ".join(["1 = 1", *(f"{name} = ?" for name in given)])
        rows = self._rows(
            f"select * from {{task_runs}} where {where} order by seq desc"
            + (f" limit {int(limit)}" if limit else ""),
            list(given.values()),
        )
        return [TaskRun(**{name: row[name] for name in row if name != "seq"}) for row in reversed(rows)]

    def messages(self, *, model: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
        """What there is to tell of the models, or of one: the newest, in the order in which it was known."""
        where, params = ("where model = ?", [model]) if model else ("", [])
        rows = self._rows(
            f"select * from {{messages}} {where} order by told_at desc, kind, message limit {int(limit)}",
            params,
        )
        return list(reversed(rows))

    def _rows(self, sql: str, params: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The rows of a query in which `{name}` stands for a table of the registry."""
        rows: list[dict[str, Any]] = self.engine.query(_Named(self).fill(sql), params).to_pylist()
        return rows


class _Named:
    """Puts a registry's full table names into a statement."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def __getitem__(self, name: str) -> str:
        return self.registry.table(name).sql(self.registry.engine.name)

    def fill(self, sql: str) -> str:
        return sql.format_map(self)


def _parity(row: dict[str, Any], checks: Sequence[dict[str, Any]]) -> Parity:
    key = ("version", "checked_at")
    own = [check for check in checks if all(check[name] == row[name] for name in key)]
    listed = tuple(
        ParityCheck(**{name: check[name] for name in ParityCheck.__dataclass_fields__}) for check in own
    )
    return Parity(
        **{name: row[name] for name in Parity.__dataclass_fields__ if name in row},
        rows=row["row_count"],
        checks=listed,
    )


def _version(row: dict[str, Any]) -> Version:
    return Version(**{**row, "signature": Signature.model_validate_json(row["signature"])})


def _decision(row: dict[str, Any]) -> Decision:
    reasons = tuple(Reason.model_validate(item) for item in json.loads(row["reasons"]))
    return Decision(**{**row, "reasons": reasons})
