"""Snowflake's own model monitor: made by a deployment, checked by the stand-in, and following the champion."""

import re
from pathlib import Path

import handmade
import pytest
import sqlglot

pytest.importorskip("snowflake.ml", reason="the extra 'snowflake' is not installed")

from training_set import fill

from snowml.deploy.found import Found, look
from snowml.deploy.model_monitors import steps
from snowml.deploy.plan import Place, apply, plan, remove_all
from snowml.deploy.settings import Deployment
from snowml.deploy.setup import setup_script
from snowml.errors import ProjectError, TerminalError
from snowml.progress import Silent
from snowml.registry.store import Registry
from snowml.workflows.batch import predict_batch
from snowml.workflows.promote import promote, rollback
from snowml.workflows.specs import Located

GOLDEN = Path(__file__).parent / "golden" / "model_monitor.sql"
NATIVE = {"monitor": {"native": {"refresh": "2 hours", "aggregate": "1 week"}}}
NAME = "SNOWML_LATENESS_MONITOR"


@pytest.fixture
def registry(snowflake_engine):
    fill(snowflake_engine)
    snowflake_engine.execute("create warehouse if not exists transforming")
    return Registry(snowflake_engine, "snowml")


def train(registry, **changes):
    return handmade.train_one(registry.engine, registry, **{**NATIVE, **changes}).version


def place(registry, **changes):
    spec = handmade.spec(**{**NATIVE, **changes})
    deployment = Deployment(warehouse="transforming")
    return Place(registry.engine.database, "snowml", "main", (spec,), deployment)


def of(registry, **changes):
    """The steps of the plan that are about monitors."""
    here = place(registry, **changes)
    found = look(registry.engine, here.stage, here.schema)
    return [
        step
        for step in plan(here, found, registry=registry, now=handmade.NOW, resume=False)
        if step.what == "model monitor"
    ]


def deploy(registry, **changes):
    made = of(registry, **changes)
    apply(registry.engine, made, Silent())
    return [step.action for step in made]


def score(registry, **changes):
    located = Located(handmade.spec(**{**NATIVE, **changes}))
    predict_batch(registry.engine, registry, located, as_of=handmade.AS_OF)


def watched(registry):
    rows = registry.engine.query("show model monitors in schema snowml").to_pylist()
    return {row["name"]: row["model"] for row in rows}


def test_it_is_made_when_something_is_scored_and_follows_the_champion(registry):
    assert deploy(registry) == ["skip"]
    first = train(registry)
    assert deploy(registry) == ["skip"]  # no champion
    promote(registry.engine, registry, handmade.MODEL, now=handmade.NOW)
    assert deploy(registry) == ["skip"]  # nothing scored
    assert not watched(registry)
    score(registry)
    assert deploy(registry) == ["create"]
    assert f'"version_name": "V{first.version}"' in watched(registry)[NAME]
    assert deploy(registry) == ["keep"]

    engine = registry.engine
    rows = engine.query(f"select * from snowml.{NAME}_source order by id").to_pylist()
    assert len(rows) == 200
    assert set(rows[0]) == {
        "id",
        "as_of",
        "speed",
        'wind "gust" m/s?',
        "town",
        "snowml_prediction",
        "snowml_actual",
    }
    assert {row["snowml_actual"] for row in rows} == {0, 1}
    truth = engine.query("select id, late from main.training_set").to_pylist()
    assert {(row["id"], row["snowml_actual"]) for row in rows} == {
        (str(r["id"]), int(r["late"])) for r in truth
    }
    tested = engine.query(
        f"select min(as_of) as first, count(*) as n from snowml.{NAME}_baseline"
    ).to_pylist()
    run = registry.run(first.run_id)
    assert tested[0]["n"] == run.row_counts["test"]

    second = train(registry, params={"C": 0.5})
    promote(engine, registry, handmade.MODEL, now=handmade.NOW)
    assert f'"version_name": "V{second.version}"' in watched(registry)[NAME]
    assert deploy(registry) == ["keep"]
    rollback(engine, registry, handmade.MODEL, now=handmade.NOW)
    assert f'"version_name": "V{first.version}"' in watched(registry)[NAME]

    assert deploy(registry, monitor={"native": {"refresh": "1 day"}}) == ["replace"]
    assert deploy(registry, monitor={}) == ["remove"]
    assert not watched(registry)
    deploy(registry)
    here = place(registry)
    gone = [s for s in remove_all(look(engine, here.stage, here.schema)) if s.what == "model monitor"]
    assert [" ".join(sql.split()[:3]) for sql in gone[0].statements] == [
        "drop model monitor",
        "drop view if",
        "drop table if",
    ]
    apply(engine, gone, Silent())
    assert not watched(registry)


@pytest.mark.parametrize(
    "changes",
    [
        {"task": "regression", "label": "speed_label", "estimator": "ridge"},
        {"label": "kind"},
    ],
    ids=["regression", "multiclass"],
)
def test_each_task_has_the_columns_that_a_monitor_takes(registry, changes):
    engine = registry.engine
    engine.execute("alter table main.training_set add column speed_label double")
    engine.execute("alter table main.training_set add column kind varchar")
    engine.execute(
        "update main.training_set set speed_label = id / 7.0, kind = case mod(id, 3) when 0 then 'a' "
        "when 1 then 'b' else 'c' end"
    )
    gate = {
        "gates": [
            {
                "metric": "mae" if "task" in changes else "accuracy",
                "max" if "task" in changes else "min": 1e9 if "task" in changes else 0.0,
            }
        ],
        "features": {"exclude": ["late", "kind", "speed_label"]},
    }
    gate["features"]["exclude"].remove(changes["label"])
    train(registry, **changes, **gate)
    promote(engine, registry, handmade.MODEL, now=handmade.NOW)
    score(registry, **changes, **gate)
    assert deploy(registry, **changes, **gate) == ["create"]


def test_what_an_account_refuses_is_refused(registry):
    train(registry)
    promote(registry.engine, registry, handmade.MODEL, now=handmade.NOW)
    score(registry)
    (step,) = of(registry)
    view, table, sql = step.statements
    engine = registry.engine
    engine.execute(view)
    engine.execute(table)
    for old, new, told in (
        ("'V1'", "'V9'", "V9"),
        ("'predict_proba'", "'explain'", "explain"),
        ('"TRANSFORMING"', '"NOBODYS"', "NOBODYS"),
        ("'120 minutes'", "'30 seconds'", "refresh interval"),
        ("'7 days'", "'12 hours'", "aggregation window"),
        ('timestamp_column = "AS_OF"', 'timestamp_column = "SPEED"', "TIMESTAMP_NTZ"),
        ("id_columns = ('ID')", "id_columns = ('SPEED')", "wrong type"),
        ("('SNOWML_PREDICTION')", "('NOTHING')", "NOTHING"),
        ("prediction_score_columns = ('SNOWML_PREDICTION')", "prediction_score_columns = ()", "At least one"),
        ("actual_class", "actual_score", "not for models of the task"),
        ("_MONITOR_BASELINE", "_MONITOR_NONE", "NONE"),
        ('"SNOWML"."SNOWML_LATENESS_MONITOR" with', '"MAIN"."M" with', "in the schema of its model"),
    ):
        assert old in sql
        with pytest.raises(TerminalError, match=told):
            engine.execute(sql.replace(old, new))
    engine.execute(sql)
    with pytest.raises(TerminalError, match="monitored already"):
        engine.execute(sql.replace('"SNOWML_LATENESS_MONITOR" with', '"OTHER" with'))


def test_its_sql_is_what_was_reviewed(registry):
    train(registry)
    promote(registry.engine, registry, handmade.MODEL, now=handmade.NOW)
    score(registry)
    (step,) = of(registry)
    text = "\n\n".join(f"{sql};" for sql in step.statements).replace(registry.engine.database, "SHOP")
    text = re.sub(r"(snowml deploy )[0-9a-f]{16}", r"\1#", text)
    assert text + "\n" == GOLDEN.read_text("utf-8")
    for sql in step.statements[:2]:
        sqlglot.parse_one(sql, dialect="snowflake")


def test_without_an_account_the_plan_says_that_it_waits(registry):
    here = place(registry)
    (step,) = steps(here.specs, here.stage, "transforming", None, Found())
    assert (step.action, step.name) == ("skip", NAME.lower())
    assert "only the account knows the champion" in step.statements[0]
    assert "grant create model monitor on schema" in setup_script(here)


def test_one_that_somebody_else_made_is_left_alone(registry):
    train(registry)
    promote(registry.engine, registry, handmade.MODEL, now=handmade.NOW)
    score(registry)
    deploy(registry)
    registry.engine.execute(f"drop model monitor snowml.{NAME}")
    (step,) = of(registry)
    registry.engine.execute(re.sub("comment = '[^']*'", "comment = 'by hand'", step.statements[2]))
    with pytest.raises(ProjectError, match="which no deployment of snowml made"):
        of(registry)
    train(registry, params={"C": 0.5})
    promote(registry.engine, registry, handmade.MODEL, now=handmade.NOW)
    assert '"version_name": "V1"' in watched(registry)[NAME]
