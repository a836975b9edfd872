"""The plan: what is created, replaced, left alone and removed, in the order in which it is done.

What holds data is never dropped: the registry, predictions, features, functions and models stay whatever the plan is.
"""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from snowml.deploy import model_monitors
from snowml.deploy.feature_views import Shelf, wanted_keys
from snowml.deploy.feature_views import steps as feature_steps
from snowml.deploy.found import STALE, Existing, Found
from snowml.deploy.procedures import VERSIONED, files, procedures
from snowml.deploy.settings import Deployment
from snowml.deploy.steps import Action, Step
from snowml.deploy.tasks import alerts, streams, tasks
from snowml.deploy.things import MARK, OURS, File, Key, Thing
from snowml.engines.base import Engine
from snowml.errors import ProjectError, WarehouseError
from snowml.names import Relation, quoted
from snowml.progress import Progress
from snowml.registry.schema import CURRENT, schema_version
from snowml.registry.store import Registry
from snowml.spec.graph import graphs_of
from snowml.spec.model import ModelSpec


@dataclass(frozen=True, slots=True)
class Place:
    """Where a deployment stands, and for what.

    Attributes:
        registry: The schema of the registry, of the stage, of tasks and of alerts.
        schema: The schema of the procedures.
    """

    database: str
    registry: str
    schema: str
    specs: tuple[ModelSpec, ...]
    deployment: Deployment

    @property
    def stage(self) -> Relation:
        """Where the code is."""
        return Relation(self.registry, "snowml_code", self.database)

    @property
    def lease(self) -> Relation:
        """Where it is written who deploys."""
        return Relation(self.registry, "snowml_deploying", self.database)

    @property
    def optional(self) -> frozenset[str]:
        """Of the kinds of objects that not every account has, those that are wanted."""
        wanted = {
            "feature view": self.deployment.feature_store,
            "model monitor": bool(model_monitors.monitored(self.specs)),
        }
        return frozenset(kind for kind, is_wanted in wanted.items() if is_wanted)

    @property
    def files(self) -> list[File]:
        """What goes to the stage."""
        return files()

    @property
    def things(self) -> list[Thing]:
        """The objects that are wanted, each after those that it needs."""
        stage = Thing(
            Key("stage", self.stage),
            f"create stage if not exists {self.stage.sql('snowflake')} comment = '{MARK}'",
        )
        home = Relation(self.registry, "task_runs", self.database)
        runner = Relation(self.schema, "run_task", self.database)
        found = [stage, *procedures(self.schema, self.database, self.stage, self.deployment.roles)]
        for graph in graphs_of(self.specs):
            found += [*streams(graph, home), *tasks(graph, home, runner, self.deployment)]
        if self.deployment.notify:
            found += alerts(home, self.deployment, self.deployment.notify)
        return found


def plan(
    place: Place,
    found: Found,
    *,
    registry: Registry | None,
    now: datetime,
    resume: bool,
    shelf: Shelf | None = None,
) -> list[Step]:
    """What leads from what is there to what is wanted.

    Args:
        place: What is wanted.
        found: What is there.
        registry: The account's registry; None: there is no account to ask, and everything is taken for new.
        now: The moment of the deployment.
        resume: Let the tasks run when they are there.
        shelf: The feature tables that the feature store is to show; None: none.

    Raises:
        ProjectError: Something that is in the way was not made by a deployment.
    """
    wanted = place.things
    _check_nothing_foreign(wanted, found)
    kept = {
        *(thing.key for thing in wanted),
        *(wanted_keys(shelf) if shelf else ()),
        *model_monitors.wanted_keys(place.specs, place.stage),
    }
    return [
        *_schemas(place, found),
        _registry(place, registry),
        *_of_kind(wanted, found, "stage"),
        *(_file(place.stage, file, found) for file in place.files),
        *_specs(place, registry, now),
        *_of_kind(wanted, found, "procedure"),
        *_of_kind(wanted, found, "stream"),
        *_task_steps(wanted, found, resume),
        *_of_kind(wanted, found, "alert"),
        *_resumed_alerts(wanted, found, resume),
        *(feature_steps(shelf, found) if shelf else ()),
        *model_monitors.steps(place.specs, place.stage, str(place.deployment.warehouse), registry, found),
        *_removed(kept, found, ("alert", "procedure", "stream", "feature view", "entity", "model monitor")),
        *_outdated(place, found),
    ]


def remove_all(found: Found) -> list[Step]:
    """What takes away everything that deployments made, and nothing else."""
    roots = [key for key, one in _ours(found, "task") if one.state == "started"]
    return [
        *(_state(key, "suspend") for key in roots),
        *_removed(
            set(),
            found,
            ("alert", "task", "stream", "procedure", "feature view", "entity", "model monitor", "stage"),
        ),
    ]


def apply(
    engine: Engine, steps: Sequence[Step], progress: Progress, before_each: Callable[[], None] = lambda: None
) -> None:
    """Do what a plan says, in order; stop where something fails.

    Args:
        engine: A session.
        steps: The plan.
        progress: Told of each step.
        before_each: Called before each step; where it fails, so does the step.

    Raises:
        WarehouseError: Something did. What was done stays, and a further deployment goes on from there.
    """
    todo = [step for step in steps if step.action not in ("keep", "skip")]
    suspended = [step.name for step in todo if step.action == "suspend"]
    for number, step in enumerate(todo, 1):
        with progress.step(f"{number}/{len(todo)} {step.action} {step.what} {step.name}"):
            try:
                before_each()
                step.apply(engine)
            except WarehouseError as error:
                flag = " --resume" if suspended else ""
                raise type(error)(
                    f"{step.action} {step.what} {step.name}: {error}\n{number - 1} of {len(todo)} steps are done and "
                    f"stay. Run snowml deploy{flag} again when the reason is gone: it goes on from there."
                ) from error


def _check_nothing_foreign(wanted: Iterable[Thing], found: Found) -> None:
    foreign = [
        thing.key.sql
        for thing in wanted
        if (there := found.objects.get(thing.key)) and not there.comment.startswith(OURS)
    ]
    if foreign:
        raise ProjectError(
            f"In the way stands what no deployment of snowml made: {', '.join(foreign)}. Rename or drop it, or deploy "
            "to other schemas (var snowml_schema; the target's schema)."
        )


def _schemas(place: Place, found: Found) -> list[Step]:
    steps = []
    for schema in dict.fromkeys((place.registry, place.schema)):
        name = f"{quoted(place.database, 'snowflake')}.{quoted(schema, 'snowflake')}"
        action: Action = "keep" if schema in found.schemas else "create"
        steps.append(Step(action, "schema", schema, (f"create schema if not exists {name}",)))
    return steps


def _registry(place: Place, registry: Registry | None) -> Step:
    version = schema_version(registry.engine, registry.schema) if registry else 0
    action: Action = "keep" if version == CURRENT else "replace" if version else "create"
    told = f"-- bring the tables of the registry to schema version {CURRENT}; nothing in them is dropped"

    def migrate(engine: Engine) -> None:
        Registry(engine, place.registry).create()

    return Step(action, "registry", place.registry, (told,), work=migrate)


def _file(stage: Relation, file: File, found: Found) -> Step:
    action: Action = "keep" if file.name in found.files else "create"
    told = f"-- put {file.name} ({len(file.data):,} bytes) on @{stage.sql('snowflake')}"
    return Step(
        action, "file", file.name, (told,), work=lambda engine: engine.put(stage, file.name, file.data)
    )


def _specs(place: Place, registry: Registry | None, now: datetime) -> list[Step]:
    """Procedures read specifications in the registry: there is no project in the warehouse."""
    if registry and not registry.exists:
        registry = None
    return [_spec(place, spec, registry, now) for spec in place.specs]


def _spec(place: Place, spec: ModelSpec, registry: Registry | None, now: datetime) -> Step:
    # Whoever recorded it, and at which commit.
    same = registry is not None and registry.latest_spec(spec.name) == spec.to_json()

    def record(engine: Engine) -> None:
        Registry(engine, place.registry).record_spec(
            spec.name, spec.hash, spec.to_json(), now, git_commit=spec.git_commit
        )

    told = f"-- insert the specification of {spec.name}, hash {spec.hash[:12]}"
    return Step("keep" if same else "create", "specification", spec.name, (told,), work=record)


def _of_kind(wanted: Iterable[Thing], found: Found, kind: str) -> list[Step]:
    return [_made(thing, found) for thing in wanted if thing.key.kind == kind]


def _made(thing: Thing, found: Found, *, anew: bool = False) -> Step:
    there = found.objects.get(thing.key)
    same = there is not None and there.comment == thing.mark and there.state != STALE and not anew
    action: Action = "create" if there is None else "keep" if same else "replace"
    return Step(action, thing.key.kind, thing.key.name.name, thing.statements)


def _task_steps(wanted: Sequence[Thing], found: Found, resume: bool) -> list[Step]:
    """The tasks, with each graph that changes suspended meanwhile, and let run again if it did before.

    A run that is under way is not cut off: suspending a root keeps further ones from beginning.
    """
    mine = [thing for thing in wanted if thing.key.kind == "task"]
    kept = {thing.key for thing in mine}
    gone = [key for key, _ in _ours(found, "task") if key not in kept]
    steps: list[Step] = []
    for root in dict.fromkeys(thing.root for thing in mine):
        graph = [thing for thing in mine if thing.root == root]
        prefix = graph[0].key.name.name.removesuffix("features")
        leaving = [key for key in gone if key.name.name.startswith(prefix)]
        gone = [key for key in gone if key not in leaving]
        steps += _graph_steps(graph, leaving, found, resume)
    # Whole graphs that are not wanted any more.
    running = [key for key in gone if _is_started(found.objects[key])]
    return [*(_state(key, "suspend") for key in running), *(_dropped(key) for key in gone), *steps]


def _graph_steps(graph: Sequence[Thing], leaving: Sequence[Key], found: Found, resume: bool) -> list[Step]:
    """A task that is made anew loses those that came after it: they are made anew too, and all others are left.

    So are those that lost their place when a deployment broke off, whatever their own definition says.
    """
    made, lost = list[Step](), set[Relation]()
    for thing in graph:
        there = found.objects.get(thing.key)
        step = _made(
            thing, found, anew=bool(lost & set(thing.after)) or not (there and there.follows(thing.after))
        )
        lost |= set() if step.action == "keep" else {thing.key.name}
        made.append(step)
    changes = bool(leaving or lost)
    started = [_is_started(found.objects.get(thing.key)) for thing in graph]
    # The root first: from then on nothing begins.
    running = [thing.key for thing, runs in zip(graph, started, strict=True) if runs]
    steps = [_state(key, "suspend") for key in running] if changes else []
    steps += [*(_dropped(key) for key in leaving), *made]
    if (changes and started[0]) or (resume and (changes or not all(started))):
        # The root last: from then on the schedule counts.
        steps += [_state(thing.key, "resume") for thing in (*graph[1:], graph[0])]
    return steps


def _is_started(there: Existing | None) -> bool:
    return there is not None and there.state == "started"


def _resumed_alerts(wanted: Sequence[Thing], found: Found, resume: bool) -> list[Step]:
    steps = []
    for thing in wanted:
        there = found.objects.get(thing.key)
        if thing.key.kind != "alert":
            continue
        replaced = there is not None and there.comment != thing.mark
        if (resume and not _is_started(there)) or (replaced and _is_started(there)):
            steps.append(_state(thing.key, "resume"))
    return steps


def _state(key: Key, verb: Literal["suspend", "resume"]) -> Step:
    return Step(verb, key.kind, key.name.name, (f"alter {key.sql} {verb}",))


def _removed(kept: Set[Key], found: Found, kinds: Sequence[str]) -> list[Step]:
    return [_dropped(key) for kind in kinds for key, _ in _ours(found, kind) if key not in kept]


def _outdated(place: Place, found: Found) -> list[Step]:
    """Files of earlier deployments that no procedure uses when this plan is done.

    A procedure that is running has its own copy.
    """
    kept = {file.name for file in place.files} | found.used
    return [
        Step("remove", "file", name, (f"remove @{place.stage.sql('snowflake')}/{name}",))
        for name in sorted(found.files - kept)
        if VERSIONED.fullmatch(name)
    ]


def _dropped(key: Key) -> Step:
    if key.kind == "model monitor":
        return model_monitors.dropped(key)
    kind, _, rest = key.sql.partition(" ")
    return Step("remove", key.kind, key.name.name, (f"drop {kind} if exists {rest}",))


def _ours(found: Found, kind: str) -> list[tuple[Key, Existing]]:
    return [
        (key, one)
        for key, one in sorted(found.objects.items(), key=lambda item: str(item[0].name))
        if key.kind == kind and one.comment.startswith(OURS)
    ]
