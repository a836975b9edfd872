"""Train: training set → run → version, judged by its gates."""

import hashlib
import platform
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Any

import numpy as np

from snowml.boosting.base import DISTRIBUTIONS
from snowml.engines.base import Engine
from snowml.engines.columns import columns_of
from snowml.names import quoted
from snowml.progress import Progress, Silent
from snowml.records import Bin, Event, Parity, Run, Signature, Status, Version, VersionEvent
from snowml.registry.store import Registry
from snowml.serving.flavors import choose
from snowml.spec.columns import column_type, features
from snowml.spec.model import ModelSpec
from snowml.spec.split import Windows
from snowml.training.data import Columns, TrainingData, read
from snowml.training.fitting import Fitted, Rival, check_metrics, classes, fit
from snowml.training.gates import Verdict, judge
from snowml.training.split import Mask, split
from snowml.workflows.baselines import freeze_baselines
from snowml.workflows.certificate.parity import certified, refusal
from snowml.workflows.champion import Unmeasured, load_artifact, rival_of
from snowml.workflows.estimator import check_estimator
from snowml.workflows.experiment import Tracked, track
from snowml.workflows.inputs import check_keys
from snowml.workflows.native import follow
from snowml.workflows.repair import create_versioned, functions_for, repair_if_possible
from snowml.workflows.specs import Located

BASELINES = ("constant", "best_rule")
# All rows of the test window, with a label or without: what monitoring compares later volumes with.
TEST_WINDOW = "test_window"
# The parameter of a run that says why it has no figures of the champion. No estimator has one of that name.
_UNMEASURED = "champion_unmeasured"
_PACKAGES = ("snowml-warehouse", "scikit-learn", "numpy", "pandas", "skops", "duckdb")


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training came to."""

    version: Version
    status: Status
    run: Run
    measured: Mapping[str, Mapping[str, Mapping[str, float]]]
    verdicts: tuple[Verdict, ...]
    best_rule: str
    parity: Parity | None = None
    fresh: bool = True
    tracked: Tracked | None = None

    @property
    def unmeasured(self) -> str | None:
        """Why there is a champion that it was not measured beside."""
        return unmeasured_in(self.run)

    @property
    def passed(self) -> bool:
        """Whether every gate was passed, and the parity certificate given."""
        return self.refused is None and all(verdict.passed for verdict in self.verdicts)

    @property
    def refused(self) -> str | None:
        """Why it got no parity certificate, where it was refused one."""
        return refusal(self.parity) if self.parity and not self.parity.certified else None

    def summary(self) -> dict[str, Any]:
        """What a command or a procedure answers."""
        return {
            "model": self.version.model,
            "version": self.version.version,
            "status": self.status,
            "run_id": self.run.run_id,
            "as_of": self.run.as_of,
            "flavor": self.version.flavor,
            "rows": dict(self.run.row_counts),
            "metrics": self.measured["model"],
            "baselines": {name: splits for name, splits in self.measured.items() if name in BASELINES},
            "champion": self.measured.get("champion"),
            "champion_unmeasured": self.unmeasured,
            "best_rule": self.best_rule,
            "gates": [{"passed": verdict.passed, "detail": verdict.text} for verdict in self.verdicts],
            "parity": self.parity.summary() if self.parity else None,
            "experiment": self.tracked.summary() if self.tracked else None,
        }


def train(
    engine: Engine,
    registry: Registry,
    located: Located,
    *,
    as_of: datetime,
    now: datetime,
    if_changed: bool = False,
    progress: Progress | None = None,
) -> Trained:
    """Train a model on what was known at `as_of`, and register the version with everything about its making.

    The run, the version, its artifact and the gates' verdict appear together or not at all. A version that passed them
    gets its functions, without being promoted, and what they answer is compared with scikit-learn: its certificate.

    Args:
        engine: The warehouse.
        registry: Where the version is to be registered.
        located: The specification.
        as_of: Only rows whose label was known then are used.
        now: The moment of the training.
        if_changed: Fit nothing where the newest version was made of the same rows, as of the same moment, by the same
            specification and packages: give that one.
        progress: Told what is being done.

    Raises:
        SpecError: The specification does not fit the training set.
        DataError: The training set has no usable rows.
        UserError: The model cannot be served as the specification wants.
    """
    progress, spec = progress or Silent(), located.spec
    engine.tag("train", spec.name)
    registry.create()
    repair_if_possible(registry, spec.name)
    check_estimator(spec.settings, located.locator)
    with progress.step(f"read {spec.settings.training_set}") as step:
        windows = spec.settings.split.windows(as_of, located.locator)
        signature, data = read_training_set(engine, located, as_of)
        masks = split(data, windows)
        rows = {name: int(mask.sum()) for name, mask in masks.items()}
        in_window = _rows_in_test_window(engine, spec, data, windows)
        step.outcome(f"{sum(rows.values()):,} rows, {len(signature.features)} features")
        earlier = _earlier(registry, spec, data, as_of) if if_changed else None
        if earlier:
            step.outcome(f"unchanged since version {earlier.version.version}")
            return earlier
    check_metrics(spec.settings, signature, located.locator)
    with progress.step(f"fit {spec.settings.estimator}") as step:
        rival = rival_of(engine, registry, spec, signature, data, windows)
        fitted = fit(spec.settings, signature, data, masks, rival if isinstance(rival, Rival) else None)
        if isinstance(rival, Rival) and "champion" not in fitted.measured:
            rival = Unmeasured("it refuses a row of this test window")
        step.outcome(_headline(spec.settings.metric, fitted))
    with progress.step("register"):
        unmeasured = rival if isinstance(rival, Unmeasured) else None
        late = len(data.label) - sum(rows.values())
        counts = {**rows, "embargoed": late, TEST_WINDOW: in_window}
        run = _run(located, data, counts, fitted, unmeasured, as_of, now)
        verdicts = tuple(judge(spec.settings.gates, fitted.measured, unmeasured_in(run)))
        version = _register(registry, located, run, fitted, data, masks, verdicts, now)
    status: Status = "approved" if all(verdict.passed for verdict in verdicts) else "rejected"
    parity = None
    if version.flavor == "native":
        follow(registry, spec.name, progress)  # its functions call what is logged
    if status == "approved":
        functions = functions_for(registry, version, load_artifact(registry, version))
        create_versioned(engine, functions)
        parity = certified(registry, version, fitted.artifact, functions, now, progress)
    follow(registry, spec.name, progress)
    tracked = (
        track(registry, version, run, fitted.measured, progress)
        if spec.settings.experiment_tracking
        else None
    )
    return Trained(version, status, run, fitted.measured, verdicts, fitted.best_rule, parity, tracked=tracked)


def read_training_set(engine: Engine, located: Located, as_of: datetime) -> tuple[Signature, TrainingData]:
    """What a training as of `as_of` reads, and the signature that follows from it.

    Raises:
        SpecError: The specification does not fit the training set.
        DataError: No row had a label by then, or two rows have the same keys.
    """
    spec, settings = located.spec, located.spec.settings
    columns = columns_of(engine, spec.training_set)
    inputs = features(spec, columns, located.locator, dialect=engine.name)
    check_keys(engine, spec.training_set, (*settings.entity, settings.as_of))
    roles = Columns(inputs, settings.entity, settings.as_of, settings.label, settings.label_at)
    data = read(engine, spec.training_set, roles, task=settings.task, as_of=as_of)
    labelled = settings.task == "classification"
    where = f"{spec.name}: the label '{settings.label}' of {spec.training_set}"
    found, positive = (
        classes(data.label, settings.positive, where, located.locator) if labelled else ((), None)
    )
    signature = Signature(
        features=inputs,
        entity=settings.entity,
        as_of=settings.as_of,
        task=settings.task,
        label_type=column_type(columns, settings.label) if labelled else "double",
        classes=found,
        positive=positive,
    )
    return signature, data


def _rows_in_test_window(engine: Engine, spec: ModelSpec, data: TrainingData, windows: Windows) -> int:
    """How many rows a span as long as the test window has, labelled or not: what later volumes are compared with.

    It ends with the newest row that has a label, since a training set need not have rows without one. Where a label
    takes four weeks, the last four weeks of the window itself would look empty.
    """
    newest = data.as_of[data.as_of < np.datetime64(windows.end, "us")].max().astype(datetime)
    as_of = quoted(spec.settings.as_of, engine.name)
    found = engine.query(
        f"select count(*) as n from {spec.training_set.within(engine.database).sql(engine.name)} "
        f"where {as_of} > ? and {as_of} <= ?",
        [newest - (windows.end - windows.test_start), newest],
    )
    return int(found["n"][0].as_py())


def unmeasured_in(run: Run) -> str | None:
    """Why a run has no figures of the champion that there was; None where it has, or there was none."""
    why = run.params.get(_UNMEASURED)
    return str(why) if why else None


def _earlier(registry: Registry, spec: ModelSpec, data: TrainingData, as_of: datetime) -> Trained | None:
    """The newest version, if training again could only make the same."""
    versions = registry.versions(spec.name)
    if not versions:
        return None
    newest = versions[-1]
    run = registry.run(newest.run_id)
    made_of = (spec.hash, data.fingerprint, as_of, _packages(spec.settings.estimator))
    if (run.spec_hash, run.fingerprint, run.as_of, run.packages) != made_of:
        return None
    measured = registry.metrics(spec.name)[run.run_id]
    best = next(str(rule.feature.name) for rule in registry.rules(newest) if rule.feature)
    return Trained(
        version=newest,
        status=registry.statuses(spec.name)[newest.version],
        run=run,
        measured=measured,
        verdicts=tuple(judge(spec.settings.gates, measured, unmeasured_in(run))),
        best_rule=best,
        parity=registry.parity(spec.name).get(newest.version),
        fresh=False,
    )


def _register(
    registry: Registry,
    located: Located,
    run: Run,
    fitted: Fitted,
    data: TrainingData,
    masks: Mapping[str, Mask],
    verdicts: tuple[Verdict, ...],
    now: datetime,
) -> Version:
    spec, artifact = located.spec, fitted.artifact
    stored = artifact.dumps()
    flavor = choose(artifact, registry.engine.name, spec.settings.serving)
    baselines: list[Bin] = freeze_baselines(
        artifact.signature, data, masks["train"], fitted.labels, fitted.scores
    )
    with registry.transaction():
        registry.record_spec(
            spec.name,
            spec.hash,
            spec.to_json(),
            now,
            overridden=located.overridden,
            git_commit=spec.git_commit,
        )
        registry.record_run(run)
        version = Version(
            model=spec.name,
            version=registry.next_version(spec.name),
            run_id=run.run_id,
            flavor=flavor,
            signature=artifact.signature,
            artifact=hashlib.sha256(stored).hexdigest(),
            registered_at=now,
            spec_hash=spec.hash,
        )
        registry.register(version, stored, baselines, [rule.stored() for rule in fitted.baselines])
        registry.record_event(_judgement(version, verdicts, now))
    return version


def _judgement(version: Version, verdicts: tuple[Verdict, ...], now: datetime) -> VersionEvent:
    failed = [verdict.text for verdict in verdicts if not verdict.passed]
    event: Event = "rejected" if failed else "approved"
    detail = "; ".join(failed or [verdict.text for verdict in verdicts])
    return VersionEvent(version.model, version.version, event, now, detail)


def _run(
    located: Located,
    data: TrainingData,
    rows: Mapping[str, int],
    fitted: Fitted,
    unmeasured: Unmeasured | None,
    as_of: datetime,
    now: datetime,
) -> Run:
    settings = located.spec.settings
    params = {"estimator": settings.estimator, **settings.params, "split": settings.split.model_dump()}
    return Run(
        run_id=uuid.uuid4().hex,
        model=located.spec.name,
        as_of=as_of,
        started_at=now,
        spec_hash=located.spec.hash,
        git_commit=located.spec.git_commit,
        seed=settings.seed,
        training_set=str(located.spec.training_set),
        fingerprint=data.fingerprint,
        row_counts=rows,
        params=params | ({_UNMEASURED: str(unmeasured)} if unmeasured else {}),
        packages=_packages(settings.estimator),
        durations={name: round(seconds, 3) for name, seconds in fitted.durations.items()},
        metrics=fitted.metrics,
    )


def _packages(estimator: str) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in (*_PACKAGES, *DISTRIBUTIONS.get(estimator, ())):
        try:
            found[name] = installed(name)
        except PackageNotFoundError:  # a zip on a stage carries no metadata
            continue
    return found


def _headline(metric: str, fitted: Fitted) -> str:
    test = fitted.measured["model"]["test"].get(metric)
    return f"{metric} {test:.4f} on test" if test is not None else ""
