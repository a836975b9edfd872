"""A model's specification, resolved for one target: what training, serving and the registry read."""

import json
from hashlib import sha256
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from snowml.errors import SpecError
from snowml.names import Relation
from snowml.spec.settings import Settings
from snowml.spec.validation import problems_in


def canonical(value: Any) -> str:
    """JSON with one spelling: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


class ModelSpec(BaseModel):
    """The settings of a model with everything that its exposure refers to.

    Attributes:
        file: The file of the exposure, relative to the project.
        training_set: Its database is None when it is the target's own, as is the scoring set's.
        registry_schema: Where runs and versions are kept.
        function_schema: Where the prediction functions live.
        target: dbt's name of the environment.
        manifest_hash: What the upstream code was, see `manifest_hash` in `manifest`; None where dbt recorded it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    project: str
    owner: str | None = None
    file: str | None = None
    settings: Settings
    training_set: Relation
    scoring_set: Relation
    registry_schema: str
    function_schema: str
    target: str
    manifest_hash: str | None = None
    git_commit: str | None = None

    @property
    def hash(self) -> str:
        """The sha256 of what changes the model: its name, settings and relations."""
        shown = self.model_dump(mode="json", include={"name", "settings", "training_set", "scoring_set"})
        for name in _ABOUT_IT:
            del shown["settings"][name]
        return sha256(canonical(shown).encode()).hexdigest()

    def to_json(self) -> str:
        """The whole of it as JSON; equal specs give equal text."""
        return canonical(self.model_dump(mode="json"))

    @classmethod
    def from_json(cls, text: str) -> "ModelSpec":
        """The spec that `to_json` wrote.

        Raises:
            SpecError: The text is damaged, or another version of snowml wrote it.
        """
        try:
            return cls.model_validate(json.loads(text))
        except ValidationError as failure:
            detail = " ".join(problem.message for problem in problems_in(failure))
            raise SpecError(f"a stored specification cannot be read: {detail} {_REMEDY}") from failure
        except (ValueError, RecursionError) as failure:
            raise SpecError(f"a stored specification is not JSON: {text[:60]!r}. {_REMEDY}") from failure


# Settings that say how a model is looked after, and nothing of what it is.
_ABOUT_IT = ("audit", "experiment_tracking", "monitor", "retrain")

_REMEDY = "It is damaged or of another version of snowml: train or deploy the model again to store it anew."
