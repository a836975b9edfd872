"""What each feature contributes, by a forest's paths, as a vectorised function: doubles in, a list of doubles out.

This is the handler of a `VectorFunction` whose artifact is of `kernel.paths`; a row that the prediction function
refuses is refused here.
"""

from collections.abc import Callable
from typing import Final

import pyarrow as pa

from snowml.errors import DataError
from snowml.kernel import paths
from snowml.kernel.forest import MalformedForest
from snowml.serving.kernel_function import over_columns

# What this module and those of snowml that it needs import; without numba it answers the same, slower.
PACKAGES: Final = ("numba", "numpy", "pyarrow")


def load(artifact: bytes) -> Callable[..., pa.Array]:
    """The function of the paths' bytes: one column for each input, in order.

    Raises:
        DataError: The bytes are not such, or damaged.
    """
    try:
        found = paths.loads(artifact)
    except MalformedForest as wrong:
        raise DataError(str(wrong)) from wrong
    return over_columns(found.forest, found.contributions, several=True)
