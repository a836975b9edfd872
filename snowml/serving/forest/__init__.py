"""From fitted tree ensembles of several libraries to the kernel's arrays."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from snowml.kernel.forest import Forest
from snowml.serving.forest.unsupported import Unsupported

# By the class's name and the first part of its module: nothing is imported to look.
_EXPORTERS: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("sklearn", "HistGradientBoostingClassifier"): ("histogram", "export"),
    ("sklearn", "HistGradientBoostingRegressor"): ("histogram", "export"),
    ("sklearn", "GradientBoostingClassifier"): ("trees", "export_boosting"),
    ("sklearn", "GradientBoostingRegressor"): ("trees", "export_boosting"),
    ("sklearn", "RandomForestClassifier"): ("trees", "export_forest"),
    ("sklearn", "RandomForestRegressor"): ("trees", "export_forest"),
    ("sklearn", "ExtraTreesClassifier"): ("trees", "export_forest"),
    ("sklearn", "ExtraTreesRegressor"): ("trees", "export_forest"),
    ("sklearn", "DecisionTreeClassifier"): ("trees", "export_tree"),
    ("sklearn", "DecisionTreeRegressor"): ("trees", "export_tree"),
    ("lightgbm", "LGBMClassifier"): ("lightgbm", "export"),
    ("lightgbm", "LGBMRegressor"): ("lightgbm", "export"),
    ("snowml", "LightGBMClassifier"): ("lightgbm", "export"),
    ("snowml", "LightGBMRegressor"): ("lightgbm", "export"),
    ("snowml", "XGBoostClassifier"): ("xgboost", "export_booster"),
    ("snowml", "XGBoostRegressor"): ("xgboost", "export_booster"),
    ("xgboost", "XGBClassifier"): ("xgboost", "export"),
    ("xgboost", "XGBRegressor"): ("xgboost", "export"),
}


def export(model: Any, column: int = 0) -> Forest:
    """The forest of a fitted tree ensemble.

    Args:
        model: The estimator.
        column: Of a classifier, the class whose probability is given, as an index into its classes; or
            `kernel.forest.ALL` of them.

    Raises:
        Unsupported: It is none, or does something that the kernel does not do.
    """
    kind = type(model)
    found = _EXPORTERS.get((kind.__module__.partition(".")[0], kind.__name__))
    if found is None:
        raise Unsupported(f"{kind.__name__} is not a tree ensemble that the kernel knows")
    module, function = found
    exporter = getattr(import_module(f"{__name__}.{module}"), function)
    forest: Forest = exporter(model, column)
    return forest


__all__ = ["Unsupported", "export"]
