"""Raw settings to `Settings`: every complaint of the validator becomes a sentence about a key."""

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from snowml.errors import did_you_mean
from snowml.spec.problems import KeyPath, Problem, dotted, spec_error
from snowml.spec.settings import RESERVED, Settings

if TYPE_CHECKING:
    from snowml.spec.location import Locator

Root = type[BaseModel]

_SAYS = {
    "string_type": "is not text",
    "string_too_short": "is empty",
    "too_short": "is empty",
    "tuple_type": "is not a list",
    "bool_type": "is neither true nor false",
    "bool_parsing": "is neither true nor false",
    "int_type": "is no whole number",
    "int_parsing": "is no whole number",
    "dict_type": "is not a mapping",
    "model_type": "is not a mapping",
    "model_attributes_type": "is not a mapping",
}


def validated(raw: object, locator: "Locator | None" = None) -> Settings:
    """The settings in `raw`.

    Raises:
        SpecError: One error that lists everything that is wrong, each with its place.
    """
    try:
        return Settings.model_validate(raw)
    except ValidationError as failure:
        raise spec_error(problems_in(failure), locator) from failure


def problems_in(failure: ValidationError, root: Root = Settings) -> list[Problem]:
    """One problem for each complaint; a misspelt key is not missing as well, nor is a list of wrong items empty.

    Args:
        failure: What the validator says.
        root: What was validated.
    """
    errors: list[dict[str, Any]] = [dict(error) for error in failure.errors(include_url=False)]
    meant = {_meant(error["loc"], root) for error in errors if error["type"] == "extra_forbidden"}
    within = {error["loc"][:-1] for error in errors}
    consequences = {"missing": meant, "too_short": within}
    return [
        _problem(error, root) for error in errors if error["loc"] not in consequences.get(error["type"], ())
    ]


def _problem(error: dict[str, Any], root: Root) -> Problem:
    path = (*error["loc"], *error.get("ctx", {}).get("at", ()))
    if error["type"] == "extra_forbidden":
        return Problem(_unknown(path, root), path)
    say = _SENTENCES.get(error["type"], _other)
    return Problem(say(path, error), path)


def _unknown(path: KeyPath, root: Root) -> str:
    *above, key = path
    if root is Settings and not above and key in RESERVED:
        return f"key '{key}' is reserved for a later version and is not available yet. Remove it."
    inside = f" in '{dotted(tuple(above))}'" if above else ""
    return f"unknown key '{key}'{inside}.{did_you_mean(str(key), _known(above, root))}"


def _known(above: Sequence[str | int], root: Root) -> Iterable[str]:
    """The keys that there are under the path `above`; the numbers in it are items of lists."""
    model = root
    for key in above:
        if isinstance(key, str) and (field := model.model_fields.get(key)):
            model = _model_in(field.annotation) or model
    return model.model_fields


def _model_in(annotation: Any) -> Root | None:
    """The model that an annotation mentions: itself, or within `| None`, a tuple, Annotated."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def _meant(path: KeyPath, root: Root) -> KeyPath | None:
    """The path of the key that the unknown one at `path` is nearest to."""
    *above, key = path
    close = get_close_matches(str(key), _known(above, root), n=1)
    return (*above, close[0]) if close else None


def _missing(path: KeyPath, error: dict[str, Any]) -> str:
    *above, key = path
    inside = f" in '{dotted(tuple(above))}'" if above else ""
    return f"missing key '{key}'{inside}. Add '{key}: …'."


def _literal(path: KeyPath, error: dict[str, Any]) -> str:
    known = re.findall(r"'([^']*)'", error["ctx"]["expected"])
    return f"{dotted(path)}: unknown value {_shown(error)}.{did_you_mean(str(error['input']), known)}"


def _refused(path: KeyPath, error: dict[str, Any]) -> str:
    message = str(error["ctx"]["message"])
    return f"{dotted(path)}: {message}" + ("" if message.endswith((".", "?")) else ".")


def _other(path: KeyPath, error: dict[str, Any]) -> str:
    key = dotted(path) or "snowml"
    if error["input"] is None:
        return f"{key}: has no value. Give one or remove the key."
    return f"{key}: {_shown(error)} {_SAYS.get(error['type'], '— ' + error['msg'])}."


def _shown(error: dict[str, Any]) -> str:
    text = repr(error["input"])
    return text if len(text) <= 80 else text[:79] + "…"


_SENTENCES: dict[str, Callable[[KeyPath, dict[str, Any]], str]] = {
    "missing": _missing,
    "literal_error": _literal,
    "snowml": _refused,
}
