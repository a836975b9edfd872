"""A deployment from the project to the account: read, plan, compare, apply."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from snowml.deploy.cost import CREDITS, Estimate, estimate, sizes_of
from snowml.deploy.feature_views import Shelf
from snowml.deploy.found import Found, look, schemas_of
from snowml.deploy.lease import leased
from snowml.deploy.plan import Place, apply, plan, remove_all
from snowml.deploy.settings import Deployment, read_deployment
from snowml.deploy.steps import Step
from snowml.engines.base import Engine
from snowml.errors import ProjectError
from snowml.registry.store import Registry
from snowml.spec.exposure import model_names
from snowml.spec.graph import graphs_of
from snowml.workflows.catalogue import feature_tables
from snowml.workflows.dbt import Dbt
from snowml.workflows.project import Project
from snowml.workflows.specs import from_project


@dataclass(frozen=True, slots=True)
class Deploying:
    """One deployment of a project to its target."""

    dbt: Dbt
    place: Place
    now: datetime

    @classmethod
    def of(cls, dbt: Dbt, now: datetime) -> "Deploying":
        """What the project says, without asking the account.

        Raises:
            ProjectError: The target is not Snowflake, or lacks a database or a warehouse.
        """
        project = dbt.project
        database, deployment = _database(project), _deployment(project)
        manifest = dbt.manifest()
        specs = tuple(
            from_project(project, manifest, name, database=database).spec for name in model_names(manifest)
        )
        place = Place(database, project.registry_schema, project.target.schema, specs, deployment)
        return cls(dbt, place, now)

    @property
    def costs(self) -> list[Estimate]:
        """What the tasks may cost."""
        return estimate(graphs_of(self.place.specs), self.place.deployment, self.now)

    @property
    def rate(self) -> str:
        """What the estimate goes by, in words."""
        sizes = list(dict.fromkeys(sizes_of(self.place.deployment)))
        credits_ = " to ".join(str(CREDITS[size]) for size in sizes)
        free = ", serverless: as if of a warehouse" if self.place.deployment.serverless else ""
        return (
            f"runs x minutes of all tasks x {credits_} credits an hour ({' to '.join(sizes)}{free}); the minutes are "
            "assumed, those of your own are in snowml tasks history"
        )

    def run(
        self, *, dry_run: bool, login: bool, resume: bool, destroy: bool, take_over: bool = False
    ) -> list[Step]:
        """Make the plan, and apply it unless it is only to be seen.

        Args:
            dry_run: Only make it.
            login: Ask the account what is there; without that, all is taken for new.
            resume: Let the tasks run.
            destroy: Take away what deployments made.
            take_over: Do not mind that another deployment is running: it is dead.

        Raises:
            WarehouseError: A step failed, and the message says how to go on; or another deployment is running.
        """
        if not login:
            if destroy:
                raise ProjectError(
                    "What is to be taken away only the account knows: give --compare with --dry-run."
                )
            return plan(
                self.place, Found(), registry=None, now=self.now, resume=resume, shelf=self.shelf(None)
            )
        with self._session() as engine:
            if dry_run:
                return self._steps(engine, self._look(engine), resume, destroy)
            # Looked at before the lease, whose table stands in one of them; all the rest after it.
            schemas = schemas_of(engine)
            if destroy and self.place.registry not in schemas:
                return []
            with leased(engine, self.place.lease, over=take_over) as lease:
                found = replace(self._look(engine), schemas=schemas)
                steps = self._steps(engine, found, resume, destroy)
                apply(engine, steps, self.dbt.progress, before_each=lease.renew)
        return steps

    def _look(self, engine: Engine) -> Found:
        return look(engine, self.place.stage, self.place.schema, self.place.optional)

    def _steps(self, engine: Engine, found: Found, resume: bool, destroy: bool) -> list[Step]:
        if destroy:
            return remove_all(found)
        registry = Registry(engine, self.place.registry)
        shelf = self.shelf(engine)
        return plan(self.place, found, registry=registry, now=self.now, resume=resume, shelf=shelf)

    def shelf(self, engine: Engine | None) -> Shelf | None:
        """The feature tables that the feature store is to show, if it is to show any.

        Args:
            engine: The account, which knows what is built; None: what the project declares of them.
        """
        place = self.place
        if not place.deployment.feature_store:
            return None
        tables = feature_tables(self.dbt.manifest(), place.specs, place.database, engine)
        return Shelf(place.stage, str(place.deployment.warehouse), tuple(tables))

    @contextmanager
    def _session(self) -> Iterator[Engine]:
        engine = self.dbt.project.open(notify=self.dbt.progress.note)
        try:
            yield engine
        finally:
            engine.close()


def _database(project: Project) -> str:
    target = project.target
    if target.type != "snowflake":
        raise ProjectError(
            f"The target '{target.name}' is of type {target.type}, and what is deployed stands on Snowflake. Name a "
            "target of type snowflake (--target). On DuckDB 'snowml tasks run' does what tasks do."
        )
    if not target.settings.get("database"):
        raise ProjectError(f"The target '{target.name}' in {target.file} names no database.")
    return str(target.settings["database"])


def _deployment(project: Project) -> Deployment:
    deployment = read_deployment(project.folder)
    warehouse = deployment.warehouse or project.target.settings.get("warehouse")
    if not warehouse:
        raise ProjectError(
            f"Tasks need a warehouse. Name one in the target '{project.target.name}' (warehouse:), or in snowml.yml "
            "(deploy: {warehouse: …})."
        )
    return deployment.model_copy(update={"warehouse": str(warehouse)})
