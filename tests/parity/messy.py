"""Data with everything in it that real tables have, and the answers of scikit-learn, row by row."""

from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa

from snowml.records import Feature, Signature
from snowml.training.pipeline import build, fit

NUMBERS = ("plain", "seconds", "tiny", "constant", "empty")
CATEGORIES = ("city", "single", "absent", "code")
FEATURES = tuple(Feature(name=n, kind="number") for n in NUMBERS) + tuple(
    Feature(name=c, kind="category") for c in CATEGORIES
)
SUBSETS = {"all": FEATURES, "numbers": FEATURES[:5], "categories": FEATURES[5:]}
CITIES = ["Łódź", "O'Hare", 'say "hi"', "", "back\\slash", "line\nbreak", "semi;--", "日本", None]
EXTREMES = (
    *(None, float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 5e-324, -5e-324, 1e-310, 1e-35),
    *(1e38, 3.4028234663852886e38, 3.4028235677973362e38, 3.4028235677973366e38, 1e39, -1e39),
    *(1e300, 1e308, -1e308, 1.7976931348623157e308, -1.7976931348623157e308, 1.4e9, 2.0**53 + 1),
)


def frame(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    plain = rng.normal(size=rows)
    plain[rng.random(rows) < 0.1] = np.nan
    code = [f"v{i}" for i in rng.integers(0, 60 if seed == 0 else 70, rows)]
    return pd.DataFrame(
        {
            "plain": plain,
            "seconds": 1.4e9 + np.round(rng.normal(size=rows) * 1e6),
            "tiny": rng.normal(size=rows) * 1e-6,
            "constant": np.full(rows, 7.5),
            "empty": np.full(rows, np.nan),
            "city": np.array(CITIES, dtype=object)[rng.integers(0, len(CITIES), rows)],
            "single": np.full(rows, "only", dtype=object),
            "absent": np.full(rows, None, dtype=object),
            "code": np.array(code, dtype=object),
        }
    )


def adversarial() -> pd.DataFrame:
    base = frame(1, 0).to_dict("records")[0]
    rows = [base | {name: value} for name in NUMBERS for value in EXTREMES]
    texts = [None, "unseen", "", "v1", " only", "O'Hare", "Łódź", "NaN", "null"]
    rows += [base | {name: value} for name in CATEGORIES for value in texts]
    rows += [dict.fromkeys(NUMBERS + CATEGORIES), dict.fromkeys(NUMBERS, np.nan) | dict.fromkeys(CATEGORIES)]
    table = pd.DataFrame(rows)
    numbers = {name: table[name].astype(float) for name in NUMBERS}
    texts_or_none = {name: table[name].astype(object).where(table[name].notna(), None) for name in CATEGORIES}
    return pd.DataFrame(numbers | texts_or_none)


@cache
def trained(name: str, task: str, subset: str = "all"):
    rows = frame(400, 0)
    small = {
        "random_forest": {"n_estimators": 5},
        "extra_trees": {"n_estimators": 5},
        "gradient_boosting": {"n_estimators": 8},
        "hist_gradient_boosting": {"max_iter": 8},
        "lightgbm": {"n_estimators": 8},
        "xgboost": {"n_estimators": 8},
        "linear_regression": {},
        "huber": {"max_iter": 1000},
        "logistic_regression": {"max_iter": 1000},
    }
    noise = np.random.default_rng(9).normal(size=len(rows))
    target = rows.plain.fillna(0.5) + (rows.seconds - 1.4e9) / 1e6 + (rows.city == "O'Hare") + noise
    if name in ("poisson", "gamma", "tweedie"):
        target = target.abs() + 0.1
    label = target > 0.3 if task == "classification" else target
    return fit(build(name, task, small.get(name, {}), 7, SUBSETS[subset]), rows, label)


def signature(task: str, subset: str = "all", positive: object = True) -> Signature:
    binary = task == "classification"
    return Signature(
        features=SUBSETS[subset],
        entity=("id",),
        as_of="as_of",
        task=task,
        label_type="BOOLEAN" if binary else "DOUBLE",
        classes=(False, True) if binary else (),
        positive=positive if binary else None,
    )


def answers(pipeline, rows: pd.DataFrame, positive: object = True) -> list[float | None]:
    """scikit-learn's answer for each row alone, None where it refuses the row."""
    try:
        with np.errstate(all="ignore"):
            return bulk(pipeline, rows, positive).tolist()
    except ValueError:
        if len(rows) == 1:
            return [None]
    return [answers(pipeline, rows.iloc[i : i + 1], positive)[0] for i in range(len(rows))]


def bulk(pipeline, rows: pd.DataFrame, positive: object = True):
    if hasattr(pipeline, "classes_"):
        return pipeline.predict_proba(rows)[:, list(pipeline.classes_).index(positive)]
    return pipeline.predict(rows)


def arrow(rows: pd.DataFrame, subset: str = "all") -> pa.Table:
    """The rows as a warehouse holds them, NaN kept as NaN."""
    columns = {}
    for feature in SUBSETS[subset]:
        kind = pa.float64() if feature.kind == "number" else pa.string()
        columns[feature.name] = pa.array(rows[feature.name].to_numpy(), kind, from_pandas=False)
    return pa.table(columns)
