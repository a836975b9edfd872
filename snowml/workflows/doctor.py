"""Doctor: is everything in place, from the installation to the columns that each champion reads?"""

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from snowml.auditing.findings import Check, counted
from snowml.engines.base import Engine
from snowml.engines.columns import columns_of
from snowml.errors import DataError, NotTrained, SnowmlError
from snowml.names import Dialect
from snowml.records import Version
from snowml.registry.schema import CURRENT, schema_version
from snowml.registry.store import Registry
from snowml.spec.columns import features
from snowml.spec.exposure import model_names
from snowml.spec.fields import folded
from snowml.spec.kinds import kind_of
from snowml.spec.model import ModelSpec
from snowml.workflows.dbt import Dbt
from snowml.workflows.inputs import broken_inputs, broken_where_built
from snowml.workflows.project import Project
from snowml.workflows.specs import Located, from_project

_DISTRIBUTION = "snowml-warehouse"


@dataclass(slots=True)
class Examination:
    """Checks, one after the other; what depends on one that failed is left out."""

    checks: list[Check] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every check did."""
        return all(one.passed for one in self.checks)

    def ask(self, name: str, question: Callable[[], str]) -> bool:
        """Add a check: the answer of a question, or the error that it raises."""
        try:
            self.checks.append(Check(name, True, question()))
        except SnowmlError as error:
            self.checks.append(Check(name, False, str(error)))
        return self.checks[-1].passed

    def summary(self) -> dict[str, Any]:
        """What a command answers."""
        return {"passed": self.passed, "checks": [one.summary() for one in self.checks]}


def examine(load: Callable[[], Project], make: Callable[[Project], Dbt]) -> Examination:
    """Look at the installation, the project, its profile, the warehouse, the registry and every model.

    Args:
        load: Gives the project, or raises what is wrong with it.
        make: Gives dbt for it.
    """
    found = Examination()
    found.ask("versions", _versions)
    projects: list[Project] = []
    if not found.ask("project", lambda: _project(projects, load)):
        return found
    project, manifests = projects[0], list[dict[str, Any]]()
    parsed = found.ask("dbt", lambda: _parsed(make(project), manifests))
    engines: list[Engine] = []
    if not found.ask("connection", lambda: _connected(project, engines)):
        return found
    engine = engines[0]
    try:
        registry = project.registry(engine)
        found.ask("registry", lambda: _registry(engine, registry))
        if parsed:
            for name in model_names(manifests[0]):
                found.ask(f"model {name}", lambda name=name: _model(project, registry, manifests[0], name))  # type: ignore[misc]
    finally:
        engine.close()
    return found


def _versions() -> str:
    """The packages that snowml needs, each within its bounds.

    Raises:
        DataError: One is missing or out of bounds.
    """
    try:
        wanted = [Requirement(one) for one in requires(_DISTRIBUTION) or ()]
    except PackageNotFoundError:
        return f"python {platform.python_version()}"
    wrong, installed = [], [f"python {platform.python_version()}", f"snowml {version(_DISTRIBUTION)}"]
    for one in wanted:
        if one.marker and not one.marker.evaluate({"extra": ""}):
            continue
        try:
            here = version(one.name)
        except PackageNotFoundError:
            wrong.append(f"{one.name} is not installed; snowml needs {one.name}{one.specifier}")
            continue
        installed.append(f"{one.name} {here}")
        if not one.specifier.contains(here, prereleases=True):
            wrong.append(f"{one.name} is {here}; snowml needs {one.specifier}")
    if wrong:
        raise DataError("; ".join(wrong) + ". Install snowml again from its clone: pip install .")
    return ", ".join(installed)


def _project(into: list[Project], load: Callable[[], Project]) -> str:
    project = load()
    into.append(project)
    target = project.target
    return f"{project.name} in {project.folder}, target {target.name} ({target.type}) of {target.file}"


def _parsed(dbt: Dbt, into: list[dict[str, Any]]) -> str:
    manifest = dbt.manifest()
    into.append(manifest)
    if not any(uid.startswith("macro.snowml.") for uid in manifest["macros"]):
        raise DataError(
            "The project does not have the dbt package snowml. Add it to packages.yml (- local: …/snowml/dbt), then: "
            "dbt deps"
        )
    names = model_names(manifest)
    nodes = sum(uid.startswith("model.") for uid in manifest["nodes"])
    return f"parses: {counted(nodes, 'dbt model')}; models: {', '.join(names) or 'none yet'}"


def _connected(project: Project, into: list[Engine]) -> str:
    path = project.target.settings.get("path")
    if project.target.type == "duckdb" and path not in (None, ":memory:") and not Path(str(path)).exists():
        raise DataError(f"There is no {path} yet. Build it: snowml build")
    engine = project.open(read_only=True)
    into.append(engine)
    return f"{engine.name}, database {engine.database}"


def _registry(engine: Engine, registry: Registry) -> str:
    found = schema_version(engine, registry.schema)
    if found == 0:
        return f"none yet in schema {registry.schema}; the first training makes it"
    if found > CURRENT:
        raise DataError(
            f"The registry in schema {registry.schema} has version {found}; this snowml knows {CURRENT}. "
            "Upgrade snowml."
        )
    older = f", {CURRENT} with the next training" if found < CURRENT else ""
    return f"schema {registry.schema}, version {found}{older}"


def _model(project: Project, registry: Registry, manifest: Mapping[str, Any], name: str) -> str:
    """The state of a model.

    Raises:
        SpecError: Its specification is wrong, or does not fit its training set.
        DataError: Its champion reads a column that its scoring set lacks, or has as another type.
    """
    engine = registry.engine
    located = from_project(project, manifest, name, database=engine.database)
    told = [_training_set(engine, located)]
    champion = _champion(registry, name)
    if champion is None:
        return f"{told[0]}; no champion yet"
    broken = broken_where_built(engine, located.spec.scoring_set, champion) + _declared(
        manifest, located.spec, champion, engine.name
    )
    if broken:
        raise DataError("\n".join(dict.fromkeys(broken)))
    return f"{told[0]}; version {champion.version} is champion and has all that it reads"


def _training_set(engine: Engine, located: Located) -> str:
    try:
        columns = columns_of(engine, located.spec.training_set)
    except DataError:
        return f"{located.spec.settings.training_set} is not built yet"
    found = features(located.spec, columns, located.locator, dialect=engine.name)
    return f"{counted(len(found), 'feature')} in {located.spec.settings.training_set}"


def _champion(registry: Registry, model: str) -> Version | None:
    if not registry.exists:
        return None
    try:
        champions = registry.champions(model)
    except NotTrained:
        return None
    return registry.version(model, champions[-1]) if champions else None


def _declared(manifest: Mapping[str, Any], spec: ModelSpec, champion: Version, dialect: Dialect) -> list[str]:
    """What is wrong with the scoring set as its contract declares it, before anything is built."""
    for uid, node in manifest["nodes"].items():
        if not uid.startswith("model.") or node["name"] != spec.settings.scoring_set:
            continue
        if not node.get("config", {}).get("contract", {}).get("enforced"):
            return []
        columns = [(one["name"], one.get("data_type") or "") for one in node["columns"].values()]
        known = [(folded(one), type_) for one, type_ in columns if kind_of(type_)]
        return broken_inputs(known, champion, f"the contract of {spec.settings.scoring_set}", dialect)
    return []
