"""Graphs as Snowflake's TASKs, the STREAMs that they wait for, and the alerts that tell what came of them."""

from collections.abc import Mapping, Sequence
from typing import Final

from snowml.deploy.settings import About, Deployment, Notify
from snowml.deploy.things import MARK, Key, Thing
from snowml.names import Relation, literal, quoted
from snowml.spec.graph import Graph, Task, stream_of

_LONGEST_MS: Final = 7 * 24 * 3600 * 1000
_HOURLY: Final = "USING CRON 0 * * * * UTC"
_SUBJECTS: Mapping[About, str] = {
    "failure": "snowml: a task failed",
    "drift": "snowml: a model drifted",
    "retraining": "snowml: a model was trained again",
    "promotion": "snowml: a champion changed",
}


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


def streams(graph: Graph, home: Relation) -> list[Thing]:
    """What the graph waits for, if it does: a stream of its own on each table, whose rows no other graph takes.

    Rows that are there already count as new, so the first round is due at once.
    """
    found = []
    for table in graph.streams:
        key = Key("stream", stream_of(graph, table, home.schema).within(str(home.database)))
        on = table.within(str(home.database)).sql("snowflake")
        statement = (
            f"create or replace stream {key.name.sql('snowflake')} on table {on}\n"
            f"append_only = true show_initial_rows = true comment = '{MARK}'"
        )
        found.append(Thing(key, statement))
    return found


def alerts(home: Relation, deployment: Deployment, notify: Notify) -> list[Thing]:
    """One alert for each kind of message: it asks once an hour what was told since it asked last."""
    messages = Relation(home.schema, "messages", home.database).sql("snowflake")
    since = "convert_timezone('UTC', snowflake.alert.last_successful_scheduled_time())::timestamp_ntz"
    return [
        _alert(
            home,
            kind,
            deployment,
            f"select 1 from {messages} where kind = '{kind}' and told_at > {since}",
            (
                _SUBJECTS[kind],
                f"The view messages of the registry, or snowml tasks messages, says more ({kind}).",
            ),
            notify,
        )
        for kind in notify.about
    ]


def _name(home: Relation, graph: Graph, task: Task) -> Relation:
    return Relation(home.schema, f"snowml_{graph.name}_{task.name}", home.database)


def _task(
    graph: Graph, task: Task, home: Relation, root: Relation, runner: Relation, deployment: Deployment
) -> Thing:
    name = _name(home, graph, task)
    warehouse = deployment.training_warehouse if task.kind == "retrain" else None
    options = _compute(deployment, warehouse)
    if name == root:
        options += [
            f"schedule = 'USING CRON {graph.schedule}'",
            "allow_overlapping_execution = false",
        ]
    options += [
        # Of the two limits the one on statements leaves the time to record the failure.
        f"statement_timeout_in_seconds = {deployment.seconds}",
        f"user_task_timeout_ms = {min((deployment.seconds + 60) * 1000, _LONGEST_MS)}",
    ]
    if name == root:
        options.append(f"suspend_task_after_num_failures = {deployment.suspend_after}")
    options.append(f"comment = '{MARK}'")
    if task.kind == "finalize":
        options.append(f"finalize = {root.sql('snowflake')}")
    elif name == root and deployment.retries:
        options.append(f"task_auto_retry_attempts = {deployment.retries}")
    names = {other.name: _name(home, graph, other) for other in graph.tasks}
    before = (root,) if task.kind == "finalize" else tuple(names[other] for other in task.after)
    if before and task.kind != "finalize":
        options.append("after " + ", ".join(other.sql("snowflake") for other in before))
    if name == root and graph.streams:
        options.append("when " + " or ".join(map(_has_data, streams(graph, home))))
    arguments = [graph.schedule, task.name]
    if task.kind == "features" and deployment.dbt_project:
        arguments.append(deployment.dbt_project)
    call = f"call {runner.sql('snowflake')}({', '.join(literal(item, 'snowflake') for item in arguments)})"
    statement = f"create or replace task {name.sql('snowflake')}\n" + "\n".join(options) + f"\nas {call}"
    return Thing(Key("task", name), statement, root=root, after=before)


def _has_data(stream: Thing) -> str:
    return f"system$stream_has_data({literal(stream.key.name.sql('snowflake'), 'snowflake')})"


def _compute(deployment: Deployment, warehouse: str | None) -> list[str]:
    """What a task runs on: a warehouse, or what Snowflake finds fit within two sizes."""
    serverless = deployment.serverless
    if warehouse or serverless is None:
        return [f"warehouse = {quoted(warehouse or str(deployment.warehouse), 'snowflake')}"]
    sizes = {
        "user_task_managed_initial_warehouse_size": serverless.initial,
        "serverless_task_min_statement_size": serverless.min,
        "serverless_task_max_statement_size": serverless.max,
    }
    return [f"{option} = '{size}'" for option, size in sizes.items() if size]


def _alert(
    home: Relation,
    name: str,
    deployment: Deployment,
    condition: str,
    text: Sequence[str],
    notify: Notify,
) -> Thing:
    key = Key("alert", Relation(home.schema, f"snowml_{name}", home.database))
    mail = ", ".join(
        literal(item, "snowflake") for item in (notify.integration, ", ".join(notify.emails), *text)
    )
    compute = f"warehouse = {quoted(str(deployment.warehouse), 'snowflake')}\n"
    statement = (
        f"create or replace alert {key.name.sql('snowflake')}\n"
        f"{'' if deployment.serverless else compute}schedule = '{_HOURLY}'\n"
        f"comment = '{MARK}'\n"
        f"if (exists ({condition}))\n"
        f"then call system$send_email({mail})"
    )
    return Thing(key, statement)
