"""The plan without an account: its order, its SQL, and what a difference does to it."""

import re
from pathlib import Path

import handmade
import pytest
import sqlglot
import yaml
from sqlglot import exp

from snowml.deploy.cost import estimate
from snowml.deploy.found import Existing, Found
from snowml.deploy.plan import plan, remove_all
from snowml.deploy.procedures import arguments_of, procedure_files, rights_of
from snowml.deploy.settings import Deployment, read_deployment
from snowml.deploy.setup import setup_script
from snowml.deploy.things import OURS, Key
from snowml.engines.snowflake.packages import PROCEDURES, REPOSITORY
from snowml.errors import ProjectError
from snowml.names import Relation
from snowml.shipped import shipped
from snowml.spec.graph import graphs_of

GOLDEN = Path(__file__).parent / "golden"
FULL = {
    "training_warehouse": "TRAINING",
    "dbt_project": "SHOP.PUBLIC.SHOP_PROJECT",
    "notify": {"integration": "mail", "emails": ["a@example.com", "o'b@example.com"]},
}

SERVERLESS = {
    "serverless": {"min": "XSMALL", "initial": "SMALL", "max": "LARGE"},
    "training_warehouse": "TRAINING",
    "training_memory": "MEMORY_16X",
    "log_level": "INFO",
    "notify": {"integration": "mail", "emails": ["a@example.com"], "about": ["retraining"]},
}


def steps_of(place, found=None, resume=False):
    return plan(place, found or Found(), registry=None, now=handmade.NOW, resume=resume)


def done(steps):
    return [(step.action, step.what, step.name) for step in steps if step.action != "keep"]


def there(place, state="suspended"):
    """An account on which everything stands."""
    objects = {
        thing.key: Existing(
            thing.mark,
            state if thing.key.kind in ("task", "alert") else "",
            " ".join(f'"{one.sql("snowflake")}"' for one in thing.after),
        )
        for thing in place.things
    }
    return Found(frozenset({"snowml", "analytics"}), objects, frozenset(file.name for file in place.files))


def without(found, key):
    return Found(found.schemas, {k: v for k, v in found.objects.items() if k != key}, found.files)


def changed(found, key, **changes):
    one = found.objects[key]
    other = Existing(
        changes.get("comment", OURS + "0"),
        changes.get("state", one.state),
        changes.get("relations", one.relations),
    )
    return Found(found.schemas, {**found.objects, key: other}, found.files, found.used)


def there_mark(place):
    """The comment of the finalizer."""
    return next(thing.mark for thing in place.things if thing.key == task("finalize"))


def task(name):
    return Key("task", Relation("snowml", f"snowml_0_6_x_x_x_europe_berlin_{name}", "SHOP"))


def normal(sql):
    """Without what differs from one installation, or one version of the code, to the next."""
    sql = re.sub(r"(?<=[\w-])==[\w.]+(?=')", "==*", sql)
    sql = re.sub(r"_[0-9a-f]{16}(?=\.(zip|py)|\.main)", "_#", sql)
    sql = re.sub(r"(snowml deploy )[0-9a-f]{16}", r"\1#", sql)
    sql = re.sub(r"\([\d,]+ bytes\)", "(* bytes)", sql)
    sql = re.sub(r"(schema version )\d+", r"\1#", sql)
    sql = re.sub(r"(hash )[0-9a-f]{12}", r"\1#", sql)
    return re.sub(r"runtime_version = '3\.\d+'", "runtime_version = '3.*'", sql)


def test_the_sql_is_what_was_reviewed(place):
    steps = steps_of(place(**FULL), resume=True)
    text = "\n\n".join(
        f"-- {step.action} {step.what} {normal(step.name)}\n"
        + "\n".join(one if one.startswith("--") else f"{one};" for one in map(normal, step.statements))
        for step in steps
    )
    assert text + "\n" == (GOLDEN / "plan.sql").read_text("utf-8")


def test_what_an_administrator_runs_is_what_was_reviewed(place):
    assert setup_script(place(**FULL)) + "\n" == (GOLDEN / "setup.sql").read_text("utf-8")


def test_the_sql_of_a_graph_that_waits_for_rows_without_a_warehouse_is_what_was_reviewed(place):
    waits = place(stream=Relation("raw", "orders"), **SERVERLESS)
    steps = [step for step in steps_of(waits) if step.what in ("stream", "task", "alert")]
    text = "\n\n".join(normal(f"{one};") for step in steps for one in step.statements)
    assert text + "\n" == (GOLDEN / "serverless.sql").read_text("utf-8")
    assert setup_script(waits) + "\n" == (GOLDEN / "serverless_setup.sql").read_text("utf-8")


def test_what_stands_in_another_database_can_be_reached(place):
    text = setup_script(place(stream=Relation("raw", "orders", "lake"), dbt_project="TOOLS.DBT.SHOP"))
    for name in ("SHOP", "LAKE", "TOOLS"):
        assert text.count(f'grant usage on database "{name}" to role "SNOWML_DEPLOYER";') == 1
    for name in ('"LAKE"."RAW"', '"TOOLS"."DBT"'):
        assert f'grant usage on schema {name} to role "SNOWML_DEPLOYER";' in text


def test_what_options_take_besides_is_granted(place):
    asked = {"monitor": {"schedule": SCHEDULE, "native": True}, "experiment_tracking": True}
    text, plain = setup_script(place(upkeep=asked)), setup_script(place())
    for kind in ("model monitor", "experiment"):
        assert f'grant create {kind} on schema "SHOP"."SNOWML" to role "SNOWML_DEPLOYER";' in text
        assert f"create {kind}" not in plain


@pytest.mark.filterwarnings("ignore")
def test_the_sql_is_sound_where_it_can_be_parsed(place):
    """sqlglot does not know all of Snowflake's DDL; what it takes for a command is not held against the plan."""
    parsed = 0
    for step in steps_of(place(**FULL), resume=True):
        for statement in step.statements:
            assert len(statement.encode()) < 100_000
            assert statement.count("'") % 2 == statement.count('"') % 2 == 0
            if not statement.startswith("--"):
                (tree,) = sqlglot.parse(statement, dialect="snowflake")
                parsed += not isinstance(tree, exp.Command)
    assert parsed > 10


def test_names_and_texts_are_quoted(place):
    odd = place('od"d', roles=['Data "Team"'], warehouse="my wh", **{**FULL, "training_warehouse": None})
    text = "\n".join(statement for step in steps_of(odd) for statement in step.statements)
    assert '"od""d"."SNOWML"."SNOWML_CODE"' in text
    assert 'to role "Data ""Team"""' in text
    assert 'warehouse = "my wh"' in text
    assert "o''b@example.com" in text


def test_every_guard_is_on_every_task(place):
    tasks = [step.statements[0] for step in steps_of(place()) if step.what == "task"]
    assert len(tasks) == 5
    root, *others = tasks
    for statement in tasks:
        assert "statement_timeout_in_seconds = 3600" in statement
        assert "user_task_timeout_ms = 3660000" in statement
    for guard in ("allow_overlapping_execution = false", "suspend_task_after_num_failures = 3"):
        assert guard in root
    assert "task_auto_retry_attempts = 1" in root
    assert f"schedule = 'USING CRON {SCHEDULE}'" in root
    assert not any("schedule =" in statement for statement in others)
    assert "finalize = " in others[-1]


SCHEDULE = "0 6 * * * Europe/Berlin"


def test_tasks_are_made_after_what_they_call_and_run_only_when_asked(place):
    kinds = [step.what for step in steps_of(place())]
    order = ["schema", "registry", "stage", "file", "specification", "procedure", "task"]
    assert list(dict.fromkeys(kinds)) == order
    assert not [step for step in steps_of(place()) if step.action == "resume"]
    resumed = [step.name for step in steps_of(place(), resume=True) if step.action == "resume"]
    assert [name.rpartition("berlin_")[2] for name in resumed] == [
        "score_lateness",
        "monitor_lateness",
        "retrain_lateness",
        "finalize",
        "features",
    ]


class TestWhatIsThereAlready:
    def test_a_second_plan_does_nothing(self, place):
        full = place(**FULL)
        assert {step.what for step in steps_of(full, there(full)) if step.action != "keep"} == {
            "registry",
            "specification",
        }
        assert not [s for s in steps_of(full, there(full, "started"), resume=True) if s.action == "resume"]

    def test_what_someone_dropped_is_made_again(self, place):
        found = without(there(place()), task("monitor_lateness"))
        steps = [step for step in done(steps_of(place(), found)) if step[1] == "task"]
        assert ("create", "task", task("monitor_lateness").name.name) in steps
        # With what came after it, which has lost its place, and nothing else of its graph.
        assert [(action, name.rpartition("berlin_")[2]) for action, _, name in steps] == [
            ("create", "monitor_lateness"),
            ("replace", "retrain_lateness"),
        ]

    def test_a_task_that_lost_its_place_is_made_again_though_its_definition_is_the_same(self, place):
        found = changed(there(place()), task("finalize"), comment=there_mark(place()), relations="")
        assert [name for _, kind, name in done(steps_of(place(), found)) if kind == "task"] == [
            task("finalize").name.name
        ]

    def test_a_graph_that_runs_is_suspended_while_it_changes_and_runs_again_after(self, place):
        found = changed(there(place(), "started"), task("score_lateness"))
        steps = [step for step in done(steps_of(place(), found)) if step[1] == "task"]
        assert [(action, name.rpartition("berlin_")[2]) for action, _, name in steps] == [
            *(("suspend", name) for name in ("features", "score_lateness", "monitor_lateness")),
            *(("suspend", name) for name in ("retrain_lateness", "finalize")),
            *(("replace", name) for name in ("score_lateness", "monitor_lateness", "retrain_lateness")),
            ("resume", "score_lateness"),
            ("resume", "monitor_lateness"),
            ("resume", "retrain_lateness"),
            ("resume", "finalize"),
            ("resume", "features"),
        ]

    def test_a_graph_that_stands_still_keeps_doing_so(self, place):
        found = changed(there(place()), task("score_lateness"))
        assert [action for action, kind, _ in done(steps_of(place(), found)) if kind == "task"] == [
            "replace"
        ] * 3

    def test_a_task_that_is_not_wanted_any_more_goes(self, place):
        found = there(place(), "started")
        less = place(upkeep={"monitor": {"schedule": SCHEDULE, "window": "90 days"}})
        steps = [step for step in done(steps_of(less, found)) if step[1] == "task"]
        assert [step[0] for step in steps] == [*["suspend"] * 4, "remove", *["resume"] * 4]
        assert steps[4][2].endswith("retrain_lateness")

    def test_a_graph_of_another_schedule_goes_whole(self, place):
        other = place(upkeep={"monitor": {"schedule": "0 * * * * UTC"}})
        steps = [step for step in done(steps_of(place(), there(other, "started"))) if step[1] == "task"]
        assert [step[0] for step in steps] == ["suspend"] * 4 + ["remove"] * 4 + ["create"] * 5

    def test_a_role_more_or_less_changes_the_procedures(self, place):
        more = place(roles=["analyst"])
        replaced = [step for step in done(steps_of(more, there(place()))) if step[1] == "procedure"]
        # What tasks alone call has no roles.
        assert {name for _, _, name in replaced} == {file.stem for file in procedure_files()} - {"run_task"}

    @pytest.mark.parametrize("kind", ["procedure", "task", "stage"])
    def test_what_was_not_made_by_a_deployment_is_never_replaced(self, place, kind):
        key = next(thing.key for thing in place().things if thing.key.kind == kind)
        found = changed(there(place()), key, comment="made by hand")
        with pytest.raises(
            ProjectError, match="In the way stands what no deployment of snowml made"
        ) as caught:
            steps_of(place(), found)
        assert key.sql in str(caught.value)

    def test_files_that_no_procedure_uses_any_more_go_and_foreign_ones_stay(self, place):
        found = there(place())
        old, used, foreign = (f"snowml_{digit * 16}.zip" for digit in "123")
        files = found.files | {old, used, "notes.txt", foreign.replace(".zip", ".csv")}
        found = Found(found.schemas, found.objects, files, frozenset({used}))
        gone = [step for step in steps_of(place(), found) if step.action == "remove"]
        assert [step.statements for step in gone] == [(f'remove @"SHOP"."SNOWML"."SNOWML_CODE"/{old}',)]

    def test_a_stream_that_went_stale_is_made_again_and_the_graph_left_alone(self, place):
        waits = place(stream=Relation("raw", "orders"))
        (key,) = [key for key in there(waits).objects if key.kind == "stream"]
        found = changed(there(waits), key, comment=there(waits).objects[key].comment, state="stale")
        assert [(action, kind) for action, kind, _ in done(steps_of(waits, found))][-1:] == [
            ("replace", "stream")
        ]

    def test_a_stream_that_nothing_waits_for_goes(self, place):
        found = there(place(stream=Relation("raw", "orders")))
        steps = done(steps_of(place(), found))
        assert steps[-1] == ("remove", "stream", "snowml_0_6_x_x_x_europe_berlin_raw_orders")
        # The root has another definition: the whole graph comes after it.
        assert [action for action, kind, _ in steps if kind == "task"] == ["replace"] * 5

    def test_what_is_taken_away_is_what_deployments_made_and_no_data(self, place):
        found = there(place(**FULL), "started")
        mine = Key("task", Relation("snowml", "nightly", "SHOP"))
        found = Found(
            found.schemas, {**found.objects, mine: Existing("made by hand", "started")}, found.files
        )
        steps = remove_all(found)
        assert {step.what for step in steps} == {"alert", "task", "procedure", "stage"}
        assert len(steps) == 5 + len(found.objects) - 1
        assert not any("nightly" in statement.lower() for step in steps for statement in step.statements)
        assert all(
            re.match(r"(alter task|drop (task|alert|procedure|stage) if exists) ", s)
            for one in steps
            for s in one.statements
        )


class TestProcedures:
    def test_their_arguments_are_those_of_main(self):
        found = {
            file.stem: [(one.name, one.type, one.default) for one in arguments_of(file)]
            for file in procedure_files()
        }
        assert found["retrain_model"] == [
            ("model", "varchar", None),
            ("as_of", "varchar", "null"),
            ("force", "boolean", "false"),
        ]
        assert found["promote_model"] == [("model", "varchar", None), ("version", "varchar", "null")]

    def test_the_file_of_snowflakes_own_tool_says_the_same(self):
        project = yaml.safe_load((shipped("stored_procs") / "snowflake.yml").read_text("utf-8"))
        assert project["definition_version"] == 2
        shared = project["mixins"]["snowml"]
        assert shared["packages"] == sorted(PROCEDURES)
        assert shared["artifact_repository"] == REPOSITORY
        entities = project["entities"]
        assert set(entities) == {file.stem for file in procedure_files()}
        for file in procedure_files():
            entity = entities[file.stem]
            assert (entity["type"], entity["handler"]) == ("procedure", f"{file.stem}.main")
            assert entity["execute_as_caller"] == (rights_of(file) == "caller")
            assert {"src": file.name, "dest": "./"} in entity["artifacts"]
            assert [(one["name"], one["type"], one.get("default")) for one in entity["signature"]] == [
                (one.name, one.type, one.default) for one in arguments_of(file)
            ]


class TestSettings:
    def read(self, folder, text):
        (folder / "snowml.yml").write_text(text, "utf-8")
        return read_deployment(folder)

    def test_a_project_need_not_say_anything(self, tmp_path):
        assert read_deployment(tmp_path) == Deployment()

    def test_all_of_it_may_be_said(self, tmp_path):
        found = self.read(
            tmp_path,
            "deploy:\n  warehouse: WH\n  dbt_project: A.B.C\n  roles: [R]\n  timeout: 2 hours\n  retries: 0\n"
            "  notify: {integration: mail, emails: [a@example.com]}\n",
        )
        assert (found.warehouse, found.seconds, found.retries) == ("WH", 7200, 0)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "deploy:\n  roles: []\n  warehose: X\n",
                "snowml.yml:3: unknown key 'warehose'. Did you mean 'warehouse'?",
            ),
            ("deploy:\n  timeout: soon\n", "snowml.yml:2: timeout: 'soon' is no length of time"),
            ("deploy:\n  dbt_project: shop\n", "snowml.yml:2: dbt_project: 'shop' is no full name"),
            ("deploy:\n  retries: -1\n", "snowml.yml:2: retries: -1"),
            ("deploy:\n  notify: {integration: a, emails: []}\n", "snowml.yml:2: notify.emails: [] is empty"),
            ("deploy:\n  notify: {integration: a, emails: [ops]}\n", "notify.emails.0: 'ops' is no address"),
            ("deploy:\n  notify: {emails: [a@b.c]}\n", "snowml.yml:2: missing key 'integration' in 'notify'"),
            ("deploy:\n  roles: ANALYST\n", "snowml.yml:2: roles: 'ANALYST' is not a list"),
            ("deploy:\n  roles: [R, '']\n", "snowml.yml:2: roles.1: '' is empty"),
            ("deploy:\n  roles: ['\"R\"']\n", """snowml.yml:2: roles.0: '"R"' stands between quotes"""),
            ("deploy:\n  warehouse: ''\n", "snowml.yml:2: warehouse: '' is empty"),
            ("deploy:\n  warehouse_size: xsmal\n", "unknown value 'xsmal'. Did you mean 'XSMALL'?"),
            ("deploy:\n  timeout: 8 days\n", "snowml.yml:2: timeout: '8 days' is more than 7 days"),
            ("deploy:\n  dbt_project: a..b\n", "dbt_project: 'a..b' is no full name"),
            ("\ndeploy: 3\n", "snowml.yml:2: 'deploy' is no mapping of keys: 3"),
            (
                "deploy:\n  notify:\n    integraton: a\n",
                "unknown key 'integraton' in 'notify'. Did you mean 'integration'?",
            ),
            (
                "deploy:\n  serverless: {maximum: LARGE}\n",
                "unknown key 'maximum' in 'serverless'. Did you mean",
            ),
            (
                "deploy:\n  serverless: {initial: LARGE, max: SMALL}\n",
                "snowml.yml:2: serverless: LARGE, SMALL: sizes go from 'min' over 'initial' to 'max'",
            ),
            (
                "deploy:\n  training_memory: MEMORY_16X\n",
                "snowml.yml:2: training_memory: name the warehouse too",
            ),
            (
                "deploy:\n  notify: {integration: a, emails: [a@b.c], about: [news]}\n",
                "notify.about.0: unknown value 'news'",
            ),
            ("other: 1\n", "must have the one key 'deploy'"),
            ("deploy: [\n", "snowml.yml:2 is not valid YAML"),
        ],
    )
    def test_what_cannot_be_used_is_refused_with_its_line(self, tmp_path, text, message):
        with pytest.raises(ProjectError) as caught:
            self.read(tmp_path, text)
        assert message in str(caught.value)


def test_the_estimate_is_runs_times_minutes_times_credits(place):
    one = place()
    (found,) = estimate(graphs_of(one.specs), one.deployment, handmade.NOW)
    assert (found.runs, found.minutes) == (30, (5, 56))
    assert found.credits == (round(30 * 5 / 60, 1), round(30 * 56 / 60, 1))
    free = place(serverless={"max": "MEDIUM"})
    assert estimate(graphs_of(free.specs), free.deployment, handmade.NOW)[0].credits == (2.5, 112.0)
    large = place(warehouse_size="LARGE")
    assert estimate(graphs_of(large.specs), large.deployment, handmade.NOW)[0].credits[0] == 20.0
