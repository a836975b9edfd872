"""A version's tree ensemble, compiled for the forest kernel."""

from importlib.util import find_spec

from snowml.errors import DataError
from snowml.kernel import blob
from snowml.kernel.forest import Forest
from snowml.registry.trusted import Artifact
from snowml.serving import prepared
from snowml.serving.forest import Unsupported, export


def supports(artifact: Artifact) -> bool:
    """Whether it can be, and SQL can prepare its inputs. Without numba the estimator itself is faster."""
    if find_spec("numba") is None or not prepared.supports(artifact.pipeline):
        return False
    try:
        _forest(artifact)
    except Unsupported:
        return False
    return True


def compiled(artifact: Artifact) -> bytes:
    """Its bytes: the same artifact always gives the same, by which they are named.

    Raises:
        DataError: The kernel cannot score it, or the positive class is not one of the model's.
    """
    try:
        return blob.dumps(_forest(artifact))
    except Unsupported as reason:
        raise DataError(f"The model cannot be compiled: {reason}.") from reason


def _forest(artifact: Artifact) -> Forest:
    signature, model = artifact.signature, artifact.pipeline.named_steps["estimator"]
    if signature.task == "regression":
        return export(model)
    classes = model.classes_.tolist()
    if signature.positive not in classes:
        raise DataError(f"The positive class {signature.positive!r} is not one of the model's, {classes}.")
    return export(model, classes.index(signature.positive))
