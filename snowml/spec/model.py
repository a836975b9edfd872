"""A model's specification, resolved for one target: what training, serving and the registry read."""

import json
from hashlib import sha256
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

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
        stream: The table whose new rows the scheduled tasks wait for; None: they wait for nothing.
        registry_schema: Where runs and versions are kept.
        function_schema: Where the prediction functions live.
        target: dbt's name of the environment.
        manifest_hash: What the upstream code was, see `manifest_hash` in `manifest`; None where it was read from JSON.
        git_commit: The project's commit, kept beside the JSON: dbt, which writes the same JSON, does not know it.
        given: The settings as the exposure has them, before they were tidied and defaults were filled in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    project: str
    owner: str | None = None
    file: str | None = None
    settings: Settings
    training_set: Relation
    scoring_set: Relation
    stream: Relation | None = None
    registry_schema: str
    function_schema: str
    target: str
    manifest_hash: str | None = None
    git_commit: str | None = None
    given: dict[str, Any] | None = Field(default=None, exclude=True, repr=False)

    @property
    def hash(self) -> str:
        """The sha256 of what changes the model: its name, settings and relations."""
        shown = self.model_dump(mode="json", include={"name", "settings", "training_set", "scoring_set"})
        for name in _ABOUT_IT:
            del shown["settings"][name]
        return sha256(canonical(shown).encode()).hexdigest()

    def to_json(self) -> str:
        """The whole of it as JSON, to the letter as the macro `record_specs` writes it.

        Whoever records a specification, the other sees that it is there. So the settings are as given.
        """
        shown = self.model_dump(mode="json", exclude={"manifest_hash", "git_commit"})
        # YAML has dates, JSON has not: they are written as the macro's filter `string` writes them.
        return json.dumps({**shown, "settings": self.given or shown["settings"]}, sort_keys=True, default=str)

    @classmethod
    def from_json(cls, text: str) -> "ModelSpec":
        """The spec that `to_json` wrote.

        Raises:
            SpecError: The text is damaged, or another version of snowml wrote it.
        """
        try:
            raw = json.loads(text)
            known = isinstance(raw, dict) and isinstance(raw.get("settings"), dict)
            return cls.model_validate({**raw, "given": raw["settings"]} if known else raw)
        except ValidationError as failure:
            detail = " ".join(problem.message for problem in problems_in(failure, cls))
            raise SpecError(f"a stored specification cannot be read: {detail} {_REMEDY}") from failure
        except (ValueError, RecursionError) as failure:
            raise SpecError(f"a stored specification is not JSON: {text[:60]!r}. {_REMEDY}") from failure


# Settings that say how a model is looked after, and nothing of what it is.
_ABOUT_IT = ("audit", "experiment_tracking", "monitor", "retrain")

_REMEDY = "It is damaged or of another version of snowml: train or deploy the model again to store it anew."
