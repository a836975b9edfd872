"""Runs in Snowflake's own experiments, which Snowsight shows: written by snowflake-ml's ExperimentTracking."""

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from snowml.engines.snowflake.ml import bare, told
from snowml.names import Relation, quoted

if TYPE_CHECKING:
    from snowml.engines.snowflake.engine import SnowflakeEngine

_NEEDS: Final = "Runs are tracked as an EXPERIMENT of Snowflake"


def track(
    engine: "SnowflakeEngine",
    experiment: Relation,
    run: str,
    params: Mapping[str, object],
    metrics: Mapping[str, float],
) -> None:
    """Write one run, and end it; the experiment is made where there is none yet.

    Raises:
        ProjectError: snowflake-ml is not installed.
        TerminalError: It, or Snowflake, refuses.
    """
    with engine.transaction(ddl=True), told(engine, f"track the run {run} of {experiment}", _NEEDS):
        tracking = _tracking(engine, experiment)
        tracking.set_experiment(quoted(experiment.name, "snowflake"))
        tracking.start_run(bare(run))
        tracking.log_params({name: _plain(value) for name, value in params.items()})
        # What is no number has no place in the JSON that is sent.
        tracking.log_metrics({name: float(value) for name, value in metrics.items() if isfinite(value)})
        tracking.end_run()


def _tracking(engine: "SnowflakeEngine", experiment: Relation) -> Any:
    """A tracker of our own: the class hands everybody in the process the first one, with its session."""
    from snowflake.ml.experiment import ExperimentTracking

    class Tracking(ExperimentTracking):  # type: ignore[misc]
        _instance = None

    return Tracking(
        engine.session,
        database_name=quoted(experiment.database or engine.database, "snowflake"),
        schema_name=quoted(experiment.schema, "snowflake"),
        capture_source_info=False,
    )


def _plain(value: object) -> str:
    """A parameter as text that does not end the quotes it is sent in."""
    return str(value).replace("$$", "$ $")
