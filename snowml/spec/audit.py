"""What an audit of a model asks for."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from snowml.spec.fields import Number, Seed, refusal


def _share(value: float) -> float:
    if not 0 < value <= 1:
        raise refusal(f"{value:g} is not above 0 and up to 1")
    return value


def _cuts(value: int) -> int:
    if not 1 <= value <= 100:
        raise refusal(f"{value} is not a number of cuts from 1 to 100")
    return value


class Audit(BaseModel):
    """The parameters of `snowml audit`.

    Attributes:
        cuts: At how many moments the future is cut off.
        max_auc: The AUC above which a feature alone is taken to hold the label.
        max_r2: The same for a regression, the share of the label's variance.
        unseen_entities: Whether the entities of the test split must not be in the training split.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cuts: Annotated[Seed, AfterValidator(_cuts)] = 5
    max_auc: Annotated[Number, AfterValidator(_share)] = 0.97
    max_r2: Annotated[Number, AfterValidator(_share)] = 0.9
    unseen_entities: bool = False
