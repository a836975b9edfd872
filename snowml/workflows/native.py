"""Native models: where the warehouse has a registry of models itself, each version stands there too.

snowml's tables are the truth. What the warehouse shows is made to follow them by each command that makes a version or
turns the champion: a version that is missing is logged again, and the champion is the champion there.
"""

from typing import Literal

from snowml.boosting.base import DISTRIBUTIONS, distribution
from snowml.engines.base import NativeModels, NativeVersion
from snowml.errors import DataError, TerminalError, WarehouseError
from snowml.names import Relation
from snowml.progress import Progress, Silent
from snowml.records import Version
from snowml.registry.store import Registry
from snowml.registry.trusted import check_digest
from snowml.serving import estimator, native
from snowml.serving.functions import parameters_of, says


def follow(registry: Registry, model: str, progress: Progress | None = None) -> bool:
    """Make the warehouse's own registry of models follow snowml's tables; nothing where it has none.

    A version whose artifact is lost is left out: nothing can be made of it.

    Returns:
        Whether another version, or none, was the champion there: as after a command that died.

    Raises:
        TerminalError: A version of that name is there, and is something else.
        WarehouseError: The warehouse or its client refuses a version. What snowml's tables say stands.
    """
    models = registry.engine.models
    if models is None:
        return False
    versions, home = registry.versions(model), registry.table(model)
    if not versions:
        return False
    there = {logged.name: logged for logged in models.versions(home)}
    missing = [version for version in versions if name_of(version) not in there]
    for version in versions:
        if version not in missing and there[name_of(version)].comment != _comment(version):
            raise _foreign(version, home, there[name_of(version)].comment)
    made = _log(models, registry, missing, progress or Silent()) if missing else set()
    champions = registry.champions(model)
    champion = next((version for version in versions if version.version in champions[-1:]), None)
    if champion is None or (name := name_of(champion)) not in there.keys() | made:
        return False
    if name in there and there[name].is_champion:
        return False
    models.crown(home, name)
    return True


def name_of(version: Version) -> str:
    """What a version is called among the warehouse's own."""
    return native.version_name(version.version)


def _log(models: NativeModels, registry: Registry, versions: list[Version], progress: Progress) -> set[str]:
    """Log these versions of one model; gives the names of those that could be."""
    made, measured = set(), registry.metrics(versions[0].model)
    for version in versions:
        try:
            data = registry.artifact(version)
            check_digest(data, version.artifact)
        except DataError:
            continue
        splits = measured.get(version.run_id, {}).get("model", {})
        metrics = {f"{split}_{name}": value for split, by in splits.items() for name, value in by.items()}
        with progress.step(f"log {version.model} version {version.version} as a model of the warehouse"):
            try:
                models.log(_native(registry, version, data, metrics))
            except WarehouseError as error:
                raise type(error)(
                    f"{error}\n{version.model} version {version.version} is registered all the same. The next train, "
                    "promote or rollback logs it as a model of the warehouse."
                ) from error
        made.add(name_of(version))
    return made


def _native(registry: Registry, version: Version, data: bytes, metrics: dict[str, float]) -> NativeVersion:
    return NativeVersion(
        model=registry.table(version.model),
        name=name_of(version),
        parameters=parameters_of(version.signature),
        methods=native.methods_of(version.signature),
        handler=native.__name__,
        packages=_packages(registry, version),
        artifact=version.artifact,
        data=data,
        metrics=metrics,
        comment=_comment(version),
        task=_task(version),
    )


def _task(version: Version) -> Literal["regression", "binary", "multiclass"]:
    if version.signature.task == "regression":
        return "regression"
    return "multiclass" if version.signature.is_multiclass else "binary"


def _packages(registry: Registry, version: Version) -> tuple[str, ...]:
    trained = str(registry.run(version.run_id).params["estimator"])
    boosting = (distribution(trained),) if trained in DISTRIBUTIONS else ()
    return (*estimator.PACKAGES, *boosting)


def _comment(version: Version) -> str:
    return f"{says(version)}, artifact {version.artifact}"


def _foreign(version: Version, home: Relation, comment: str) -> TerminalError:
    return TerminalError(
        f"The model {home} has a version {name_of(version)} that is not {version.model} version {version.version} of "
        f"this registry; its comment is '{comment}'. Drop the version, or the model {home}: it is logged again by the "
        "next command."
    )
