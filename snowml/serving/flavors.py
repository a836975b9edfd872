"""The flavour of a version: how its function is computed.

`sql`: the function is one expression, which any client can call and which needs no package. `kernel`: SQL prepares the
inputs of a compiled forest. `estimator`: a vectorised function around the pipeline, for everything else. `native`: a
method of the warehouse's own MODEL, where that is wanted and there are such. The choice is made when a version is
registered, and recorded with it.
"""

from importlib.util import find_spec

from snowml.errors import UserError
from snowml.names import Dialect
from snowml.records import Flavor
from snowml.registry.trusted import Artifact
from snowml.serving import compiling, native
from snowml.serving.sql import compiled


def choose(artifact: Artifact, dialect: Dialect, wanted: Flavor | None = None) -> Flavor:
    """The flavour that the specification wants, or the fastest that answers what scikit-learn answers.

    Raises:
        UserError: The wanted one cannot serve this pipeline; the message says why.
    """
    if wanted == "estimator":
        return "estimator"
    if wanted == "native":
        _forced("native", native.reason_against(artifact.signature))
        # On DuckDB the same estimator answers, in a function of ours: a specification holds for both.
        return "native" if dialect == "snowflake" else "estimator"
    if wanted == "sql":
        return _forced("sql", compiled.reason_against(artifact.pipeline, artifact.signature, dialect))
    if wanted == "kernel":
        return _forced("kernel", compiling.reason_against(artifact, dialect))
    small = compiled.is_small(artifact.pipeline)
    if small and compiled.reason_against(artifact.pipeline, artifact.signature, dialect) is None:
        return "sql"
    # Without numba the estimator itself is faster.
    if find_spec("numba") is not None and compiling.reason_against(artifact, dialect) is None:
        return "kernel"
    return "estimator"


def _forced(flavor: Flavor, reason: str | None) -> Flavor:
    if reason is not None:
        raise UserError(
            f"serving: {flavor} cannot serve this model: {reason}. Remove the key `serving`, and the flavour is chosen "
            "for you."
        )
    return flavor
