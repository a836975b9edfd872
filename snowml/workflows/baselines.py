"""What monitoring will compare with, frozen when a version is trained."""

import numpy as np
from numpy.typing import NDArray

from snowml.monitoring.bins import freeze
from snowml.records import Bin, Signature
from snowml.training.data import TrainingData
from snowml.training.split import Mask

# No feature can be called that.
SCORE = "(score)"
# Of more than two classes there is no one score: what is compared is how often each is predicted.
PREDICTION = "(prediction)"


def freeze_baselines(
    signature: Signature,
    data: TrainingData,
    train: Mask,
    labels: NDArray[np.generic],
    scores: NDArray[np.float64],
) -> list[Bin]:
    """The distributions of each feature in the rows that were fitted, and of the answers in rows that were not.

    Scores of the rows that a model was fitted on are more extreme than any it will give again.
    """
    frame = data.frame
    bins = [
        item
        for feature in signature.features
        for item in freeze(feature.name, feature.kind, frame[feature.name].to_numpy()[train])
    ]
    if signature.is_multiclass:
        texts = np.array([str(label) for label in labels.tolist()], dtype=object)
        return [*bins, *freeze(PREDICTION, "category", texts)]
    return [*bins, *freeze(SCORE, "number", scores)]
