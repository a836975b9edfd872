"""The flavour of a version: how its function is computed.

`sql`: the function is one expression, which any client can call and which needs no package. `estimator`: a vectorised
function around the pipeline, for everything else. The choice is made when a version is registered, and recorded
with it.
"""

from snowml.errors import UserError
from snowml.names import Dialect
from snowml.records import Flavor, Serving
from snowml.registry.trusted import Artifact
from snowml.serving.sql import compiled


def choose(artifact: Artifact, dialect: Dialect, wanted: Serving | None = None) -> Flavor:
    """The flavour that the specification wants, or the fastest that answers what scikit-learn answers.

    Raises:
        UserError: The wanted one cannot serve this pipeline; the message says why.
    """
    pipeline, signature = artifact.pipeline, artifact.signature
    if wanted == "estimator":
        return "estimator"
    if wanted == "kernel":
        kind = type(pipeline.steps[-1][1]).__name__
        raise UserError(f"serving: kernel cannot serve a {kind} in this version of snowml. {_REMEDY}")
    if wanted is None and not compiled.is_small(pipeline):
        return "estimator"
    reason = compiled.reason_against(pipeline, signature, dialect)
    if reason is None:
        return "sql"
    if wanted == "sql":
        raise UserError(f"serving: sql cannot serve this model: {reason}. {_REMEDY}")
    return "estimator"


_REMEDY = "Remove the key `serving`, and the flavour is chosen for you."
