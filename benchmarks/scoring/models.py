"""The five kinds of model: trained, registered and promoted by snowml, each in a DuckDB file of its own.

Tree ensembles take the numbers, since most peers take nothing else; the logistic regression takes all features, its
categories one-hot.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import duckdb
import joblib
import pandas as pd

from benchmarks.scoring.data import Inputs
from snowml.engines.duckdb.connection import DuckDBFile
from snowml.engines.duckdb.engine import DuckDBEngine
from snowml.errors import SnowmlError, UserError
from snowml.names import Relation, quoted
from snowml.registry.store import Registry
from snowml.spec.model import ModelSpec
from snowml.training.estimators import ESTIMATORS
from snowml.workflows.champion import load_artifact
from snowml.workflows.promote import promote
from snowml.workflows.specs import Located
from snowml.workflows.train import train

MODEL: Final = "benchmark"
_NOW: Final = datetime(2030, 1, 1)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of model: snowml's name of the estimator, its parameters, and whether it takes categories."""

    estimator: str
    params: dict[str, Any]
    categories: bool = False


KINDS: Final = {
    "hist_gradient_boosting": Kind("hist_gradient_boosting", {"max_iter": 100}),
    "lightgbm": Kind("lightgbm", {"n_estimators": 200, "num_leaves": 31}),
    "xgboost": Kind("xgboost", {"n_estimators": 200, "max_depth": 6}),
    "random_forest": Kind("random_forest", {"n_estimators": 100, "max_depth": 10}),
    "logistic_regression": Kind("logistic_regression", {"max_iter": 300}, categories=True),
}


class Trained:
    """A trained model on disk."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.kind, self.database, self._pipeline = kind, folder / f"{kind}.duckdb", folder / f"{kind}.joblib"
        self._notes = folder / f"{kind}.json"

    @property
    def exists(self) -> bool:
        """Whether it was trained."""
        return self._notes.is_file()

    @cached_property
    def notes(self) -> dict[str, Any]:
        """Its `features`, and why snowml does not serve it (`refused`), or how it does (`flavor`)."""
        notes: dict[str, Any] = json.loads(self._notes.read_text("utf-8"))
        return notes

    @property
    def features(self) -> list[str]:
        """The names of its inputs, in order."""
        return list(self.notes["features"])

    def pipeline(self, threads: int = 1) -> Any:
        """The fitted pipeline, for so many threads where it has any."""
        pipeline = joblib.load(self._pipeline)
        if "n_jobs" in pipeline["estimator"].get_params():
            pipeline["estimator"].set_params(n_jobs=threads)
        return pipeline

    def artifact(self) -> bytes:
        """The bytes that snowml registered."""
        engine, registry = _open(self.database)
        try:
            return registry.artifact(registry.champion(MODEL))
        finally:
            engine.close()

    def train(self, inputs: Inputs) -> None:
        """Train, register and promote; where snowml has no such estimator, train only. Forget what was made of it."""
        for file in self.database.parent.glob(f"{self.kind}.*"):
            file.unlink()
        numbers, categories = inputs.of_kind("number"), inputs.of_kind("category")
        kind = KINDS[self.kind]
        features = numbers + categories if kind.categories else numbers
        engine, registry = _open(self.database)
        try:
            as_of = _fill(engine.connection, inputs.file, features)
            notes: dict[str, Any] = {"features": features}
            try:
                _known(kind)
                located = Located(_spec(kind))
                version = train(engine, registry, located, as_of=as_of, now=_NOW).version
                pipeline = load_artifact(registry, version).pipeline
                notes["flavor"] = version.flavor
                promote(engine, registry, MODEL, now=_NOW)
            except UserError as refused:
                notes["refused"] = str(refused)
                pipeline = _fitted_without(kind, engine.connection.sql("from training_set").df(), features)
            except SnowmlError as failed:
                notes["refused"] = str(failed)
        finally:
            engine.close()
        joblib.dump(pipeline, self._pipeline)
        self._notes.write_text(json.dumps(notes), "utf-8")


def _open(database: Path) -> tuple[DuckDBEngine, Registry]:
    engine = DuckDBEngine(DuckDBFile(str(database)).open())
    return engine, Registry(engine, "snowml")


def _fill(connection: duckdb.DuckDBPyConnection, rows: Path, features: list[str]) -> datetime:
    columns = ", ".join(quoted(name, "duckdb") for name in features)
    connection.execute(f"attach '{rows}' as inputs (read_only)")
    connection.execute(
        f"create table training_set as select row, {columns}, as_of, label, label_at from inputs.base"
    )
    connection.execute("detach inputs")
    newest: datetime = connection.sql("select max(label_at) from training_set").fetchall()[0][0]
    return newest


def _known(kind: Kind) -> None:
    if kind.estimator not in ESTIMATORS:
        raise UserError(f"snowml has no estimator '{kind.estimator}'.")


def _spec(kind: Kind) -> ModelSpec:
    training_set = Relation("main", "training_set")
    return ModelSpec.model_validate(
        {
            "name": MODEL,
            "project": "benchmarks",
            "settings": {
                "task": "classification",
                "entity": "row",
                "as_of": "as_of",
                "label": "label",
                "label_at": "label_at",
                "positive": True,
                "training_set": training_set.name,
                "scoring_set": training_set.name,
                "split": {"validation": "10 days", "test": "10 days"},
                "estimator": kind.estimator,
                "params": kind.params,
                "gates": [{"metric": "roc_auc", "min": 0.01}],
            },
            "training_set": training_set,
            "scoring_set": training_set,
            "registry_schema": "snowml",
            "function_schema": "main",
            "target": "benchmark",
            "manifest_hash": "0",
        }
    )


def _fitted_without(kind: Kind, frame: pd.DataFrame, features: list[str]) -> Any:
    """The model of an estimator that snowml does not have."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    if kind.estimator == "lightgbm":
        from lightgbm import LGBMClassifier as Estimator
    else:
        from xgboost import XGBClassifier as Estimator
    prepare = ColumnTransformer([("numbers", "passthrough", features)])
    quiet = {"verbosity": -1} if kind.estimator == "lightgbm" else {}
    pipeline = Pipeline([("prepare", prepare), ("estimator", Estimator(**kind.params, **quiet))])
    return pipeline.fit(frame[features], frame["label"])
