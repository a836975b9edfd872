"""Monitor: the scored rows of a window against what was frozen at training, and against the labels known by now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from snowml.engines.base import Engine
from snowml.engines.columns import columns_of
from snowml.errors import DataError, UserError
from snowml.monitoring.drift import THRESHOLD, drift
from snowml.monitoring.performance import Labels, Predictions, performance
from snowml.monitoring.rules import rule_scores
from snowml.monitoring.window import Window
from snowml.names import Relation, quoted
from snowml.records import Bin, Drift, Performance, Version
from snowml.registry.store import Registry
from snowml.spec.model import ModelSpec
from snowml.spec.split import Split
from snowml.workflows.baselines import SCORE
from snowml.workflows.moment import before
from snowml.workflows.repair import repair
from snowml.workflows.specs import Located
from snowml.workflows.train import TEST_WINDOW

DAY = timedelta(days=1)
VOLUME = "volume_ratio"


@dataclass(frozen=True, slots=True)
class Monitored:
    """What monitoring found about one window."""

    version: Version
    window: Window
    row_count: int
    drift: tuple[Drift, ...]
    performance: tuple[Performance, ...]
    threshold: float

    @property
    def drifted(self) -> tuple[Drift, ...]:
        """The columns beyond their threshold, the furthest first."""
        return tuple(row for row in self.furthest if row.drifted)

    @property
    def furthest(self) -> tuple[Drift, ...]:
        """All columns, the furthest from training first."""
        return tuple(sorted(self.drift, key=lambda row: -row.psi))

    @property
    def labelled(self) -> int:
        """How many of the scored rows have a label by now."""
        return max((row.row_count for row in self.performance if row.metric != VOLUME), default=0)

    @property
    def volume(self) -> float:
        """Rows a day, as a multiple of those in the test window of the version's training."""
        return next(row.value for row in self.performance if row.metric == VOLUME)

    def measured(self) -> dict[str, dict[str, float]]:
        """Predictor → metric → value, on the rows that have a label by now."""
        found: dict[str, dict[str, float]] = {}
        for row in self.performance:
            if row.metric != VOLUME:
                found.setdefault(row.predictor, {})[row.metric] = row.value
        return found

    def summary(self) -> dict[str, Any]:
        """What a command or a procedure answers."""
        measured = self.measured()
        return {
            "model": self.version.model,
            "version": self.version.version,
            "window_start": self.window.start,
            "window_end": self.window.end,
            "rows": self.row_count,
            "labelled": self.labelled,
            "volume_ratio": self.volume,
            "drifted": bool(self.drifted),
            "features": [_feature(row) for row in self.furthest],
            "metrics": measured.get("model", {}),
            "baselines": {name: values for name, values in measured.items() if name != "model"},
        }


def monitor(
    engine: Engine,
    registry: Registry,
    located: Located,
    *,
    as_of: datetime,
    window: timedelta = 7 * DAY,
    threshold: float = THRESHOLD,
) -> Monitored:
    """Compare the champion's scored rows of the window that ends at `as_of`, and keep what was found.

    Nothing but counts and metrics leaves the warehouse.

    Raises:
        DataError: No row of the window is scored.
        UserError: The threshold is not a positive number, or the window begins before the calendar.
    """
    if not (isfinite(threshold) and threshold > 0):
        raise UserError(f"The threshold is {threshold}; give a positive number such as {THRESHOLD}.")
    spec, settings = located.spec, located.spec.settings
    engine.tag("monitor", spec.name)
    version = registry.champion(spec.name)
    repair(registry, spec.name)
    span = Window(settings.as_of, before(as_of, window), as_of)
    columns_of(engine, predictions_of(spec))
    found = drift(
        engine,
        _scored(engine, spec, version),
        _by_column(registry.baselines(version)),
        model=spec.name,
        version=version.version,
        window=span,
        monitored_at=as_of,
        threshold=threshold,
    )
    if not found:
        raise DataError(
            f"{spec.name} version {version.version} scored no row from {span.start} to {span.end} that is still in "
            f"{spec.scoring_set}. Score it first: snowml predict {spec.name} --as-of {as_of.isoformat()}"
        )
    judged = _performance(engine, registry, spec, version, span)
    volume = _volume(registry, spec, version, span, found[0].row_count)
    registry.record_monitoring(found, [*judged, volume])
    return Monitored(version, span, found[0].row_count, tuple(found), (*judged, volume), threshold)


def _feature(row: Drift) -> dict[str, Any]:
    return {
        "name": row.column_name,
        "psi": row.psi,
        "threshold": row.threshold,
        "drifted": row.drifted,
        "null_rate": row.null_rate,
        "baseline_null_rate": row.baseline_null_rate,
    }


def predictions_of(spec: ModelSpec) -> Relation:
    """The table of a model's predictions: it stands beside its scoring set."""
    return Relation(spec.scoring_set.schema, f"{spec.name}_predictions", spec.scoring_set.database)


def _scored(engine: Engine, spec: ModelSpec, version: Version) -> str:
    """The features of the rows that the version scored, with their score."""
    dialect = engine.name
    keys = (*spec.settings.entity, spec.settings.as_of)
    on = " and ".join(f"p.{quoted(key, dialect)} = s.{quoted(key, dialect)}" for key in keys)
    rows = spec.scoring_set.within(engine.database).sql(dialect)
    predictions = predictions_of(spec).within(engine.database).sql(dialect)
    return (
        f"select s.*, p.score as {quoted(SCORE, dialect)} from {rows} as s inner join {predictions} as p on {on} "
        f"and p.model_version = {int(version.version)}"
    )


def _performance(
    engine: Engine, registry: Registry, spec: ModelSpec, version: Version, window: Window
) -> list[Performance]:
    """The metrics of the version, and of the simple predictors that it was measured beside, on the same rows."""
    settings, signature = spec.settings, version.signature
    labels = Labels(
        spec.training_set.within(engine.database), settings.label, settings.label_at, signature.positive
    )
    rows = _scored(engine, spec, version)
    answers: dict[str, Relation | str] = {"model": predictions_of(spec).within(engine.database)}
    for rule in registry.rules(version):
        answers[rule.predictor] = rule_scores(rule, signature, rows, version.version, engine.name)
    return [
        found
        for predictor, relation in answers.items()
        for found in performance(
            engine,
            Predictions(relation, settings.entity),
            labels,
            task=settings.task,
            model=spec.name,
            version=version.version,
            window=window,
            as_of=window.end,
            predictor=predictor,
        )
    ]


def _by_column(bins: list[Bin]) -> dict[str, list[Bin]]:
    found: dict[str, list[Bin]] = {}
    for item in bins:
        found.setdefault(item.column_name, []).append(item)
    return found


def _volume(registry: Registry, spec: ModelSpec, version: Version, window: Window, rows: int) -> Performance:
    """Rows a day in the window, as a multiple of the rows a day in a span as long as the test window of training."""
    run = registry.run(version.run_id)
    tested = Split.model_validate(run.params["split"]).windows(run.as_of)
    # Scored rows have no label yet, so those they are held against need none. Older runs counted labelled ones only.
    rows_then = run.row_counts.get(TEST_WINDOW, run.row_counts["test"])
    before = rows_then / ((tested.end - tested.test_start) / DAY)
    return Performance(
        model=spec.name,
        version=version.version,
        window_start=window.start,
        window_end=window.end,
        metric=VOLUME,
        value=rows / ((window.end - window.start) / DAY) / before,
        row_count=rows,
        scored_count=rows,
        monitored_at=window.end,
    )
