"""A small dbt project of another trade: shops, their customers, who leaves and who spends how much.

A test takes a copy of the stage it needs: `written` (parsed), `built` (training and scoring sets), `trained` (both
models, neither promoted), `promoted` (both promoted, predictions built). Each stage is made once a session.
"""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb

import snowml
from snowml.shipped import dbt_package

AS_OF = "2024-06-30"
NOW = datetime(2024, 7, 1, 12)
ROOT = Path(snowml.__file__).parents[1]

PROJECT = """\
name: shop
version: 1.0.0
config-version: 2
profile: shop
flags: {send_anonymous_usage_stats: false}
vars:
  as_of: "2024-06-30"
models:
  shop:
    +materialized: table
"""

PROFILES = """\
shop:
  target: dev
  outputs:
    dev: &dev
      type: duckdb
      path: shop.duckdb
      schema: analytics
      threads: 1
      keep_open: false
      config_options: {storage_compatibility_version: v1.4.0}
      settings: {TimeZone: UTC}
      plugins:
        - module: snowml.engines.duckdb.dbt_plugin
    bare:
      type: duckdb
      path: shop.duckdb
      schema: analytics
      threads: 1
      keep_open: false
      config_options: {storage_compatibility_version: v1.4.0}
      settings: {TimeZone: UTC}
    other:
      <<: *dev
      schema: elsewhere
"""

# Types as warehouses have them: money is a decimal, a small count is a small integer.
CUSTOMERS = """\
select
    'shop ' || (i % 2) as shop,
    'customer ' || i as customer,
    timestamp '2024-01-01' + to_hours(12 * i) as as_of,
    case when i % 17 <> 0 then cast((i * 37) % 101 as double) end as visits,
    cast(((i * 53) % 89) / 3 as decimal(8, 2)) as basket,
    cast((i * 13) % 9 as utinyint) as orders,
    case (i * 11) % 4 when 0 then 'north' when 1 then 'south' when 2 then 'east' end as region,
    (i * 29) % 7 < 3 as is_member,
    ((i * 7919) % 997) / 997 as noise
from range(400) as numbers(i)
"""

CHURN_TRAINING_SET = """\
select
    * exclude (noise),
    case when coalesce(visits, 50) + 30 * noise < 60 then 'left' else 'stayed' end as outcome,
    as_of + interval '10 days' as known_at
from {{ ref('customers') }}
where as_of + interval '10 days' <= {{ snowml.as_of() }}
"""

SPEND_TRAINING_SET = """\
select
    * exclude (noise),
    2 * cast(basket as double) + coalesce(visits, 20) / 2 + 10 * noise as spend,
    as_of + interval '10 days' as known_at
from {{ ref('customers') }}
where as_of + interval '10 days' <= {{ snowml.as_of() }}
"""

SCORING_SET = """\
select * exclude (noise)
from {{ ref('customers') }}
where as_of >= {{ snowml.as_of() }} - interval '30 days' and as_of < {{ snowml.as_of() }}
"""

PREDICTIONS = """\
{{{{ config(materialized='incremental', incremental_strategy='append', tags=['predictions']) }}}}

{{{{ snowml.predict('{model}', ref('{model}_scoring_set')) }}}}
"""

MONITORING = """\
{{{{ config(tags=['monitoring']) }}}}

{{{{ snowml.{macro}('{model}') }}}}
"""

EXPOSURES = """\
exposures:
  - name: churn
    type: ml
    owner: {name: The shops, email: shops@example.com}
    depends_on: [ref('churn_training_set'), ref('churn_scoring_set')]
    config:
      meta:
        snowml:
          task: classification
          entity: [shop, customer]
          as_of: as_of
          label: outcome
          label_at: known_at
          positive: left
          training_set: churn_training_set
          scoring_set: churn_scoring_set
          split: {by: time, validation: 30 days, test: 30 days}
          estimator: hist_gradient_boosting
          params: {max_iter: 60}
          metric: roc_auc
          gates:
            - {metric: roc_auc, split: test, min: 0.6}

  - name: spend
    type: ml
    owner: {name: The shops, email: shops@example.com}
    depends_on: [ref('spend_training_set'), ref('spend_scoring_set')]
    config:
      meta:
        snowml:
          task: regression
          entity: [shop, customer]
          as_of: as_of
          label: spend
          label_at: known_at
          training_set: spend_training_set
          scoring_set: spend_scoring_set
          split: {by: time, validation: 30 days, test: 30 days}
          estimator: ridge
          metric: rmse
"""

FILES = {
    "dbt_project.yml": PROJECT,
    "profiles.yml": PROFILES,
    "packages.yml": f"packages:\n  - local: {dbt_package().as_posix()}\n",
    "models/customers.sql": CUSTOMERS,
    "models/churn_training_set.sql": CHURN_TRAINING_SET,
    "models/churn_scoring_set.sql": SCORING_SET,
    "models/churn_predictions.sql": PREDICTIONS.format(model="churn"),
    "models/churn_drift.sql": MONITORING.format(macro="drift", model="churn"),
    "models/churn_performance.sql": MONITORING.format(macro="performance", model="churn"),
    "models/spend_training_set.sql": SPEND_TRAINING_SET,
    "models/spend_scoring_set.sql": "{{ config(materialized='view') }}\n" + SCORING_SET,
    "models/spend_predictions.sql": PREDICTIONS.format(model="spend"),
    "models/ml.yml": EXPOSURES,
}

MODELS = ("churn", "spend")
AFTER_TRAINING = ("tag:predictions", "tag:monitoring")


@dataclass(frozen=True)
class Answer:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Shop:
    """A copy of the project, and what tests do to it."""

    folder: Path
    target: str = "dev"
    file: str = "shop.duckdb"

    def project(self, **variables: Any) -> Any:
        from snowml.workflows.project import Project

        return Project.load(self.folder, profiles_dir=self.folder, target=self.target, vars=variables)

    def dbt(self, **variables: Any) -> Any:
        from snowml.workflows.dbt import Dbt

        return Dbt(self.project(**variables))

    def build(
        self, *select: str, exclude: tuple[str, ...] = (), refresh: bool = False, **variables: Any
    ) -> Any:
        """`dbt build` inside this process; SnowmlError where it fails."""
        return self.dbt(**variables).build(select=select, exclude=exclude, full_refresh=refresh)

    def train(self, *models: str, as_of: str = AS_OF, **overrides: Any) -> list[Any]:
        from snowml.workflows.dbt import Dbt
        from snowml.workflows.moment import moment
        from snowml.workflows.specs import from_project
        from snowml.workflows.train import train

        project = self.project()
        manifest = Dbt(project).manifest()
        engine = project.open()
        try:
            registry = project.registry(engine).create()
            return [
                train(
                    engine,
                    registry,
                    from_project(project, manifest, name, database=engine.database, overrides=overrides),
                    as_of=moment(as_of),
                    now=NOW,
                )
                for name in models or MODELS
            ]
        finally:
            engine.close()

    def promote(self, *models: str) -> None:
        from snowml.workflows.promote import promote

        project = self.project()
        engine = project.open()
        try:
            for name in models or MODELS:
                promote(engine, project.registry(engine), name, now=NOW)
        finally:
            engine.close()

    def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        """The answer of a query, with the prediction functions at hand."""
        with contextlib.closing(self.connect()) as connection:
            return connection.execute(sql, list(params)).fetchall()

    def connect(self) -> duckdb.DuckDBPyConnection:
        return snowml.connect(project_dir=self.folder, profiles_dir=self.folder, target=self.target)

    def types(self, table: str) -> dict[str, str]:
        """Column → type."""
        return {row[0]: row[1] for row in self.rows(f"describe {table}")}

    def replace(self, file: str, old: str, new: str) -> None:
        """Edit a file of the project."""
        text = (self.folder / file).read_text("utf-8")
        assert old in text, f"{file} has no {old!r}"
        (self.folder / file).write_text(text.replace(old, new), "utf-8")

    def write(self, file: str, text: str) -> None:
        (self.folder / file).write_text(text, "utf-8")

    def cli(self, *args: str) -> Answer:
        """A command of snowml in this process, in the project's folder."""
        return command(*args, "--project-dir", str(self.folder), "--profiles-dir", str(self.folder))

    def dbt_command(self, *args: str) -> subprocess.CompletedProcess[str]:
        """dbt as its users start it: a process of its own, in the project's folder."""
        program = "from dbt.cli.main import cli; cli()"
        return python("-c", program, *args, "--target", self.target, cwd=self.folder, DBT_PROFILES_DIR=".")


def command(*args: str) -> Answer:
    """A command of snowml in this process, as its entry point runs it."""
    from snowml.cli import main

    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        mock.patch.object(sys, "argv", ["snowml", *args]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as done:
            code = int(done.code or 0)
    return Answer(code, out.getvalue(), err.getvalue())


def python(*args: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Another Python, which imports the same snowml as this one."""
    return subprocess.run(
        [sys.executable, *args],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


_stages: dict[str, Path] = {}


def shop(folder: Path, stage: str = "written") -> Shop:
    """A copy of the project at a stage, in `folder`."""
    shutil.copytree(_stage(stage), folder, symlinks=True, dirs_exist_ok=True)
    return Shop(folder)


def _stage(stage: str) -> Path:
    if stage not in _stages:
        # Inside of the session's own temporary folder, which is left behind for a look like pytest's own.
        folder = Path(tempfile.mkdtemp(prefix=f"snowml-shop-{stage}-"))
        _MAKERS[stage](folder)
        _stages[stage] = folder
    return _stages[stage]


def _written(folder: Path) -> None:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    Shop(folder).dbt().manifest()


def _built(folder: Path) -> None:
    shop(folder, "written").build(exclude=AFTER_TRAINING)


def _trained(folder: Path) -> None:
    shop(folder, "built").train()


def _promoted(folder: Path) -> None:
    made = shop(folder, "trained")
    made.promote()
    made.build("tag:predictions")


_MAKERS = {"written": _written, "built": _built, "trained": _trained, "promoted": _promoted}


def remove_stages() -> None:
    """Remove what the session made."""
    for folder in _stages.values():
        shutil.rmtree(folder, ignore_errors=True)
    _stages.clear()
