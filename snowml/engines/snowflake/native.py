"""Native models: versions as MODEL objects of Snowflake, packed and logged by snowflake-ml's Registry.

What is there is asked and changed in SQL; snowflake-ml, which takes seconds to import, only packs and logs.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from platform import python_version_tuple
from typing import TYPE_CHECKING, Any, Final

from snowml.engines.base import Logged, NativeVersion
from snowml.engines.snowflake.code import package
from snowml.engines.snowflake.experiments import track
from snowml.engines.snowflake.ml import bare, stored, told
from snowml.engines.snowflake.packages import REPOSITORY, pinned
from snowml.names import Relation, literal, quoted

if TYPE_CHECKING:
    from snowml.engines.snowflake.engine import SnowflakeEngine

ALIAS: Final = "CHAMPION"
_TASKS: Final = {
    "regression": "TABULAR_REGRESSION",
    "binary": "TABULAR_BINARY_CLASSIFICATION",
    "multiclass": "TABULAR_MULTI_CLASSIFICATION",
}
_TYPES: Final = {"double": "DOUBLE", "text": "STRING", "bigint": "INT64", "boolean": "BOOL"}


class SnowflakeModels:
    """The MODEL objects of a session's account; the champion has the default version and the alias."""

    def __init__(self, engine: "SnowflakeEngine") -> None:
        self._engine = engine

    def versions(self, model: Relation) -> list[Logged]:
        """The versions of a model, in the order in which they were made."""
        name = stored(model.name)
        home = self._home(model)
        # LIKE ignores case and knows wildcards: what it finds is compared once more.
        found = self._engine.query(
            f"show models like {literal(name, 'snowflake')} in schema {'.'.join(home)}"
        )
        if name not in found["name"].to_pylist():
            return []
        return [Logged(row["name"], row["comment"] or "", _is_champion(row)) for row in self._rows(model)]

    def crown(self, model: Relation, name: str) -> None:
        """Make a version the default one, and give it the alias, which one version alone can have."""
        full, version = self._full(model), quoted(name, "snowflake")
        holders = [row["name"] for row in self._rows(model) if ALIAS in _aliases(row)]
        if holders and holders != [name]:
            self._engine.execute(f"alter model {full} version {ALIAS} unset alias")
        if name not in holders:
            self._engine.execute(f"alter model {full} version {version} set alias = {ALIAS}")
        self._engine.execute(f"alter model {full} set default_version = {version}")

    def log(self, version: NativeVersion) -> None:
        """Pack a version and make it.

        No row of the training set goes with it: the signature is given, and no sample is taken.

        Raises:
            ProjectError: snowflake-ml is not installed.
            TerminalError: It refuses to pack or to log the version, or a transaction is open.
        """
        what = f"log {version.model} version {version.name}"
        with (
            self._engine.transaction(ddl=True),
            told(self._engine, what, "A version is logged as a MODEL of Snowflake"),
            tempfile.TemporaryDirectory() as folder,
        ):
            from snowflake.ml.registry import Registry

            database, schema = self._home(version.model)
            registry = Registry(
                self._engine.session,
                database_name=database,
                schema_name=schema,
                options={"enable_monitoring": False},
            )
            registry.log_model(**_arguments(version, Path(folder)))

    def track(
        self, experiment: Relation, run: str, params: Mapping[str, object], metrics: Mapping[str, float]
    ) -> None:
        """Write a run of an experiment, where Snowsight shows it.

        Raises:
            ProjectError: snowflake-ml is not installed.
            TerminalError: It, or Snowflake, refuses.
        """
        track(self._engine, experiment, run, params, metrics)

    def _rows(self, model: Relation) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._engine.query(
            f"show versions in model {self._full(model)}"
        ).to_pylist()
        return found

    def _full(self, model: Relation) -> str:
        return model.within(self._engine.database).sql("snowflake")

    def _home(self, model: Relation) -> tuple[str, str]:
        database = model.database or self._engine.database
        return quoted(database, "snowflake"), quoted(model.schema, "snowflake")


def _arguments(version: NativeVersion, folder: Path) -> dict[str, Any]:
    """What `Registry.log_model` is told of a version, whose files are written to `folder`."""
    from snowflake.ml.model import type_hints
    from snowflake.ml.model.model_signature import DataType, FeatureSpec, ModelSignature
    from snowflake.ml.model.volatility import Volatility

    from snowml.engines.snowflake.packed import packed

    artifact, (name, code) = folder / version.artifact, package()
    artifact.write_bytes(version.data)
    (folder / name).write_bytes(code)
    inputs = [FeatureSpec(bare(item.name), DataType[_TYPES[item.type]]) for item in version.parameters]
    major, minor, _ = python_version_tuple()
    return {
        "model": packed(
            version.handler, {m.name: m.answer for m in version.methods}, artifact, folder / name
        ),
        "model_name": quoted(version.model.name, "snowflake"),
        "version_name": quoted(version.name, "snowflake"),
        "comment": version.comment,
        "metrics": dict(version.metrics),
        "signatures": {
            m.name: ModelSignature(inputs, [FeatureSpec(m.answer, DataType[_TYPES[m.type]])])
            for m in version.methods
        },
        "pip_requirements": list(pinned(version.packages)),
        "artifact_repository_map": {"pip": REPOSITORY},
        # Without one, no model monitor may watch it.
        "task": type_hints.Task[_TASKS[version.task]],
        "python_version": f"{major}.{minor}",
        "target_platforms": ["WAREHOUSE"],
        "options": {
            "capture_sample_input_data": False,
            "embed_local_ml_library": False,
            "enable_explainability": False,
            "relax_version": False,
            "volatility": Volatility.IMMUTABLE,
        },
    }


def _aliases(row: dict[str, Any]) -> list[str]:
    found: list[str] = json.loads(row["aliases"] or "[]")
    return found


def _is_champion(row: dict[str, Any]) -> bool:
    return str(row["is_default_version"]).lower() == "true" and ALIAS in _aliases(row)
