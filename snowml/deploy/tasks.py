"""Graphs as Snowflake's TASKs, and the alerts that tell of drift and failures."""

from collections.abc import Sequence
from typing import Final

from snowml.deploy.settings import Deployment, Notify
from snowml.deploy.things import MARK, Key, Thing
from snowml.names import Relation, literal, quoted
from snowml.spec.graph import Graph, Task

_HOURLY: Final = "USING CRON 0 * * * * UTC"


def tasks(graph: Graph, home: Relation, runner: Relation, deployment: Deployment) -> list[Thing]:
    """A graph's tasks, the root first; each calls the procedure `run_task`.

    Args:
        graph: The graph.
        home: The registry: its schema is where tasks stand.
        runner: The procedure.
        deployment: What they run on, and when they are stopped.
    """
    root = _name(home, graph, graph.tasks[0])
    return [_task(graph, task, home, root, runner, deployment) for task in graph.tasks]


def alerts(home: Relation, warehouse: str, notify: Notify) -> list[Thing]:
    """One alert for failures, one for drift: each asks once an hour what was recorded since it asked last."""
    runs, drift = (
        Relation(home.schema, name, home.database).sql("snowflake") for name in ("task_runs", "drift")
    )
    since = "convert_timezone('UTC', snowflake.alert.last_successful_scheduled_time())::timestamp_ntz"
    conditions = {
        "failure": f"select 1 from {runs} where state = 'failed' and ended_at > {since}",
        "drift": (
            f"select 1 from {runs} as r inner join {drift} as d on d.model = r.model and d.window_end = r.due_at "
            f"where r.task like 'monitor%' and d.drifted and r.ended_at > {since}"
        ),
    }
    texts = {
        "failure": (
            "snowml: a task failed",
            "snowml tasks history, or the table task_runs, says which and why.",
        ),
        "drift": ("snowml: a model drifted", "snowml monitor, or the table drift, says which columns."),
    }
    return [
        _alert(home, name, warehouse, condition, texts[name], notify)
        for name, condition in conditions.items()
    ]


def _name(home: Relation, graph: Graph, task: Task) -> Relation:
    return Relation(home.schema, f"snowml_{graph.name}_{task.name}", home.database)


def _task(
    graph: Graph, task: Task, home: Relation, root: Relation, runner: Relation, deployment: Deployment
) -> Thing:
    name = _name(home, graph, task)
    warehouse = deployment.training_warehouse if task.kind == "retrain" else None
    options = [f"warehouse = {quoted(warehouse or str(deployment.warehouse), 'snowflake')}"]
    if name == root:
        options += [
            f"schedule = 'USING CRON {graph.schedule}'",
            "allow_overlapping_execution = false",
        ]
    options += [
        # Of the two limits the one on statements leaves the time to record the failure.
        f"statement_timeout_in_seconds = {deployment.seconds}",
        f"user_task_timeout_ms = {(deployment.seconds + 60) * 1000}",
    ]
    if name == root:
        options.append(f"suspend_task_after_num_failures = {deployment.suspend_after}")
    options.append(f"comment = '{MARK}'")
    if task.kind == "finalize":
        options.append(f"finalize = {root.sql('snowflake')}")
    elif name == root and deployment.retries:
        options.append(f"task_auto_retry_attempts = {deployment.retries}")
    if task.after and task.kind != "finalize":
        before = {other.name: _name(home, graph, other) for other in graph.tasks}
        options.append("after " + ", ".join(before[other].sql("snowflake") for other in task.after))
    arguments = [graph.schedule, task.name]
    if task.kind == "features" and deployment.dbt_project:
        arguments.append(deployment.dbt_project)
    call = f"call {runner.sql('snowflake')}({', '.join(literal(item, 'snowflake') for item in arguments)})"
    statement = f"create or replace task {name.sql('snowflake')}\n" + "\n".join(options) + f"\nas {call}"
    return Thing(Key("task", name), statement, root=root)


def _alert(
    home: Relation,
    name: str,
    warehouse: str,
    condition: str,
    text: Sequence[str],
    notify: Notify,
) -> Thing:
    key = Key("alert", Relation(home.schema, f"snowml_{name}", home.database))
    mail = ", ".join(
        literal(item, "snowflake") for item in (notify.integration, ", ".join(notify.emails), *text)
    )
    statement = (
        f"create or replace alert {key.name.sql('snowflake')}\n"
        f"warehouse = {quoted(warehouse, 'snowflake')}\n"
        f"schedule = '{_HOURLY}'\n"
        f"comment = '{MARK}'\n"
        f"if (exists ({condition}))\n"
        f"then call system$send_email({mail})"
    )
    return Thing(key, statement)
