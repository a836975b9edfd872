"""A small project: one exposure as YAML, and the manifest that dbt would make of it."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from snowml.spec.exposure import read_spec
from snowml.spec.model import ModelSpec

FILE = "models/ml/churn.yml"

TEXT = """\
exposures:
  - name: churn
    type: ml
    owner: {name: Shop, email: shop@example.com}
    depends_on: [ref('churn_training_set'), ref('churn_scoring_set')]
    config:
      meta:
        snowml:
          task: classification
          entity: customer_id
          as_of: as_of
          label: churned
          label_at: label_known_at
          positive: true
          training_set: churn_training_set
          scoring_set: churn_scoring_set
          features: {exclude: []}
          split: {by: time, validation: 30 days, test: 30 days}
          estimator: logistic_regression
          params: {tol: 1e-9, C: 1.0}
          metric: roc_auc
          gates:
            - {metric: roc_auc, split: test, min: 0.65}
            - {better_than: baseline}
"""

READ = {
    "registry_schema": "main_snowml",
    "function_schema": "main",
    "database": "shop",
    "target": "dev",
    "git_commit": None,
}


def node(kind: str, name: str, parents: list[str], **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "resource_type": kind,
        "package_name": "shop",
        "database": "shop",
        "schema": "main",
        "alias": name,
        "relation_name": f'"shop"."main"."{name}"',
        "checksum": {"name": "sha256", "checksum": f"sum of {name}"},
        "config": {"materialized": "table"},
        "depends_on": {"nodes": parents, "macros": []},
        **more,
    }


def manifest_of(text: str) -> dict[str, Any]:
    """The manifest of a project whose only exposures are those in `text`."""
    base = ["model.shop.customers"]
    nodes = {
        "model.shop.customers": node("model", "customers", ["source.shop.raw.events"]),
        "model.shop.churn_training_set": node("model", "churn_training_set", base),
        "model.shop.churn_scoring_set": node("model", "churn_scoring_set", base),
        "model.shop.unrelated": node("model", "unrelated", []),
        "test.shop.not_null": node("test", "not_null", base),
    }
    source = {
        "name": "events",
        "source_name": "raw",
        "identifier": "events_v1",
        "schema": "raw",
        "database": "lake",
    }
    exposures = {f"exposure.shop.{one['name']}": _exposure(one) for one in yaml.safe_load(text)["exposures"]}
    return {
        "metadata": {"project_name": "shop"},
        "nodes": nodes,
        "sources": {"source.shop.raw.events": {**source, "relation_name": '"lake"."raw"."events_v1"'}},
        "macros": {},
        "exposures": exposures,
    }


def _exposure(raw: dict[str, Any]) -> dict[str, Any]:
    refs = [ref.removeprefix("ref('").removesuffix("')") for ref in raw.get("depends_on", [])]
    return {
        **raw,
        "package_name": "shop",
        "original_file_path": FILE,
        "depends_on": {"nodes": [f"model.shop.{ref}" for ref in refs], "macros": []},
    }


class Project:
    """Writes the exposure's file and reads the spec back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: dict[str, Any] = {}
        self.write(TEXT)

    def write(self, text: str) -> None:
        path = self.folder / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.manifest = manifest_of(text)

    def replace(self, old: str, new: str) -> "Project":
        assert old in TEXT
        self.write(TEXT.replace(old, new))
        return self

    def read(self, name: str = "churn", **more: Any) -> ModelSpec:
        return read_spec(self.manifest, name, project_dir=self.folder, **{**READ, **more})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def raw() -> dict[str, Any]:
    """The settings as dbt gives them."""
    return deepcopy(yaml.safe_load(TEXT)["exposures"][0]["config"]["meta"]["snowml"])


@pytest.fixture
def spec_with(project: Project) -> Callable[..., ModelSpec]:
    """A spec whose settings are overridden by dotted keys."""
    return lambda **keys: project.read(
        overrides={key.replace("__", "."): value for key, value in keys.items()}
    )
