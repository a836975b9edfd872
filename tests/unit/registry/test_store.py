import math
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from snowml.engines.duckdb.connection import DuckDBFile
from snowml.engines.duckdb.engine import DuckDBEngine
from snowml.errors import ModelNotFound, NotPromoted, NotTrained, ProjectError, RetryableError, TerminalError
from snowml.records import (
    Bin,
    Drift,
    Feature,
    Metric,
    Parity,
    ParityCheck,
    Performance,
    Run,
    Signature,
    StoredRule,
    Version,
    VersionEvent,
)
from snowml.registry.schema import CURRENT, MIGRATIONS, migrate, schema_version
from snowml.registry.store import Registry

DUMPS = Path(__file__).parent.parent.parent / "data"
NOW = datetime(2013, 6, 1, 12)
SIGNATURE = Signature(
    features=(Feature(name='Wind "Gust"', kind="number"), Feature(name="town", kind="category")),
    entity=("id", "leg"),
    as_of="as_of",
    task="classification",
    label_type="VARCHAR",
    classes=("it's", "no"),
    positive="it's",
)
RUN = Run(
    run_id="r1",
    model="m",
    as_of=NOW,
    started_at=NOW,
    spec_hash="h",
    git_commit=None,
    seed=7,
    training_set="main.t",
    fingerprint="f",
    row_counts={"train": 3, "test": 1},
    params={"estimator": "ridge", "alpha": 0.1, "split": {"test": "1 day"}, "none": None, "on": True},
    packages={"numpy": "2"},
    durations={"fit": 0.25},
    metrics=(
        Metric("test", "mae", 0.1),
        Metric("test", "mae", 1 / 3, "constant"),
        Metric("train", "mae", 0.0),
    ),
)
VERSION = Version("m", 1, "r1", "sql", SIGNATURE, "a1", NOW, "h")
RULES = [
    StoredRule(
        predictor="best_rule", feature=SIGNATURE.features[0], known=(0.1, 5e-324), means=(0.5, 0.25, 1.0)
    ),
    StoredRule(predictor="constant", means=(0.1,)),
]
BINS = [
    Bin("town", "category", 0, None, None, "it's", 0.5, 0.0, 4),
    Bin("town", "category", 1, None, None, None, 0.5, 0.0, 4),
    Bin("wind", "number", 0, None, 0.1, None, 1.0, 0.25, 4),
]
CERTIFICATE = Parity(
    model="m",
    version=1,
    rows=7,
    max_abs_diff=math.inf,
    tolerance=1e-9,
    certified=False,
    checked_at=NOW,
    engine="duckdb",
    functions="f",
    code="c",
    snowml="0.1.0",
    checks=(
        ParityCheck("function", "held_out", 4, 1, 0, 0, 0.0),
        ParityCheck("handler", "number", 3, 0, 1, 2, math.inf, "it's=NULL"),
    ),
)


@pytest.fixture
def registry(engine):
    return Registry(engine, "snowml").create()


def register(registry, number=1, model="m", artifact=b"bytes"):
    version = replace(VERSION, model=model, version=number, artifact=f"a{number}")
    registry.record_spec(model, "h", "{}", NOW, overridden=False)
    registry.register(version, artifact, BINS, RULES)
    return version


def happen(registry, *events, model="m"):
    for event, version in events:
        registry.record_event(VersionEvent(model, version, event, NOW))


def rows(engine, table):
    return engine.query(f"select * from snowml.{table}").to_pylist()


# The schema


@pytest.mark.parametrize("schema", ["snowml", "Dev_ML", 'odd "schema"'])
def test_creating_it_again_changes_nothing(engine, schema):
    registry = Registry(engine, schema)
    assert not registry.exists
    registry.create()
    register(registry)
    registry.create()
    assert registry.exists
    assert schema_version(engine, schema) == CURRENT
    info = registry.table("registry_info").sql("duckdb")
    assert engine.query(f"select * from {info}").to_pylist() == [{"schema_version": CURRENT}]
    assert len(registry.versions("m")) == 1


def test_a_registry_of_a_newer_snowml_is_refused(engine, registry):
    engine.insert(registry.table("registry_info"), [{"schema_version": CURRENT + 1}])
    with pytest.raises(ProjectError, match=rf"version {CURRENT + 1}; this snowml knows {CURRENT}\. Upgrade"):
        registry.create()


def test_a_failed_migration_leaves_nothing(engine, monkeypatch):
    monkeypatch.setitem(MIGRATIONS, 1, {**MIGRATIONS[1], "broken": {"a": "no_such_type"}})
    with pytest.raises(TerminalError):
        migrate(engine, "snowml")
    assert schema_version(engine, "snowml") == 0


@pytest.mark.parametrize("dump", sorted(DUMPS.glob("registry_v*.sql")), ids=lambda path: path.stem)
def test_a_registry_of_every_older_version_opens(engine, dump):
    for statement in dump.read_text("utf-8").split(";\n"):
        if statement.strip():
            engine.execute(statement)
    # Who only looks does not migrate.
    assert Registry.find(engine).parity("m")[1].certified
    registry = Registry.find(engine).create()
    assert schema_version(engine, "snowml") == CURRENT
    assert registry.versions("m") == [replace(VERSION, version=1), replace(VERSION, version=2, artifact="a2")]
    assert registry.champion("m").version == 1
    assert registry.champions("m") == [1]
    assert registry.statuses("m") == {1: "approved", 2: "candidate"}
    assert registry.artifact(VERSION) == b"by'tes\x00"
    assert registry.baselines(VERSION) == BINS
    assert registry.rules(VERSION) == RULES
    assert registry.runs("m")[0]["params"] == RUN.params
    assert registry.parity("m") == {1: Parity("m", 1, 100, 0.0, 1e-9, True, NOW)}
    assert [audit["name"] for audit in registry.audits("m")] in ([], ["known_at"])
    registry.record_parity(replace(CERTIFICATE, version=1, checked_at=NOW + timedelta(days=1)))
    assert registry.parity("m")[1].checks == CERTIFICATE.checks
    register(registry, 3)
    assert registry.next_version("m") == 4


def test_the_view_survives_a_renamed_file(tmp_path):
    for schema in ("snowml", "house"):
        path = tmp_path / "house.duckdb"
        engine = DuckDBEngine(DuckDBFile(str(path)).open())
        # Of the same name, where a session looks first.
        engine.execute("create table model_versions (a int)")
        registry = Registry(engine, schema).create()
        register(registry)
        happen(registry, ("promoted", 1))
        engine.close()
        renamed = DuckDBEngine(DuckDBFile(str(path.rename(tmp_path / f"other_{schema}.duckdb"))).open())
        assert Registry(renamed, schema).create().champion("m").version == 1
        renamed.close()


# Finding it


def test_no_registry_says_how_to_make_one(engine):
    with pytest.raises(ProjectError, match="has no registry yet"):
        Registry.find(engine)
    with pytest.raises(ProjectError, match="has no registry yet"):
        Registry.find(engine, "snowml")


def test_the_only_registry_is_found(engine, registry):
    assert Registry.find(engine).schema == "snowml"
    assert Registry.find(engine, "SNOWML").exists
    with pytest.raises(ProjectError, match=r"no registry in schema 'snoml'\. Registries: snowml"):
        Registry.find(engine, "snoml")


def test_of_several_registries_one_must_be_named(engine, registry):
    Registry(engine, "dev").create()
    assert Registry.find(engine, "dev").schema == "dev"
    with pytest.raises(
        ProjectError, match=r"more than one registry; name its schema\. Registries: dev, snowml"
    ):
        Registry.find(engine)


# Round trips


def test_a_run_comes_back(registry):
    registry.record_run(RUN)
    registry.record_run(replace(RUN, run_id="r0", model="other"))
    (found,) = registry.runs("m")
    metrics = found.pop("metrics")
    assert metrics == {
        "model": {"test": {"mae": 0.1}, "train": {"mae": 0.0}},
        "constant": {"test": {"mae": 1 / 3}},
    }
    assert found == {name: getattr(RUN, name) for name in RUN.__dataclass_fields__ if name != "metrics"}
    assert registry.params("r1") == RUN.params


def test_a_version_comes_back_with_all_that_belongs_to_it(registry):
    version = register(registry, artifact=b"by'tes\x00")
    assert registry.versions("m") == [version]
    assert registry.version("m", 1) == version
    assert registry.artifact(version) == b"by'tes\x00"
    assert registry.baselines(version) == BINS
    assert registry.rules(version) == RULES
    assert [event.event for event in registry.events("m")] == ["registered"]
    assert registry.next_version("m") == 2
    assert registry.next_version("other") == 1


def test_a_registration_that_fails_leaves_nothing(engine, registry):
    wrong = replace(BINS[0], lower="no number")
    with pytest.raises(TerminalError):
        registry.register(VERSION, b"bytes", [*BINS, wrong], RULES)
    for table in ("model_versions", "artifacts", "baselines", "rules", "version_events"):
        assert rows(engine, table) == []


def test_a_certificate_comes_back_whole(registry):
    registry.record_parity(replace(CERTIFICATE, checked_at=NOW - timedelta(days=1), checks=()))
    registry.record_parity(CERTIFICATE)
    registry.record_parity(replace(CERTIFICATE, version=2))
    assert registry.parity("m") == {1: CERTIFICATE, 2: replace(CERTIFICATE, version=2)}
    assert registry.parity("other") == {}


def test_the_latest_parity_of_each_version_comes_back(registry):
    first = Parity("m", 1, 100, 0.5, 1e-9, False, NOW)
    second = replace(first, certified=True, max_abs_diff=5e-324, checked_at=NOW + timedelta(seconds=1))
    other = replace(first, version=2)
    for parity in (second, first, other, replace(first, model="other")):
        registry.record_parity(parity)
    assert registry.parity("m") == {1: second, 2: other}


def test_what_monitoring_finds_again_at_the_same_moment_is_kept_once(engine, registry):
    drift = Drift("m", 1, NOW, NOW + timedelta(days=1), "town", 0.1, 0.0, 0.0, 4, 0.2, False, NOW)
    figure = Performance("m", 1, NOW, NOW + timedelta(days=1), "mae", 0.1, 3, 4, NOW)
    for _ in range(2):
        registry.record_monitoring([drift, replace(drift, column_name="wind")], [figure])
    registry.record_monitoring([replace(drift, monitored_at=NOW + timedelta(days=2))], [])
    assert [row["column_name"] for row in rows(engine, "drift")] == ["town", "wind", "town"]
    assert Performance(**rows(engine, "performance")[0]) == figure
    assert Drift(**rows(engine, "drift")[0]) == drift


def test_a_specification_is_kept_when_it_changes_and_the_last_one_counts(engine, registry):
    for text in ("one", "one", "two", "one"):
        registry.record_spec("m", text, text, NOW, overridden=False)
        assert registry.latest_spec("m") == text
    registry.record_spec("m", "three", "three", NOW - timedelta(days=1), overridden=False)
    assert registry.latest_spec("m") == "three"
    assert [row["spec"] for row in rows(engine, "specs")] == ["one", "two", "one", "three"]
    assert registry.latest_spec("other") is None
    assert registry.models() == ["m"]


# Events


def test_statuses_are_told_by_events(registry):
    for number in (1, 2, 3, 4):
        register(registry, number)
    happen(registry, ("approved", 1), ("rejected", 2), ("approved", 4), ("retired", 4))
    happen(registry, ("certified", 1), ("promoted", 1), ("rejected", 1), model="other")
    assert registry.statuses("m") == {1: "approved", 2: "rejected", 3: "candidate", 4: "retired"}


BACK = "rolled_back"


@pytest.mark.parametrize(
    ("events", "champions"),
    [
        ([("promoted", 1)], [1]),
        ([("promoted", 1), ("promoted", 2), (BACK, 1)], [1]),
        ([("promoted", 1), ("promoted", 2), (BACK, 1), ("promoted", 3)], [1, 3]),
        (
            [
                ("promoted", 1),
                ("promoted", 2),
                (BACK, 1),
                ("promoted", 3),
                ("promoted", 2),
                (BACK, 3),
                (BACK, 1),
            ],
            [1],
        ),
        ([("promoted", 1), ("promoted", 2), ("promoted", 3), (BACK, 1)], [1]),
        ([("promoted", 1), ("promoted", 2), ("promoted", 1)], [1, 2, 1]),
        ([("promoted", 1), ("promoted", 2), ("promoted", 1), (BACK, 2)], [1, 2]),
        ([("promoted", 1), ("promoted", 2), ("promoted", 1), (BACK, 1)], [1]),
    ],
)
def test_champions_are_a_stack(registry, events, champions):
    for number in (1, 2, 3):
        register(registry, number)
    happen(registry, *events)
    assert registry.champions("m") == champions
    assert registry.champion("m").version == champions[-1]
    assert registry.champions("other") == []


def test_events_are_numbered_across_models(engine, registry):
    happen(registry, ("promoted", 1), model="a")
    happen(registry, ("promoted", 1), ("retired", 1), model="b")
    assert [row["seq"] for row in rows(engine, "version_events")] == [1, 2, 3]


def test_of_two_sessions_that_register_at_once_one_may_retry(tmp_path):
    file = DuckDBFile(str(tmp_path / "house.duckdb"))
    one, other = (Registry(DuckDBEngine(file.open()), "snowml") for _ in range(2))
    one.create()
    with one.transaction():
        register(one, one.next_version("m"))
        with pytest.raises(RetryableError), other.transaction():
            register(other, other.next_version("m"))
    register(other, other.next_version("m"))
    assert [version.version for version in one.versions("m")] == [1, 2]
    for registry in (one, other):
        registry.engine.close()


# What is not there


def test_an_unknown_model_is_told_with_a_suggestion(registry):
    register(registry, model="flight_delay")
    for ask in (registry.champion, lambda name: registry.version(name, 1)):
        with pytest.raises(ModelNotFound, match=r"no model 'flihgt_delay'\. Did you mean 'flight_delay'\?"):
            ask("flihgt_delay")


def test_a_model_without_a_version_is_not_trained(registry):
    registry.record_spec("m", "h", "{}", NOW, overridden=False)
    for ask in (registry.champion, lambda name: registry.version(name, 1)):
        with pytest.raises(NotTrained, match="Train it: snowml train m"):
            ask("m")


def test_a_model_without_a_champion_is_not_promoted(registry):
    register(registry, 1)
    register(registry, 2)
    with pytest.raises(
        NotPromoted, match=r"trained \(version 2\) but no version is promoted.*snowml promote m"
    ):
        registry.champion("m")


def test_an_unknown_version_lists_the_known_ones(registry):
    register(registry, 1)
    register(registry, 2)
    with pytest.raises(ModelNotFound, match=r"m has no version 3\. Versions: 1, 2"):
        registry.version("m", 3)
