"""What an artifact may contain: every type by name, under the one skops loader that may build it.

Much narrower than what skops trusts of itself (every scikit-learn estimator, every NumPy and SciPy function):
only what the pipelines of `snowml.training` are made of.
"""

from collections.abc import Mapping
from typing import Final

# The versions of skops' format whose loaders were read for this.
PROTOCOLS: Final = frozenset({2})

_SKLEARN: Final = (
    "calibration.CalibratedClassifierCV",
    "calibration._CalibratedClassifier",
    "calibration._SigmoidCalibration",
    "compose._column_transformer.ColumnTransformer",
    "compose._target.TransformedTargetRegressor",
    "dummy.DummyClassifier",
    "dummy.DummyRegressor",
    "ensemble._forest.ExtraTreesClassifier",
    "ensemble._forest.ExtraTreesRegressor",
    "ensemble._forest.RandomForestClassifier",
    "ensemble._forest.RandomForestRegressor",
    "ensemble._gb.GradientBoostingClassifier",
    "ensemble._gb.GradientBoostingRegressor",
    "ensemble._hist_gradient_boosting.binning._BinMapper",
    "ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
    "ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor",
    "ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "feature_selection._from_model.SelectFromModel",
    "feature_selection._rfe.RFE",
    "feature_selection._univariate_selection.SelectKBest",
    "feature_selection._variance_threshold.VarianceThreshold",
    "impute._base.MissingIndicator",
    "impute._base.SimpleImputer",
    "isotonic.IsotonicRegression",
    "linear_model._base.LinearRegression",
    "linear_model._bayes.BayesianRidge",
    "linear_model._coordinate_descent.ElasticNet",
    "linear_model._coordinate_descent.Lasso",
    "linear_model._glm.glm.GammaRegressor",
    "linear_model._glm.glm.PoissonRegressor",
    "linear_model._glm.glm.TweedieRegressor",
    "linear_model._huber.HuberRegressor",
    "linear_model._logistic.LogisticRegression",
    "linear_model._quantile.QuantileRegressor",
    "linear_model._ridge.Ridge",
    "linear_model._ridge.RidgeClassifier",
    "pipeline.FeatureUnion",
    "pipeline.Pipeline",
    "preprocessing._data.Binarizer",
    "preprocessing._data.MaxAbsScaler",
    "preprocessing._data.MinMaxScaler",
    "preprocessing._data.Normalizer",
    "preprocessing._data.PowerTransformer",
    "preprocessing._data.RobustScaler",
    "preprocessing._data.StandardScaler",
    "preprocessing._discretization.KBinsDiscretizer",
    "preprocessing._encoders.OneHotEncoder",
    "preprocessing._encoders.OrdinalEncoder",
    "preprocessing._function_transformer.FunctionTransformer",
    "preprocessing._label.LabelBinarizer",
    "preprocessing._label.LabelEncoder",
    "preprocessing._polynomial.PolynomialFeatures",
    "tree._classes.DecisionTreeClassifier",
    "tree._classes.DecisionTreeRegressor",
    "tree._classes.ExtraTreeClassifier",
    "tree._classes.ExtraTreeRegressor",
)
_LINKS: Final = ("HalfLogitLink", "IdentityLink", "Interval", "LogLink", "LogitLink", "MultinomialLogit")
_LOSSES: Final = (
    "AbsoluteError",
    "ExponentialLoss",
    "HalfBinomialLoss",
    "HalfGammaLoss",
    "HalfMultinomialLoss",
    "HalfPoissonLoss",
    "HalfSquaredError",
    "HalfTweedieLoss",
    "HalfTweedieLossIdentity",
    "HuberLoss",
    "PinballLoss",
)
_NUMBERS: Final = ("bool", "float32", "float64", "int32", "int64", "str_", "uint8", "uint32", "uint64")
_FUNCTIONS: Final = (
    *("absolute", "cbrt", "exp", "expm1", "log", "log10", "log1p", "log2", "sign", "sqrt", "square"),
)
_PRIMITIVES: Final = ("bool", "float", "int", "str")


# Text of another library's model, which `bounds` looks through before that library reads it.
_BOOSTING: Final = (
    *("lightgbm.LightGBMClassifier", "lightgbm.LightGBMRegressor"),
    *("xgboost.XGBoostClassifier", "xgboost.XGBoostRegressor"),
)


def _named(prefix: str, *names: str) -> frozenset[str]:
    return frozenset(f"{prefix}.{name}" for name in names)


ALLOWED: Final[Mapping[str, frozenset[str]]] = {
    "DictNode": _named("builtins", "dict"),
    "ListNode": _named("builtins", "list"),
    "TupleNode": _named("builtins", "tuple"),
    "SliceNode": _named("builtins", "slice"),
    "JsonNode": _named("builtins", "str"),
    "TypeNode": _named("builtins", *_PRIMITIVES) | _named("numpy", *_NUMBERS),
    "NdArrayNode": _named("numpy", "ndarray", *_NUMBERS),
    "DTypeNode": _named("numpy", "dtype"),
    "RandomStateNode": _named("numpy", "random.mtrand.RandomState"),
    "RandomGeneratorNode": _named("numpy", "random._generator.Generator"),
    "LossNode": _named("sklearn._loss._loss", *(f"Cy{name}" for name in _LOSSES)),
    "TreeNode": _named("sklearn", "tree._tree.Tree"),
    "ObjectNode": (
        _named("sklearn", *_SKLEARN)
        | _named("snowml.boosting", *_BOOSTING)
        | _named("sklearn._loss.link", *_LINKS)
        | _named("sklearn._loss.loss", *_LOSSES)
    ),
    # HistGradientBoosting checks its numbers with a partial of `check_array`; SelectKBest scored with an F-test; the
    # others are what a FunctionTransformer may apply. All of them compute and do nothing else.
    "FunctionNode": _named("sklearn", "utils.validation.check_array")
    | _named("sklearn.feature_selection._univariate_selection", "f_classif", "f_regression")
    | _named("numpy", *_FUNCTIONS),
    "PartialNode": _named("functools", "partial"),
}
PARTIAL_KEYWORDS: Final = frozenset({"dtype", "ensure_all_finite"})
