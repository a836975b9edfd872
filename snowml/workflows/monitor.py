"""Monitor: the scored rows of a window against what was frozen at training, and against the labels known by now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from snowml.engines.base import Engine
from snowml.engines.columns import columns_of
from snowml.errors import DataError, UserError
from snowml.monitoring.drift import drift
from snowml.monitoring.performance import Labels, Predictions, performance
from snowml.monitoring.rules import rule_scores, share_names
from snowml.monitoring.window import Window
from snowml.names import Dialect, Relation, literal, quoted
from snowml.records import Bin, Drift, Performance, Signature, Version
from snowml.registry.store import Registry
from snowml.serving.multiclass import probability_of
from snowml.spec.model import ModelSpec
from snowml.spec.split import Split
from snowml.workflows.baselines import PREDICTION, SCORE
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
    window: timedelta | None = None,
    threshold: float | None = None,
) -> Monitored:
    """Compare the champion's scored rows of the window that ends at `as_of`, and keep what was found.

    Nothing but counts and metrics leaves the warehouse.

    Args:
        engine: The warehouse.
        registry: Where the model's versions are.
        located: The specification, which says window and threshold where none are given.
        as_of: Where the window ends.
        window: How far back it goes.
        threshold: The PSI above which a column has drifted.

    Raises:
        DataError: No row of the window is scored.
        UserError: The threshold is not a positive number, or the window begins before the calendar.
    """
    spec, settings = located.spec, located.spec.settings
    threshold = settings.monitor.threshold if threshold is None else threshold
    if not (isfinite(threshold) and threshold > 0):
        raise UserError(f"The threshold is {threshold}; give a positive number such as 0.2.")
    engine.tag("monitor", spec.name)
    version = registry.champion(spec.name)
    repair(registry, spec.name)
    span = Window(settings.as_of, before(as_of, window or settings.monitor.length), as_of)
    columns_of(engine, predictions_of(spec))
    found = drift(
        engine,
        _scored(engine, spec, version, _prediction(version.signature, engine.name)),
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


def _prediction(signature: Signature, dialect: Dialect) -> str:
    """What of an answer is held against the training's: the score, or which of more than two classes it names."""
    if not signature.is_multiclass:
        return f"p.score as {quoted(SCORE, dialect)}"
    # The texts that were frozen, and not what the warehouse makes of a label.
    cases = " ".join(
        f"when {literal(label, dialect)} then {literal(str(label), dialect)}" for label in signature.classes
    )
    return f"case p.prediction {cases} end as {quoted(PREDICTION, dialect)}"


def _scored(engine: Engine, spec: ModelSpec, version: Version, answer: str) -> str:
    """The features of the rows that the version scored, with its answer, an expression over `p`."""
    dialect = engine.name
    keys = (*spec.settings.entity, spec.settings.as_of)
    on = " and ".join(f"p.{quoted(key, dialect)} = s.{quoted(key, dialect)}" for key in keys)
    rows = spec.scoring_set.within(engine.database).sql(dialect)
    predictions = predictions_of(spec).within(engine.database).sql(dialect)
    return (
        f"select s.*, {answer} from {rows} as s inner join {predictions} as p on {on} "
        f"and p.model_version = {int(version.version)}"
    )


def _performance(
    engine: Engine, registry: Registry, spec: ModelSpec, version: Version, window: Window
) -> list[Performance]:
    """The metrics of the version, and of the simple predictors that it was measured beside, on the same rows."""
    settings, signature = spec.settings, version.signature
    labels = Labels(
        spec.training_set.within(engine.database),
        settings.label,
        settings.label_at,
        signature.positive,
        signature.classes if signature.is_multiclass else (),
    )
    rows = _scored(engine, spec, version, _prediction(signature, engine.name))
    shares = [probability_of("probabilities", label, signature, engine.name) for label in labels.classes]
    own = Predictions(predictions_of(spec).within(engine.database), settings.entity, shares=tuple(shares))
    answers = {"model": own}
    for rule in registry.rules(version):
        relation = rule_scores(rule, signature, rows, version.version, engine.name)
        names = share_names(signature) if labels.classes else ()
        answers[rule.predictor] = Predictions(relation, settings.entity, shares=names)
    return [
        found
        for predictor, predictions in answers.items()
        for found in performance(
            engine,
            predictions,
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
