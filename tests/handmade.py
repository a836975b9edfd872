"""A model without a dbt project: a generated training set, and the specification written by hand."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from snowml.engines.duckdb.connection import DuckDBFile
from snowml.engines.duckdb.engine import DuckDBEngine
from snowml.names import Relation
from snowml.registry.store import Registry
from snowml.spec.model import ModelSpec
from snowml.workflows.promote import promote
from snowml.workflows.specs import Located
from snowml.workflows.train import train

START = datetime(2013, 1, 1)
AS_OF = START + timedelta(days=90)
NOW = datetime(2013, 6, 1, 12)
MODEL = "lateness"
SIZE = {"hist_gradient_boosting": {"max_iter": 5}, "logistic_regression": {"max_iter": 200}}


def frame(rows=300, *, negative=False, positive=True, seed=0):
    """One row every few hours of 90 days; each label is known two days later. Labels may be of any type."""
    random = np.random.default_rng(seed)
    as_of = pd.to_datetime(START) + pd.to_timedelta(np.arange(rows) * (90 * 24 * 60 // rows), unit="min")
    speed = np.where(random.random(rows) < 0.1, np.nan, random.normal(size=rows))
    town = random.choice(np.array(["a", "it's", None], dtype=object), rows)
    late = np.nan_to_num(speed) + (town == "a") + 0.5 * random.normal(size=rows) > 0.3
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "as_of": as_of.astype("datetime64[us]"),
            "speed": speed,
            'Wind "Gust" m/s?': random.integers(0, 9, rows).astype(float),
            "town": town,
            "late": np.where(late, positive, negative),
            "known_at": as_of.to_numpy().astype("datetime64[us]") + np.timedelta64(2, "D"),
        }
    )


def spec(estimator="logistic_regression", **changes):
    settings = {
        "task": "classification",
        "entity": "id",
        "as_of": "as_of",
        "label": "late",
        "label_at": "known_at",
        "training_set": "training_set",
        "scoring_set": "training_set",
        "split": {"validation": "15 days", "test": "15 days"},
        "estimator": estimator,
        "params": SIZE.get(estimator, {}),
        "gates": [{"metric": "roc_auc" if changes.get("task") != "regression" else "mae", "min": 0.01}],
    }
    return ModelSpec.model_validate(
        {
            "name": MODEL,
            "project": "handmade",
            "settings": settings | changes,
            "training_set": Relation("main", "training_set"),
            "scoring_set": Relation("main", "training_set"),
            "registry_schema": "snowml",
            "function_schema": "main",
            "target": "test",
            "manifest_hash": "0",
        }
    )


def file_at(folder, name="warehouse.duckdb"):
    return DuckDBFile(str(folder / name))


def fill(engine, data):
    engine.connection.register("frame_to_load", data)
    engine.execute("create or replace table main.training_set as select * from frame_to_load")
    engine.connection.unregister("frame_to_load")


def open_file(file):
    engine = DuckDBEngine(file.open(wait=30))
    return engine, Registry(engine, "snowml")


def train_one(
    engine, registry, estimator="logistic_regression", *, now=NOW, as_of=AS_OF, if_changed=False, **changes
):
    located = Located(spec(estimator, **changes))
    return train(engine, registry, located, as_of=as_of, now=now, if_changed=if_changed)


def promote_one(engine, registry, version=None, now=NOW):
    return promote(engine, registry, MODEL, version=version, now=now)
