"""Runs a command again and again on copies of a file, each time killed one statement later.

Started by the tests as a script: it imports once and forks for each attempt, so that an attempt costs little. Prints
one JSON document a line: what the file held after each attempt, and after the command was repeated.
"""

import json
import os
import shutil
import signal
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).parent.parent))

import handmade

from snowml.errors import RetryableError
from snowml.kernel import paths
from snowml.progress import Silent
from snowml.workflows.batch import predict_batch
from snowml.workflows.promote import rollback
from snowml.workflows.retrain import retrain
from snowml.workflows.specs import Located
from snowml.workflows.tasks import run_due

ARGUMENTS = 'speed, "Wind ""Gust"" m/s?", town'
LATER = handmade.NOW + timedelta(hours=1)
UPKEEP = {"retrain": {"on_new_rows": 1}, "monitor": {"schedule": "0 0 * * * UTC", "window": "90 days"}}


def kept_up():
    return Located(handmade.spec(ESTIMATOR, params=SETTINGS[ESTIMATOR][1], **UPKEEP))


class Lent:
    """A session that is not given back."""

    def __init__(self, engine):
        self._engine = engine

    def close(self):
        pass

    def __getattr__(self, name):
        return getattr(self._engine, name)


def run_tasks(engine, registry):
    """What is due, with a scoring by INSERT where dbt would do it; features are there."""
    lent = Lent(engine)

    def build(*, select, variables, **_):
        if f"{handmade.MODEL}_predictions" in select:
            predict_batch(lent, registry, kept_up(), as_of=handmade.AS_OF)
        return SimpleNamespace(count=lambda kind: 0, warnings=())

    predictions = {"resource_type": "model", "name": f"{handmade.MODEL}_predictions", "schema": "main"}
    project = SimpleNamespace(open=lambda **_: lent, registry=lambda engine: registry)
    dbt = SimpleNamespace(
        project=project,
        progress=Silent(),
        build=build,
        manifest=lambda variables: {"nodes": {"predictions": predictions}},
    )
    for done in run_due(dbt, [kept_up()], as_of=handmade.AS_OF, clock=lambda: LATER):
        assert not done.errors, done.errors


COMMANDS = {
    "train": lambda engine, registry: handmade.train_one(engine, registry, ESTIMATOR, now=LATER),
    "promote": lambda engine, registry: handmade.promote_one(engine, registry, now=LATER),
    "retrain": lambda engine, registry: retrain(
        engine,
        registry,
        kept_up(),
        as_of=handmade.AS_OF,
        now=LATER,
    ),
    "tasks": run_tasks,
    "rollback": lambda engine, registry: rollback(engine, registry, handmade.MODEL, now=LATER),
}
# The command is repeated after one attempt in so many: it takes longer than all the rest.
EVERY = 4
# A retraining is a training and a promotion, which are killed before each of their statements: it is before some.
STEPS = {"retrain": 5, "tasks": 11}
SETTINGS = {
    "logistic_regression": ({"C": 1.0}, {"C": 0.01}),
    "decision_tree": ({"max_depth": 2}, {"max_depth": 3}),
}


class Deadly:
    """A connection that kills the process instead of running its nth statement, reads not counted."""

    def __init__(self, connection, countdown):
        self._connection, self._countdown = connection, countdown

    def execute(self, sql, params=()):
        self._count(sql)
        return self._connection.execute(sql, params)

    def executemany(self, sql, rows):
        self._count(sql)
        return self._connection.executemany(sql, rows)

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def _count(self, sql):
        self._countdown -= not sql.lstrip().startswith("select")
        if self._countdown == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def forked(work):
    """Run `work` in a process of its own; its exit status, negative for a signal."""
    child = os.fork()
    if child == 0:
        try:
            status = work() or 0
        except RetryableError:
            status = 75
        except BaseException:  # noqa: BLE001
            sys.excepthook(*sys.exc_info())
            status = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def with_file(file, work):
    engine, registry = handmade.open_file(file)
    try:
        return work(engine, registry)
    finally:
        engine.close()


def prepare(file, command):
    """One champion; for a promotion a second version, and for a roll-back that one as champion."""
    engine, registry = handmade.open_file(file)
    first, second = SETTINGS[ESTIMATOR]
    handmade.fill(engine, handmade.frame(150))
    as_of = handmade.AS_OF
    if command in ("retrain", "tasks"):
        # A challenger is measured beside a champion that was trained before its test window; any is better than this.
        as_of, first = as_of - timedelta(days=30), {"min_samples_leaf": 1000}
    handmade.train_one(engine, registry, ESTIMATOR, as_of=as_of, params=first)
    handmade.promote_one(engine, registry)
    if command in ("promote", "rollback"):
        handmade.train_one(engine, registry, ESTIMATOR, params=second)
    if command == "rollback":
        handmade.promote_one(engine, registry)
    engine.close()


def predictions(rows):
    """How many rows are scored, and how many keys they have."""
    if not rows("from duckdb_tables() where table_name = 'lateness_predictions'"):
        return [[0, 0]]
    return rows("select count(*), count(distinct (id, as_of, model_version)) from main.lateness_predictions")


def look(engine, registry):
    """What the file holds, in a form to compare."""

    def rows(sql):
        return [list(row.values()) for row in engine.query(sql).to_pylist()]

    champion = registry.champion(handmade.MODEL).version
    (answers,) = rows(
        f"select sum(predict_lateness_proba({ARGUMENTS})), sum(predict_lateness_v{champion}_proba({ARGUMENTS})) "
        "from training_set"
    )
    return {
        "champion": champion,
        "champions": registry.champions(handmade.MODEL),
        "agree": abs(answers[0] - answers[1]) < 1e-9,
        "statuses": [status for _, status in sorted(registry.statuses(handmade.MODEL).items())],
        "versions": [version.version for version in registry.versions(handmade.MODEL)],
        "runs": rows("select count(*) from snowml.runs")[0][0],
        "runs_with_all": rows(
            "select count(distinct run_id) from snowml.runs semi join snowml.model_versions using (run_id) "
            "semi join snowml.run_metrics using (run_id) semi join snowml.run_params using (run_id)"
        )[0][0],
        # What explains is kept besides, and made of a version's artifact whenever its functions are.
        "artifacts": sum(
            not first.startswith(paths.MAGIC)
            for (first,) in rows("select arg_min(data, chunk) from snowml.artifacts group by artifact")
        ),
        "artifacts_of_versions": rows(
            "select count(distinct a.artifact) from snowml.artifacts as a semi join snowml.model_versions as v "
            "on v.artifact = a.artifact"
        )[0][0],
        "with_baselines": rows("select count(distinct version) from snowml.baselines")[0][0],
        "with_rules": rows("select count(distinct version) from snowml.rules")[0][0],
        "certified": [row[0] for row in rows("select version from snowml.parity where certified")],
        "tasks": rows("select task, state, count(*) from snowml.task_runs group by all order by 1"),
        "drift_twice": rows("select count(*) - count(distinct (version, column_name)) from snowml.drift"),
        "scored": predictions(rows),
        "decisions": rows("select outcome, version from snowml.retrain_decisions"),
        "seqs": [row[0] for row in rows("select seq from snowml.version_events order by seq")],
    }


def say(**what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def kill_everywhere(folder, command):
    template = handmade.file_at(folder, "template.duckdb")
    assert forked(lambda: prepare(template, command)) == 0
    for attempted, countdown in enumerate(range(1, 500, STEPS.get(command, 1)), 1):
        file = handmade.file_at(folder, f"{countdown}.duckdb")
        shutil.copy(template.path, file.path)

        def attempt(file=file, countdown=countdown):
            engine, registry = handmade.open_file(file)
            engine.connection = Deadly(engine.connection, countdown)
            COMMANDS[command](engine, registry)

        def check(file=file, countdown=countdown, attempted=attempted):
            found = with_file(file, look)
            if attempted % EVERY:
                say(killed_at=countdown, found=found)
                return
            with_file(file, COMMANDS[command])
            say(killed_at=countdown, found=found, repeated=with_file(file, look))

        status = forked(attempt)
        assert status in (0, -signal.SIGKILL), status
        if status == 0:
            forked(lambda file=file: say(done=with_file(file, look)))
            return
        assert forked(check) == 0, countdown


def race(folder):
    """Two processes promote different versions at the same moment; their exit statuses, and what the file holds."""
    file = handmade.file_at(folder)
    assert forked(lambda: prepare(file, "promote")) == 0

    def promote(version):
        with_file(file, lambda *both: handmade.promote_one(*both, version=version, now=LATER))

    children = []
    for version in (1, 2):
        child = os.fork()
        if child == 0:
            os._exit(forked(lambda version=version: promote(version)) % 256)
        children.append(child)
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    forked(lambda: say(statuses=statuses, found=with_file(file, look)))


if __name__ == "__main__":
    ESTIMATOR = sys.argv[3]
    if sys.argv[2] == "race":
        race(Path(sys.argv[1]))
    else:
        kill_everywhere(Path(sys.argv[1]), sys.argv[2])
