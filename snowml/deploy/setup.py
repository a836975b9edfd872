"""What an administrator runs once: a role with no more rights than a deployment needs, and guards of the cost."""

from typing import Final

from snowml.deploy.feature_views import Shelf
from snowml.deploy.model_monitors import monitored
from snowml.deploy.plan import Place
from snowml.names import Relation, literal, quoted
from snowml.spec.graph import graphs_of

ROLE: Final = "snowml_deployer"
QUOTA: Final = 20
# The smallest size of a Snowpark-optimised warehouse that has so much memory.
_SMALLEST: Final = {"MEMORY_1X": "XSMALL", "MEMORY_16X": "MEDIUM", "MEMORY_64X": "LARGE"}


def setup_script(place: Place, shelf: Shelf | None = None) -> str:
    """The statements, for a worksheet of somebody who may create roles and resource monitors; they may be repeated.

    Args:
        place: What is to be deployed.
        shelf: The feature tables that are to be shown in the feature store.
    """
    database = quoted(place.database, "snowflake")
    role, warehouse = quoted(ROLE, "snowflake"), quoted(str(place.deployment.warehouse), "snowflake")
    monitor = quoted("snowml_monitor", "snowflake")
    own = [
        f"{database}.{quoted(name, 'snowflake')}" for name in dict.fromkeys((place.registry, place.schema))
    ]
    training = place.deployment.training_warehouse
    lines = [
        "-- Run once, as a role that may create roles and resource monitors (ACCOUNTADMIN).",
        "-- The role that deploys and owns the tasks:",
        f"create role if not exists {role};",
        *(
            f"grant usage on database {quoted(name, 'snowflake')} to role {role};"
            for name in _databases(place, shelf)
        ),
        "-- Its own schemas: what it makes there is its own. It needs no right elsewhere but to read.",
        *(f"create schema if not exists {schema};" for schema in own),
        *(
            f"grant usage, create table, create view, create stage, create function, create procedure, create task, "
            f"create stream, create alert, create model on schema {schema} to role {role};"
            for schema in own
        ),
        *_storing(place, shelf, role),
        *_reading(place, shelf, role),
        *_waiting(place, role),
        *_executing(place, role),
        *_training(place),
        *(
            f"grant usage, operate on warehouse {quoted(name, 'snowflake')} to role {role};"
            for name in dict.fromkeys(
                (str(place.deployment.warehouse), training or str(place.deployment.warehouse))
            )
        ),
        "-- Packages from the index:",
        f"grant database role snowflake.pypi_repository_user to role {role};",
        "-- Guards: the monitor stops the warehouse when a month's credits are spent, and statements end in time. They",
        "-- hold for all who use it: give the tasks a warehouse of their own, or leave this out.",
        f"create resource monitor if not exists {monitor} with credit_quota = {QUOTA} frequency = monthly "
        "start_timestamp = immediately triggers on 80 percent do notify on 100 percent do suspend;",
        f"alter warehouse {warehouse} set resource_monitor = {monitor} "
        f"statement_timeout_in_seconds = {place.deployment.seconds} auto_suspend = 60;",
    ]
    if place.deployment.log_level:
        lines += [
            "-- What procedures and tasks log goes to the account's event table:",
            *(f"alter schema {schema} set log_level = {place.deployment.log_level};" for schema in own),
        ]
    if place.deployment.dbt_project:
        *above, name = (quoted(part, "snowflake") for part in place.deployment.dbt_project.split("."))
        schema = ".".join(above)
        lines += [
            f"grant usage on schema {schema} to role {role};",
            f"grant usage on dbt project {schema}.{name} to role {role};",
        ]
    if place.deployment.notify:
        integration = quoted(place.deployment.notify.integration, "snowflake")
        emails = ", ".join(literal(email, "snowflake") for email in place.deployment.notify.emails)
        lines += [
            f"create notification integration if not exists {integration} type = email enabled = true "
            f"allowed_recipients = ({emails});",
            f"grant usage on integration {integration} to role {role};",
        ]
    return "\n".join(lines)


def _databases(place: Place, shelf: Shelf | None) -> list[str]:
    """Where anything is that the deployment makes or reads, its own first."""
    project = place.deployment.dbt_project
    elsewhere = {
        *(str(table.database) for table in _read(place, shelf) | _waited_for(place)),
        *([project.split(".")[0]] if project else []),
    }
    by_name = {quoted(name, "snowflake"): name for name in (place.database, *sorted(elsewhere))}
    return list(by_name.values())


def _waited_for(place: Place) -> set[Relation]:
    return {table.within(place.database) for graph in graphs_of(place.specs) for table in graph.streams}


def _waiting(place: Place, role: str) -> list[str]:
    """A stream needs a table that keeps track of its changes; its owner alone can have it do so."""
    return [
        statement
        for table in sorted(_waited_for(place), key=str)
        for statement in (
            f"alter table {table.sql('snowflake')} set change_tracking = true;",
            *_readable(table, role),
        )
    ]


def _executing(place: Place, role: str) -> list[str]:
    lines = [
        "-- Running tasks and alerts are rights of the account:",
        f"grant execute task, execute alert on account to role {role};",
    ]
    if place.deployment.serverless:
        lines += [
            "-- Without a warehouse. No resource monitor counts what they spend: a budget does.",
            f"grant execute managed task, execute managed alert on account to role {role};",
        ]
    return lines


def _training(place: Place) -> list[str]:
    memory, warehouse = place.deployment.training_memory, place.deployment.training_warehouse
    if not memory or not warehouse:
        return []
    size = _SMALLEST[memory.removesuffix("_x86")]
    return [
        f"create warehouse if not exists {quoted(warehouse, 'snowflake')} warehouse_type = 'SNOWPARK-OPTIMIZED' "
        f"resource_constraint = '{memory}' warehouse_size = {size} auto_suspend = 60 initially_suspended = true "
        f"statement_timeout_in_seconds = {place.deployment.seconds};"
    ]


def _storing(place: Place, shelf: Shelf | None, role: str) -> list[str]:
    """What options take besides; the feature store's entities are tags."""
    home = f"{quoted(place.database, 'snowflake')}.{quoted(place.registry, 'snowflake')}"
    wanted = {
        "create tag": shelf is not None,
        "create model monitor": bool(monitored(place.specs)),
        "create experiment": any(spec.settings.experiment_tracking for spec in place.specs),
    }
    kinds = [kind for kind, is_wanted in wanted.items() if is_wanted]
    return [f"grant {kind} on schema {home} to role {role};" for kind in kinds]


def _read(place: Place, shelf: Shelf | None) -> set[Relation]:
    """What training, scoring and monitoring read, and what the feature store shows."""
    sets = {
        relation.within(place.database)
        for spec in place.specs
        for relation in (spec.training_set, spec.scoring_set)
    }
    return sets | {table.relation for table in (shelf.tables if shelf else ())}


def _reading(place: Place, shelf: Shelf | None, role: str) -> list[str]:
    return [
        "-- What it reads. Build it before: a right can only be given on what is there. Where another role runs dbt, a",
        "-- table that dbt makes anew loses its rights, unless the dbt project says copy_grants: true.",
        *dict.fromkeys(
            statement
            for relation in sorted(_read(place, shelf), key=str)
            for statement in _readable(relation, role)
        ),
    ]


def _readable(relation: Relation, role: str) -> list[str]:
    schema = f"{quoted(str(relation.database), 'snowflake')}.{quoted(relation.schema, 'snowflake')}"
    return [
        f"grant usage on schema {schema} to role {role};",
        f"grant select on {relation.sql('snowflake')} to role {role};",
    ]
