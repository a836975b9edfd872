"""The classes of a model, held against its signature."""

from typing import Any

from snowml.errors import DataError
from snowml.records import Signature


def place_of_positive(model: Any, signature: Signature) -> int:
    """Where the positive class stands among the model's.

    Raises:
        DataError: It is not one of them.
    """
    classes = model.classes_.tolist()
    if signature.positive not in classes:
        raise DataError(f"The positive class {signature.positive!r} is not one of the model's, {classes}.")
    place: int = classes.index(signature.positive)
    return place


def check_classes(model: Any, signature: Signature) -> None:
    """Refuse a model of other classes than its signature's, or in another order.

    Raises:
        DataError: It is one.
    """
    classes = model.classes_.tolist()
    if tuple(classes) != signature.classes:
        raise DataError(f"The classes {list(signature.classes)} are not the model's, {classes}.")
