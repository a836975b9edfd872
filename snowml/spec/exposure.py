"""Exposures of `type: ml` to `ModelSpec`s."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from snowml.errors import ModelNotFound, SpecError, did_you_mean
from snowml.spec.location import Locator, locate_exposure, locate_settings
from snowml.spec.manifest import appended, manifest_hash, relation
from snowml.spec.model import ModelSpec
from snowml.spec.overrides import overridden
from snowml.spec.validation import validated

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN = re.compile(r".*(_proba|_label|_v\d+)")


def model_names(manifest: Mapping[str, Any], *, having: str | None = None) -> list[str]:
    """The models of the root project, sorted: its exposures of type ml that have `meta.snowml`.

    Args:
        manifest: dbt's manifest.json.
        having: Only those with this key among their settings.
    """
    models = {one["name"]: _settings(one) for one in _exposures(manifest) if one.get("type") == "ml"}
    wanted = (name for name, raw in models.items() if raw is not None and (having is None or having in raw))
    return sorted(wanted)


def read_spec(
    manifest: Mapping[str, Any],
    name: str,
    *,
    project_dir: Path,
    registry_schema: str,
    function_schema: str,
    database: str,
    target: str,
    git_commit: str | None,
    overrides: Mapping[str, object] | None = None,
) -> ModelSpec:
    """The specification of the model `name`.

    Args:
        manifest: dbt's manifest.json for the target.
        name: The exposure's name.
        project_dir: Where the exposure's file is looked for, to say on which line something is wrong.
        registry_schema: Where runs and versions are kept.
        function_schema: Where the prediction functions live.
        database: The target's own database; a relation in it is stored without one.
        target: dbt's name of the environment.
        git_commit: The project's commit, when it has one.
        overrides: Dotted keys to set over the exposure's settings, such as `split.test`.

    Raises:
        ModelNotFound: There is no such exposure.
        SpecError: The exposure is no model, or its settings are wrong; it lists everything that is.
    """
    exposure = _exposure(manifest, name)
    file = exposure.get("original_file_path")
    place = locate_exposure(project_dir, file, name)
    raw = _checked(exposure, place)
    locator = locate_settings(place, overrides or ())
    given = overridden(raw, overrides or {})
    settings = validated(given, locator)
    training_set, scoring_set = (
        relation(manifest, exposure, key, ref, database, locator)
        for key, ref in (("training_set", settings.training_set), ("scoring_set", settings.scoring_set))
    )
    stream = settings.monitor.stream
    return ModelSpec(
        name=name,
        project=exposure["package_name"],
        owner=_owner(exposure),
        file=file,
        settings=settings,
        training_set=training_set,
        scoring_set=scoring_set,
        stream=appended(manifest, exposure, "monitor.stream", stream, database, locator) if stream else None,
        registry_schema=registry_schema,
        function_schema=function_schema,
        target=target,
        manifest_hash=manifest_hash(manifest, exposure),
        git_commit=git_commit,
        given=given,
    )


def _exposures(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    project = manifest.get("metadata", {}).get("project_name")
    for exposure in manifest.get("exposures", {}).values():
        if project is None or exposure.get("package_name") == project:
            yield exposure


def _settings(exposure: Mapping[str, Any]) -> Any:
    """The raw settings. Before dbt 1.10 meta stood outside config."""
    for meta in (exposure.get("config", {}).get("meta"), exposure.get("meta")):
        if isinstance(meta, dict) and "snowml" in meta:
            return {} if meta["snowml"] is None else meta["snowml"]
    return None


def _exposure(manifest: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    for exposure in _exposures(manifest):
        if exposure["name"] == name:
            return exposure
    known = model_names(manifest)
    hint = did_you_mean(name, known) if known else " The project has none: declare an exposure of 'type: ml'."
    raise ModelNotFound(f"no model '{name}'.{hint}")


def _checked(exposure: Mapping[str, Any], place: Locator) -> Any:
    """The raw settings of an exposure that is a model."""
    name, kind, raw = exposure["name"], exposure.get("type"), _settings(exposure)
    line = place.line
    if kind != "ml":
        line = place.line_of(("type",))
        complaint = f"exposure '{name}' is of type '{kind}', and a model is of 'type: ml'."
    elif raw is None:
        complaint = f"exposure '{name}' has no settings. Add 'config: {{meta: {{snowml: {{task: …}}}}}}'."
    elif not _NAME.fullmatch(name):
        complaint = f"model name '{name}' {_unfit(name)}: use a-z, 0-9 and _, a letter first."
    elif taken := _TAKEN.fullmatch(name):
        complaint = (
            f"model name '{name}' ends in '{taken[1]}', which marks the model's other functions. Rename it."
        )
    else:
        return raw
    raise SpecError(complaint, file=place.file, line=line)


def _unfit(name: str) -> str:
    """What keeps `name` from being the name of a function."""
    strange = list(dict.fromkeys(re.findall(r"[^A-Za-z0-9_]", name)))
    if strange:
        return f"has {' and '.join(repr(one) for one in strange)} in it"
    return "is not in lower case" if name != name.lower() else "does not begin with a letter"


def _owner(exposure: Mapping[str, Any]) -> str | None:
    owner = exposure.get("owner") or {}
    known = owner.get("name") or owner.get("email")
    return str(known) if known else None
