"""The registry's tables: rows are appended, never updated, and what is current is a view over them.

The schema has a number. To change it, add a migration to `MIGRATIONS`; what is there is never edited, so that a file
of any older version migrates forward step by step.
"""

from collections.abc import Iterator, Mapping

from snowml.engines.base import Engine
from snowml.errors import ProjectError
from snowml.names import Dialect, Relation, quoted

_TYPES: Mapping[Dialect, Mapping[str, str]] = {
    "duckdb": {"text": "varchar", "blob": "blob", "time": "timestamp", "int": "bigint"},
    "snowflake": {"text": "varchar", "blob": "binary", "time": "timestamp_ntz", "int": "bigint"},
}

Table = Mapping[str, str]

# Columns by table, with the types of `_TYPES` or SQL's own.
_VERSION_1: Mapping[str, Table] = {
    "specs": {
        "model": "text",
        "spec_hash": "text",
        "spec": "text",
        "overridden": "boolean",
        "recorded_at": "time",
    },
    "runs": {
        "run_id": "text",
        "model": "text",
        "as_of": "time",
        "started_at": "time",
        "spec_hash": "text",
        "git_commit": "text",
        "seed": "int",
        "training_set": "text",
        "fingerprint": "text",
        "row_counts": "text",
        "packages": "text",
        "durations": "text",
    },
    "run_params": {"run_id": "text", "name": "text", "value": "text"},
    "run_metrics": {
        "run_id": "text",
        "split": "text",
        "predictor": "text",
        "metric": "text",
        "value": "double",
    },
    "model_versions": {
        "model": "text",
        "version": "int",
        "run_id": "text",
        "flavor": "text",
        "signature": "text",
        "artifact": "text",
        "spec_hash": "text",
        "registered_at": "time",
    },
    "version_events": {
        "seq": "int",
        "model": "text",
        "version": "int",
        "event": "text",
        "happened_at": "time",
        "detail": "text",
    },
    "artifacts": {"artifact": "text", "chunk": "int", "data": "blob"},
    "parity": {
        "model": "text",
        "version": "int",
        "row_count": "int",
        "max_abs_diff": "double",
        "tolerance": "double",
        "certified": "boolean",
        "checked_at": "time",
    },
    "baselines": {
        "model": "text",
        "version": "int",
        "column_name": "text",
        "kind": "text",
        "bin": "int",
        "lower": "double",
        "upper": "double",
        "category": "text",
        "share": "double",
        "null_rate": "double",
        "row_count": "int",
    },
    "rules": {"model": "text", "version": "int", "predictor": "text", "rule": "text"},
    "drift": {
        "model": "text",
        "version": "int",
        "window_start": "time",
        "window_end": "time",
        "column_name": "text",
        "psi": "double",
        "null_rate": "double",
        "baseline_null_rate": "double",
        "row_count": "int",
        "threshold": "double",
        "drifted": "boolean",
        "monitored_at": "time",
    },
    "performance": {
        "model": "text",
        "version": "int",
        "window_start": "time",
        "window_end": "time",
        "predictor": "text",
        "metric": "text",
        "value": "double",
        "row_count": "int",
        "scored_count": "int",
        "monitored_at": "time",
    },
}

_AUDITS: Mapping[str, Table] = {
    "audits": {
        "model": "text",
        "audited_at": "time",
        "as_of": "time",
        "name": "text",
        "passed": "boolean",
        "detail": "text",
        "cuts": "text",
        "manifest_hash": "text",
        "git_commit": "text",
    },
}

# What a certificate is of, and what it found by way and kind of rows.
_CERTIFICATES: Mapping[str, Table] = {
    "parity": {"engine": "text", "functions": "text", "code": "text", "snowml": "text"},
    "parity_checks": {
        "model": "text",
        "version": "int",
        "checked_at": "time",
        "way": "text",
        "kind": "text",
        "row_count": "int",
        "refused_count": "int",
        "altered_count": "int",
        "differing_count": "int",
        "max_abs_diff": "double",
        "example": "text",
    },
}

_RETRAINING: Mapping[str, Table] = {
    "retrain_decisions": {
        "model": "text",
        "as_of": "time",
        "decided_at": "time",
        "outcome": "text",
        "reasons": "text",
        "detail": "text",
        "based_on": "int",
        "version": "int",
        "champion": "int",
        "metric": "text",
        "challenger_value": "double",
        "champion_value": "double",
    },
}

_TASKS: Mapping[str, Table] = {
    "task_runs": {
        "schedule": "text",
        "task": "text",
        "model": "text",
        "due_at": "time",
        "state": "text",
        "detail": "text",
        "started_at": "time",
        "ended_at": "time",
    },
}

# Several tasks end within one second.
_ORDER_OF_TASKS: Mapping[str, Table] = {"task_runs": {"seq": "int"}}

# How much of the tables that a graph waits for its rounds have taken; and which commit a specification was recorded at.
_STREAMS: Mapping[str, Table] = {
    "stream_reads": {"schedule": "text", "relation": "text", "due_at": "time", "row_count": "int"},
    "specs": {"git_commit": "text"},
}

# What there is to tell, in one place, each when it was known: what a task found is known when the task ends.
_MESSAGES = """
create or replace view {messages} as
select
    ended_at as told_at, 'failure' as kind, model,
    task || ', due ' || cast(due_at as varchar) || ': ' || detail as message
from {task_runs}
where state = 'failed'
union all
select
    coalesce(max(r.ended_at), max(d.monitored_at)), 'drift', d.model,
    d.column_name || ' drifted, PSI ' || cast(cast(max(d.psi) as decimal(12, 3)) as varchar)
    || ', in the window to ' || cast(d.window_end as varchar)
from {drift} as d
left join {task_runs} as r
    on r.model = d.model and r.due_at = d.window_end and r.task = 'monitor_' || d.model and r.state = 'succeeded'
where d.drifted
group by d.model, d.version, d.column_name, d.window_end
union all
select
    coalesce(max(r.ended_at), d.decided_at), 'retraining', d.model,
    d.outcome || ' as of ' || cast(d.as_of as varchar) || ': ' || d.detail
from {retrain_decisions} as d
left join {task_runs} as r on r.model = d.model and r.due_at = d.as_of and r.task = 'retrain_' || d.model
where d.outcome <> 'nothing'
group by d.model, d.as_of, d.decided_at, d.outcome, d.detail
union all
select happened_at, 'promotion', model, 'version ' || cast(version as varchar) || ' ' || replace(event, '_', ' ')
from {version_events}
where event in ('promoted', 'rolled_back')
"""

_CHAMPIONS = """
create or replace view {champions} as
select turned.model, turned.version, turned.happened_at as since, v.run_id, v.flavor, v.signature, v.artifact
from (
    select model, version, happened_at, row_number() over (partition by model order by seq desc) as newest_first
    from {version_events}
    where event in ('promoted', 'rolled_back')
) as turned
inner join {model_versions} as v on v.model = turned.model and v.version = turned.version
where turned.newest_first = 1
"""

# A table that an earlier one made gets the columns besides.
MIGRATIONS: Mapping[int, Mapping[str, Table]] = {
    1: _VERSION_1,
    2: _AUDITS,
    3: _CERTIFICATES,
    4: _RETRAINING,
    5: _TASKS,
    6: _ORDER_OF_TASKS,
    7: _STREAMS,
}
CURRENT = max(MIGRATIONS)
_INFO: Table = {"schema_version": "int"}


def migrate(engine: Engine, schema: str) -> None:
    """Create the registry in `schema`, or bring an older one forward; does nothing where it is current.

    Raises:
        ProjectError: The registry was written by a newer snowml.
    """
    found = schema_version(engine, schema)
    if found == CURRENT:
        return
    if found > CURRENT:
        raise ProjectError(
            f"The registry in schema {schema} has version {found}; this snowml knows {CURRENT}. Upgrade snowml."
        )
    with engine.transaction(ddl=True):
        home = Relation(schema, "registry_info", engine.database)
        engine.execute(
            f"create schema if not exists {quoted(engine.database, engine.name)}.{quoted(schema, engine.name)}"
        )
        for statement in _create(engine, home, _INFO):
            engine.execute(statement)
        for number in range(found + 1, CURRENT + 1):
            earlier = {name for before in range(1, number) for name in MIGRATIONS[before]}
            for name, columns in MIGRATIONS[number].items():
                relation = Relation(schema, name, engine.database)
                made = _add if name in earlier else _create
                for statement in made(engine, relation, columns):
                    engine.execute(statement)
        _create_views(engine, schema)
        engine.insert(home, [{"schema_version": CURRENT}])


def schema_version(engine: Engine, schema: str) -> int:
    """The version of the registry in `schema`; 0 where there is none."""
    if schema.lower() not in registry_schemas(engine):
        return 0
    home = Relation(schema, "registry_info", engine.database).sql(engine.name)
    rows = engine.query(f"select max(schema_version) as version from {home}").to_pylist()
    return int(rows[0]["version"] or 0)


def since(table: str) -> int:
    """The version that has a table first."""
    return min(number for number, tables in MIGRATIONS.items() if table in tables)


def registry_schemas(engine: Engine) -> list[str]:
    """The schemas of this database that hold a registry, in lower case."""
    rows = engine.query(
        "select lower(table_schema) as name from information_schema.tables "
        "where lower(table_name) = 'registry_info' and table_catalog = ? order by 1",
        [engine.database],
    ).to_pylist()
    return [row["name"] for row in rows]


def columns_of(table: str) -> Table:
    """The columns of a registry table as of the current version."""
    merged: dict[str, str] = {}
    for tables in MIGRATIONS.values():
        merged.update(tables.get(table, {}))
    return merged


def _create(engine: Engine, relation: Relation, columns: Table) -> Iterator[str]:
    if engine.name == "snowflake" and relation.name == "artifacts":
        yield f"create stage if not exists {relation.sql(engine.name)}"
        return
    listed = ", ".join(_column(engine, name, type_) for name, type_ in columns.items())
    yield f"create table if not exists {relation.sql(engine.name)} ({listed})"


def _add(engine: Engine, relation: Relation, columns: Table) -> Iterator[str]:
    for name, type_ in columns.items():
        column = _column(engine, name, type_)
        yield f"alter table {relation.sql(engine.name)} add column if not exists {column}"


def _column(engine: Engine, name: str, type_: str) -> str:
    return f"{quoted(name, engine.name)} {_TYPES[engine.name].get(type_, type_)}"


def _create_views(engine: Engine, schema: str) -> None:
    # A view keeps its text, and looks for bare names in its own schema first. A name in full would not survive a
    # renamed DuckDB file, and DuckDB 2.0 refuses it in a view where schema and database share a name.
    read = ("version_events", "model_versions", "task_runs", "drift", "retrain_decisions")
    inner = {name: quoted(name, engine.name) for name in read}
    if engine.name == "snowflake":
        inner = {name: Relation(schema, name, engine.database).sql(engine.name) for name in inner}
    for name, text in (("champions", _CHAMPIONS), ("messages", _MESSAGES)):
        view = Relation(schema, name, engine.database).sql(engine.name)
        engine.execute(text.format(**{name: view}, **inner))
