"""What snowflake-ml packs of a version: a class, the artifact as a file, and snowml's own modules as a zip.

snowflake-ml pickles the class, by value, and loads that pickle in the warehouse. Nothing of ours is in it but the code
below: no data, no model. The artifact stays what it is, bytes that `handler` audits before it constructs anything. The
pickle lies with the artifact and the zip in the MODEL, which only its owner can write to, and is no more than another
way to bring code there.
"""

import hashlib
import importlib
import sys
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from snowflake.ml.model import custom_model


class _Packed(custom_model.CustomModel):
    handler: ClassVar[str]
    answers: ClassVar[dict[str, str]]

    def __init__(self, context: custom_model.ModelContext) -> None:
        super().__init__(context)
        self._methods: Any = None

    def _answer(self, method: str, rows: pd.DataFrame) -> pd.DataFrame:
        if self._methods is None:
            # Not when it is made: that happens at logging too, where the zip has no business on the path.
            sys.path.insert(0, self.context.path("code"))
            artifact = Path(self.context.path("artifact"))
            data = artifact.read_bytes()
            if hashlib.sha256(data).hexdigest() != artifact.name:
                raise ValueError(
                    f"The artifact {artifact.name} holds other bytes: it was changed or damaged."
                )
            self._methods = importlib.import_module(self.handler).load(data)
        return pd.DataFrame({self.answers[method]: self._methods[method](rows)})


class _Predicts(_Packed):
    @custom_model.inference_api
    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        return self._answer("predict", rows)


class _PredictsWithProbability(_Predicts):
    @custom_model.inference_api
    def predict_proba(self, rows: pd.DataFrame) -> pd.DataFrame:
        return self._answer("predict_proba", rows)


def packed(handler: str, answers: dict[str, str], artifact: Path, code: Path) -> custom_model.CustomModel:
    """The model to log: `answers` names the column that each method answers, and `artifact` is named by its sha256."""
    base = _PredictsWithProbability if "predict_proba" in answers else _Predicts
    made: type[custom_model.CustomModel] = type("Packed", (base,), {"handler": handler, "answers": answers})
    return made(custom_model.ModelContext(artifacts={"artifact": str(artifact), "code": str(code)}))
