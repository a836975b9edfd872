"""What each feature contributes, by a forest's paths, as a vectorised function: doubles in, a list of doubles out.

This is the handler of a `VectorFunction` whose artifact is of `kernel.paths`; a row that the prediction function
refuses is refused here.
"""

from typing import Final

from snowml.errors import DataError
from snowml.kernel import paths
from snowml.kernel.forest import MalformedForest
from snowml.serving.kernel_function import Function, over_rows

# What this module and those of snowml that it needs import; without numba it answers the same, slower.
PACKAGES: Final = ("numba", "numpy", "pyarrow")


def load(artifact: bytes) -> Function:
    """The function of the paths' bytes: of a struct of the inputs, in order.

    Raises:
        DataError: The bytes are not such, or damaged.
    """
    try:
        found = paths.loads(artifact)
    except MalformedForest as wrong:
        raise DataError(str(wrong)) from wrong
    return over_rows(found.forest, found.contributions, several=True)
