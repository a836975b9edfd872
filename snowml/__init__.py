"""Machine learning that lives in the warehouse.

For notebooks and scripts: `connect` gives a session with the prediction functions ready, `training_set` the rows a
model is trained on, `load_model` a version's scikit-learn pipeline, `bucket` the number that the dbt macro of that name
gives. The command line is a door to the same functions.
"""

from typing import TYPE_CHECKING, Any

from snowml.buckets import bucket

if TYPE_CHECKING:
    from snowml.notebook import connect, load_model, training_set

__all__ = ["bucket", "connect", "load_model", "training_set"]


def __getattr__(name: str) -> Any:
    """The notebook functions, imported when they are asked for: they need scikit-learn and the warehouse's driver."""
    if name in __all__:
        from snowml import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module 'snowml' has no attribute '{name}'")
