"""A version's tree ensemble, compiled for the forest kernel."""

from dataclasses import replace

import numpy as np

from snowml.errors import DataError
from snowml.kernel import blob
from snowml.kernel.forest import ALL, Forest
from snowml.kernel.paths import Paths, paths_of
from snowml.names import Dialect
from snowml.registry.trusted import Artifact
from snowml.serving import forest
from snowml.serving.classes import check_classes, place_of_positive
from snowml.serving.sql import compiled
from snowml.serving.sql.expressions import Unsupported


def reason_against(artifact: Artifact, dialect: Dialect) -> str | None:
    """Why the kernel cannot score it, or SQL cannot prepare its inputs; None where both can."""
    try:
        _forest(artifact)
        compiled.inputs(artifact.pipeline, artifact.signature, dialect)
    except (forest.Unsupported, Unsupported) as reason:
        return str(reason)
    return None


def forest_bytes(artifact: Artifact) -> bytes:
    """Its bytes: the same artifact always gives the same, by which they are named.

    Raises:
        DataError: The kernel cannot score it, or the positive class is not one of the model's.
    """
    try:
        return blob.dumps(_forest(artifact))
    except forest.Unsupported as reason:
        raise DataError(f"The model cannot be compiled: {reason}.") from reason


def paths(artifact: Artifact) -> Paths:
    """Its paths, by which a score is told by features.

    Raises:
        Unsupported: It is no tree ensemble of the kernel's, or an input is made of several features.
    """
    try:
        made = _forest(artifact)
    except forest.Unsupported as reason:
        raise Unsupported(str(reason)) from reason
    features = artifact.signature.features
    group = np.array(compiled.credited(artifact.pipeline, artifact.signature), np.int32)
    return paths_of(made, group, len(features))


def _forest(artifact: Artifact) -> Forest:
    refuses = compiled.refuses(artifact.pipeline, artifact.signature)
    return replace(_exported(artifact), null_refused=refuses)


def _exported(artifact: Artifact) -> Forest:
    signature, model = artifact.signature, artifact.pipeline.steps[-1][1]
    if signature.task == "regression":
        return forest.export(model)
    if signature.is_multiclass:
        check_classes(model, signature)
        return forest.export(model, ALL)
    return forest.export(model, place_of_positive(model, signature))
