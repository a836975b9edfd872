"""Audit: does any feature of a model know the future?"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from snowml.auditing import invariance, known, overlap, paths, proxy
from snowml.auditing.cuts import choose
from snowml.auditing.findings import Check, counted
from snowml.auditing.invariance import Difference, Pair, differences
from snowml.auditing.lineage import Lineage, dataset
from snowml.engines.base import Engine
from snowml.engines.columns import columns_of
from snowml.errors import UserError
from snowml.names import Relation
from snowml.progress import Step
from snowml.records import Feature
from snowml.spec.columns import features
from snowml.spec.fields import folded
from snowml.spec.model import ModelSpec
from snowml.workflows.dbt import Dbt
from snowml.workflows.scratch import Scratch, scratch
from snowml.workflows.specs import Located, from_project


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit came to."""

    spec: ModelSpec
    as_of: datetime
    audited_at: datetime
    cuts: tuple[datetime, ...]
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check did."""
        return all(one.passed for one in self.checks)

    def summary(self) -> dict[str, Any]:
        """What a command answers."""
        return {
            "model": self.spec.name,
            "passed": self.passed,
            "checks": [one.summary() for one in self.checks],
        }


def audit(dbt: Dbt, model: str, *, as_of: datetime, now: datetime, cuts: Sequence[datetime] = ()) -> Audited:
    """Build the model's training set anew, with all data and with the future cut off, and look for what leaks.

    Nothing that the project built is read or changed: it all happens in schemas that are dropped at the end. The
    outcome is appended to the registry.

    Args:
        dbt: The project.
        model: The model.
        as_of: The moment that the builds stand for.
        now: The moment of the audit.
        cuts: When to cut the future off; where none is given, moments that the data suggest.

    Raises:
        ProjectError: A model cannot be built.
        DataError: There are no rows to audit.
        UserError: A cut is not before `as_of`.
    """
    variables = {"as_of": as_of.isoformat(sep=" ")}
    _check_cuts(cuts, as_of)
    manifest = dbt.manifest(variables)
    database = dbt.project.database(notify=dbt.progress.note)
    located = from_project(dbt.project, manifest, model, database=database)
    spec = located.spec
    lineage = Lineage(manifest, dataset(manifest, model, spec.settings.training_set), spec.settings.as_of)
    with scratch(
        dbt, lineage, variables, database=database, schema=f"{dbt.project.registry_schema}_audit"
    ) as place:
        done = _Audit(place, located, dataset(manifest, model, spec.settings.scoring_set)).run(
            as_of, now, cuts
        )
    _record(dbt, done)
    return done


@dataclass(slots=True)
class _Audit:
    """One audit under way."""

    place: Scratch
    located: Located
    scoring_set: str

    @property
    def lineage(self) -> Lineage:
        return self.place.lineage

    @property
    def spec(self) -> ModelSpec:
        return self.located.spec

    @property
    def keys(self) -> tuple[str, ...]:
        return (*self.spec.settings.entity, self.spec.settings.as_of)

    @property
    def training_set(self) -> Relation:
        return self.place.whole(self.lineage.training_set)

    def run(self, as_of: datetime, now: datetime, given: Sequence[datetime]) -> Audited:
        progress, settings = self.place.dbt.progress, self.spec.settings
        with progress.step(f"build {settings.training_set} with all data") as step:
            self.place.build_whole(step)
        with progress.step("look at its rows") as step, self.place.session() as engine:
            columns = columns_of(engine, self.training_set)
            inputs = features(self.spec, columns, self.located.locator, dialect=engine.name)
            cuts = list(given) or choose(engine, self.training_set, settings.as_of, settings.audit.cuts)
            checks = [
                paths.judge(self.lineage),
                self._known(engine),
                self._proxies(engine, inputs),
                self._overlap(engine, inputs, as_of),
            ]
            step.outcome(f"{len(inputs)} features")
        found: list[Difference] = []
        for cut in sorted(cuts):
            with progress.step(f"cut off what became known after {cut:%Y-%m-%d %H:%M:%S}") as step:
                at_cut = self._cut(cut, inputs, step)
                found += at_cut
                changed = len({one.column for one in at_cut})
                step.outcome(f"{counted(changed, 'feature')} changed" if changed else "nothing changed")
        checks.insert(2, invariance.judge(found, sorted(cuts), len(inputs)))
        return Audited(self.spec, as_of, now, tuple(sorted(cuts)), tuple(checks))

    def _cut(self, cut: datetime, inputs: Sequence[Feature], step: Step) -> list[Difference]:
        """What differs at a cut: first with later facts gone, then, where only training reads, with them silent."""
        settings = self.spec.settings
        apart = self.lineage.only_for_training(self.scoring_set)
        self.place.build_past(cut, step)
        found = self._compare(cut, self.lineage.derived, inputs, by_label=True)
        keep = {*settings.entity, settings.as_of, settings.label, settings.label_at}
        self.place.build_hidden(cut, apart, keep, step)
        return found + self._compare(cut, apart, inputs, by_label=False)

    def _compare(
        self, cut: datetime, tables: Collection[str], inputs: Sequence[Feature], *, by_label: bool
    ) -> list[Difference]:
        wanted = {one.name for one in inputs}
        settings = self.spec.settings
        found: list[Difference] = []
        with self.place.session() as engine:
            for uid in tables:
                types = {folded(name): type_ for name, type_ in columns_of(engine, self.place.whole(uid))}
                if not types.keys() >= set(self.keys):
                    continue
                own = uid == self.lineage.training_set
                compared = wanted | ({settings.label} if own and by_label else set())
                pair = Pair(
                    table=self.lineage.name(uid),
                    whole=self.place.whole(uid),
                    cut=self.place.past(uid),
                    keys=self.keys,
                    columns=tuple((name, type_) for name, type_ in types.items() if name in compared),
                    known_by=settings.label_at if own and by_label else None,
                    rows_too=by_label and (own or self._is_served(uid)),
                )
                found += differences(engine, pair, cut)
        return found

    def _is_served(self, uid: str) -> bool:
        return uid not in self.lineage.only_for_training(self.scoring_set)

    def _known(self, engine: Engine) -> Check:
        settings, problems = self.spec.settings, list[str]()
        rows = self._rows(engine)
        problems += known.late_labels(engine, self.training_set, self.keys, settings.label_at)
        for uid in self.lineage.derived:
            newest = self.lineage.newest_fact(uid)
            if newest:
                where = self.place.whole(uid)
                problems += known.newest_facts(engine, self.lineage.name(uid), where, self.keys, newest)
        for uid in self.lineage.roots:
            history = self.lineage.history(uid)
            if history and uid.startswith("model."):
                where = self.place.whole(uid)
                problems += known.undated_facts(engine, self.lineage.name(uid), where, history)
        return known.judge(problems, self.lineage, rows)

    def _proxies(self, engine: Engine, inputs: Sequence[Feature]) -> Check:
        settings = self.spec.settings
        target = proxy.Target(settings.label, settings.task, settings.positive)
        rows = Relation(self.training_set.schema, "snowml_sample", self.place.database)
        query = proxy.sample(self.training_set, target, self.keys, self._rows(engine), engine.name)
        engine.execute(f"create or replace table {rows.sql(engine.name)} as {query}")
        limit = settings.audit.max_auc if settings.task == "classification" else settings.audit.max_r2
        return proxy.judge(
            [proxy.strength(engine, rows, one, settings.task) for one in inputs], settings.task, limit
        )

    def _overlap(self, engine: Engine, inputs: Sequence[Feature], as_of: datetime) -> Check:
        settings = self.spec.settings
        return overlap.overlap(
            engine,
            self.training_set,
            self.keys,
            [one.name for one in inputs],
            settings.split.windows(as_of, self.located.locator),
            unseen_entities=settings.audit.unseen_entities,
        )

    def _rows(self, engine: Engine) -> int:
        sql = f"select count(*) as n from {self.training_set.sql(engine.name)}"
        return int(engine.query(sql).to_pylist()[0]["n"])


def _check_cuts(cuts: Sequence[datetime], as_of: datetime) -> None:
    for cut in cuts:
        if cut >= as_of:
            raise UserError(
                f"The cut {cut} is not before {as_of}, the moment that the training set is built for: nothing would be "
                "cut off. Give an earlier one, or a later --as-of."
            )


def _record(dbt: Dbt, done: Audited) -> None:
    engine = dbt.project.open(notify=dbt.progress.note)
    try:
        registry = dbt.project.registry(engine).create()
        rows: list[Mapping[str, object]] = [
            {
                "model": done.spec.name,
                "audited_at": done.audited_at,
                "as_of": done.as_of,
                "name": one.name,
                "passed": one.passed,
                "detail": one.detail,
                "cuts": ", ".join(cut.isoformat(sep=" ") for cut in done.cuts),
                "manifest_hash": done.spec.manifest_hash,
                "git_commit": done.spec.git_commit,
            }
            for one in done.checks
        ]
        registry.record_audit(rows)
    finally:
        engine.close()
