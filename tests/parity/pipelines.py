"""Parts that any pipeline is made of, and rows for it: ordinary ones, and each column at everything odd."""

import warnings

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest, VarianceThreshold, f_regression
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    GammaRegressor,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    TweedieRegressor,
)
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from snowml.records import Feature, Signature

TEXTS = ["a", "A", " a", "", "it's", "日本", "back\\slash", None]
MARKS = (
    None,
    np.nan,
    np.inf,
    -np.inf,
    0.0,
    -0.0,
    1.0,
    -1.0,
    -0.5,
    5e-324,
    1e39,
    -1e39,
    1e308,
    -1e308,
    1e-9,
    0.5,
)
FEATURES = (
    Feature(name="x", kind="number"),
    Feature(name="y", kind="number"),
    Feature(name="c", kind="category"),
    Feature(name="d", kind="category"),
)
EXACT = (DecisionTreeClassifier, DecisionTreeRegressor, RandomForestRegressor, ExtraTreesClassifier)
EXACT += (GradientBoostingRegressor, GradientBoostingClassifier, HistGradientBoostingRegressor)


def data(seed, rows=120):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=rows) * 10.0 ** rng.integers(-4, 5), rng.gamma(2.0, size=rows) + 0.1
    x[rng.random(rows) < 0.1] = np.nan
    y[rng.random(rows) < 0.05] = np.nan
    c, d = (
        rng.choice(np.array(TEXTS, dtype=object), rows, p=[0.3, 0.2, 0.2, 0.1, 0.08, 0.06, 0.03, 0.03])
        for _ in "cd"
    )
    return pd.DataFrame({"x": x, "y": y, "c": c, "d": d})


def trials(frame):
    """Ordinary rows, then each column in turn at everything odd."""
    base = frame.iloc[:25].to_dict("records")
    first = base[0]
    odd = [first | {name: mark} for name in "xy" for mark in MARKS]
    odd += [first | {name: text} for name in "cd" for text in [*TEXTS, "unseen", "a ", "NaN"]]
    odd.append(dict.fromkeys("xycd"))
    table = pd.DataFrame(base + odd)
    texts = {name: table[name].astype(object).where(table[name].notna(), None) for name in "cd"}
    return pd.DataFrame({"x": table["x"].astype(float), "y": table["y"].astype(float), **texts})


def median():
    return SimpleImputer(strategy="median", keep_empty_features=True)


FILLED = {
    "median": lambda: [median()],
    "mean": lambda: [SimpleImputer()],
    "frequent": lambda: [SimpleImputer(strategy="most_frequent")],
    "constant": lambda: [SimpleImputer(strategy="constant", fill_value=-1.5)],
    "indicated": lambda: [SimpleImputer(add_indicator=True)],
    "late": lambda: [StandardScaler(), SimpleImputer(strategy="median")],
    "robust late": lambda: [RobustScaler(quantile_range=(10, 90)), SimpleImputer(add_indicator=True)],
    "power late": lambda: [PowerTransformer(), SimpleImputer()],
    "log": lambda: [FunctionTransformer(np.log), SimpleImputer()],
}
SHAPED = {
    "as they are": list,
    "standard": lambda: [StandardScaler()],
    "unit": lambda: [MinMaxScaler(clip=True)],
    "wide": lambda: [MinMaxScaler(feature_range=(-3, 5))],
    "largest": lambda: [MaxAbsScaler()],
    "robust": lambda: [RobustScaler(with_centering=False)],
    "binary": lambda: [Binarizer(threshold=0.4)],
    "bins": lambda: [KBinsDiscretizer(4, encode="onehot-dense", quantile_method="averaged_inverted_cdf")],
    "ordered bins": lambda: [StandardScaler(), KBinsDiscretizer(5, encode="ordinal", strategy="uniform")],
    "products": lambda: [PolynomialFeatures(3, include_bias=True), StandardScaler()],
    "interactions": lambda: [MaxAbsScaler(), PolynomialFeatures(2, interaction_only=True)],
    "rows": lambda: [MaxAbsScaler(), Normalizer()],
    "rows by l1": lambda: [MaxAbsScaler(), Normalizer("l1")],
    "power": lambda: [PowerTransformer()],
    "root": lambda: [FunctionTransformer(np.abs), FunctionTransformer(np.sqrt)],
    "log1p": lambda: [FunctionTransformer(np.log1p, validate=True), StandardScaler()],
    "union": lambda: [
        FeatureUnion([("one", StandardScaler()), ("two", MaxAbsScaler())], transformer_weights={"two": 2})
    ],
    "varied": lambda: [VarianceThreshold(), MaxAbsScaler()],
}  # fmt: skip
CODED = {
    "one-hot": lambda: [OneHotEncoder(handle_unknown="ignore")],
    "strict": lambda: [OneHotEncoder(drop="first")],
    "rare": lambda: [OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=10)],
    "few": lambda: [OneHotEncoder(handle_unknown="ignore", max_categories=3, drop="if_binary")],
    "binary": lambda: [OneHotEncoder(handle_unknown="ignore", drop="first", sparse_output=False), StandardScaler()],
    "codes": lambda: [OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)],
    "filled": lambda: [
        SimpleImputer(missing_values=None, strategy="constant", fill_value="none"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    ],
    "missing": lambda: [
        SimpleImputer(missing_values=None, strategy="constant", fill_value=np.nan, keep_empty_features=True),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
    ],
}  # fmt: skip
PICKED = {
    "all": list,
    "best": lambda: [SelectKBest(f_regression, k=2)],
    "by a model": lambda: [SelectFromModel(Ridge(), max_features=3, threshold=-np.inf)],
    "one by one": lambda: [RFE(Ridge(), n_features_to_select=3)],
    "varied": lambda: [VarianceThreshold()],
}
REGRESSORS = {
    "least squares": lambda: LinearRegression(),
    "ridge": lambda: Ridge(),
    "lasso": lambda: Lasso(alpha=0.05),
    "elastic net": lambda: ElasticNet(alpha=0.05),
    "bayesian": lambda: BayesianRidge(),
    "huber": lambda: HuberRegressor(max_iter=1000),
    "poisson": lambda: PoissonRegressor(),
    "gamma": lambda: GammaRegressor(),
    "tweedie": lambda: TweedieRegressor(power=1.5),
    "normal": lambda: TweedieRegressor(power=0),
    "log target": lambda: TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1),
    "scaled target": lambda: TransformedTargetRegressor(Ridge(), transformer=StandardScaler()),
    "tree": lambda: DecisionTreeRegressor(max_leaf_nodes=8, random_state=0),
    "forest": lambda: RandomForestRegressor(3, max_leaf_nodes=6, random_state=0),
    "boosting": lambda: GradientBoostingRegressor(n_estimators=4, max_depth=2, random_state=0),
    "histograms": lambda: HistGradientBoostingRegressor(max_iter=3, max_leaf_nodes=6, min_samples_leaf=5),
}
CLASSIFIERS = {
    "logistic": lambda: LogisticRegression(max_iter=500),
    "sigmoid": lambda: CalibratedClassifierCV(RidgeClassifier(), cv=2),
    "isotonic": lambda: CalibratedClassifierCV(LogisticRegression(max_iter=500), method="isotonic", cv=2),
    "tree": lambda: DecisionTreeClassifier(max_leaf_nodes=8, random_state=0),
    "forest": lambda: ExtraTreesClassifier(3, max_leaf_nodes=6, random_state=0),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=3, max_depth=2, random_state=0),
    "exponential": lambda: GradientBoostingClassifier(loss="exponential", n_estimators=3, max_depth=2, random_state=0),
}  # fmt: skip


def fitted(parts, frame, task):
    filled, shaped, coded, picked, model = parts
    blocks = [
        ("numbers", make_pipeline(*filled(), *shaped()), ["x", "y"]),
        ("categories", make_pipeline(*coded()), ["d", "c"]),
    ]
    prepare = make_pipeline(ColumnTransformer(blocks, sparse_threshold=0.0), *picked())
    made = model()
    target = frame.y.fillna(1.0) + 0.3 * (frame.c == "a") + 0.1 * np.arange(len(frame)) % 1.0
    label = target > target.median() if task == "classification" else target
    return Pipeline([("prepare", prepare), ("estimator", made)]).fit(frame, label), type(made) in EXACT


parts = given(
    st.sampled_from([*FILLED]),
    st.sampled_from([*SHAPED]),
    st.sampled_from([*CODED]),
    st.sampled_from([*PICKED]),
    st.sampled_from([("regression", name) for name in REGRESSORS] + [("classification", name) for name in CLASSIFIERS]),
    st.integers(0, 2**16),
)  # fmt: skip


def built(filled, shaped, coded, picked, model, seed):
    """The pipeline of these parts, and whether its answers are exact; None where scikit-learn refuses to fit it."""
    task, name = model
    models = REGRESSORS if task == "regression" else CLASSIFIERS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            chosen = (FILLED[filled], SHAPED[shaped], CODED[coded], PICKED[picked], models[name])
            return fitted(chosen, data(seed), task)
        except ValueError:
            return None


def signature(task):
    classes = (False, True) if task == "classification" else ()
    return Signature(
        features=FEATURES, entity=("id",), as_of="t", task=task, label_type="DOUBLE",
        classes=classes, positive=classes[1] if classes else None,
    )  # fmt: skip
