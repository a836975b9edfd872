"""Feature tables in the feature store, through snowflake-ml's own client on the stand-in."""

import re
from dataclasses import replace
from pathlib import Path

import handmade
import pytest
import sqlglot
from snowflake_target import open_standin

from snowml.deploy.feature_views import Shelf, entity_name
from snowml.deploy.found import Found, look
from snowml.deploy.plan import apply, plan, remove_all
from snowml.deploy.setup import setup_script
from snowml.engines.columns import columns_of
from snowml.errors import DataError, ProjectError, TerminalError
from snowml.names import Relation
from snowml.progress import Silent
from snowml.registry.store import Registry
from snowml.workflows.catalogue import Column, FeatureTable

GOLDEN = Path(__file__).parent / "golden" / "feature_store.sql"
CHANGES = r"(create|alter|drop|merge|insert|delete|update|truncate)\b"
SAID = {"delay": "It's the mean \\ of 3 days.", 'Odd "name"': ""}


@pytest.fixture
def engine(warehouse):
    engine = open_standin(warehouse)
    engine.execute("create warehouse if not exists transforming")
    build(engine)
    try:
        yield engine
    finally:
        engine.close()


def build(engine, more=""):
    engine.execute(
        f'create or replace table public.flights (flight_id varchar, as_of timestamp_ntz, delay float, "Odd ""name""" '
        f"float{more})"
    )


def tables(engine, description="How late flights are."):
    """What the catalogue would tell of the tables `flights` and `gates`; the second is never built."""
    found = []
    for name in ("flights", "gates"):
        relation = Relation("public", name, engine.database)
        try:
            columns, built = columns_of(engine, relation), True
        except DataError:
            columns, built = [], False
        features = tuple(
            Column(name, type_, SAID.get(name, ""), ("lateness",))
            for name, type_ in columns
            if name not in ("flight_id", "as_of")
        )
        found.append(
            FeatureTable(
                name, relation, description, "Ops", ("flight_id",), "as_of", None, None, built, features
            )
        )
    return tuple(found)


class Deployer:
    def __init__(self, engine, place):
        self.engine, self.place = engine, place(engine.database, roles=[])

    def plan(self, on=True, **said):
        place = self.place
        shelf = Shelf(place.stage, "transforming", tables(self.engine, **said)) if on else None
        found = look(self.engine, place.stage, place.schema)
        registry = Registry(self.engine, place.registry)
        return plan(place, found, registry=registry, now=handmade.NOW, resume=False, shelf=shelf)

    def deploy(self, **options):
        steps = self.plan(**options)
        apply(self.engine, steps, Silent())
        return [
            (s.action, s.what, s.name) for s in steps if s.action != "keep" and "feature" in s.what + s.name
        ]

    def names(self, kind):
        return [row["name"] for row in self.engine.query(f"show {kind} in schema snowml").to_pylist()]


@pytest.fixture
def deployer(engine, place):
    return Deployer(engine, place)


def client(engine):
    from snowflake.ml.feature_store import CreationMode, FeatureStore

    return FeatureStore(
        engine.session,
        engine.database,
        "SNOWML",
        "TRANSFORMING",
        creation_mode=CreationMode.FAIL_IF_NOT_EXIST,
    )


def views(steps):
    return [(s.action, s.name) for s in steps if s.what in ("feature view", "entity")]


def test_feature_tables_are_registered_follow_their_columns_and_are_taken_away(deployer, warehouse):
    steps = deployer.plan()
    (entity, first, waiting) = views(steps)
    assert (entity, waiting) == (("create", "flight_id"), ("skip", "gates"))
    assert re.fullmatch(r"flights\$V_[0-9A-F]{8}", first[1])
    apply(deployer.engine, steps, Silent())

    # As whoever asks the feature store finds them.
    store = client(deployer.engine)
    (row,) = store.list_feature_views().collect()
    assert row["NAME"] == "FLIGHTS"
    view = store.get_feature_view("FLIGHTS", first[1].partition("$")[2])
    assert [str(name) for name in view.feature_names] == ["DELAY", '"Odd ""name"""']
    assert str(view.timestamp_col) == "AS_OF"
    assert [str(key) for one in view.entities for key in one.join_keys] == ["FLIGHT_ID"]
    assert view.feature_descs["DELAY"] == "It\N{RIGHT SINGLE QUOTATION MARK}s the mean / of 3 days."
    assert view.desc.startswith("How late flights are. Owner: Ops. snowml deploy ")
    deployer.engine.execute("insert into public.flights values ('a', '2013-01-01', 3, null)")
    assert view.feature_df.collect()[0]["DELAY"] == 3

    # A second time nothing is done, nor when rows change.
    assert {action for action, _ in views(deployer.plan())} == {"keep", "skip"}

    # Another description is the same version; other columns are another.
    changed = views(deployer.plan(description="Lateness."))
    assert changed[1] == ("replace", first[1])
    deployer.deploy(description="Lateness.")
    assert (
        client(deployer.engine)
        .get_feature_view("FLIGHTS", first[1].partition("$")[2])
        .desc.startswith("Lateness.")
    )
    build(deployer.engine, more=", gate varchar")
    deployer.deploy()
    (second,) = [name for name in deployer.names("views") if "$" in name]
    assert second != first[1].upper()

    # Left out of snowml.yml they go, and no table with them.
    gone = views(deployer.plan(on=False))
    assert [action for action, _ in gone] == ["remove", "remove"]
    deployer.deploy(on=False)
    assert not [name for name in deployer.names("views") if "$" in name]
    assert deployer.names("tags") == ["SNOWML_FEATURE_VIEW_METADATA", "SNOWML_FEATURE_STORE_OBJECT"]
    assert deployer.engine.query("select count(*) as n from public.flights")["n"][0].as_py() == 0

    deployer.deploy()
    found = look(deployer.engine, deployer.place.stage, deployer.place.schema)
    apply(deployer.engine, remove_all(found), Silent())
    assert not [name for name in deployer.names("views") if "$" in name]
    assert not [
        r.sql
        for r in warehouse.records
        if r.sql.lower().startswith("drop table") and "$SNAPSHOT" not in r.sql
    ]


def normal(sql, database):
    sql = sql.replace(database, "SHOP")
    sql = re.sub(r"(?<=V_)[0-9A-F]{8}", "#", sql)
    sql = re.sub(r"(snowml deploy )[0-9a-f]{16}", r"\1#", sql)
    sql = re.sub(r"RESULT_SCAN\('[^']*'\)", "RESULT_SCAN('#')", sql)
    sql = re.sub(r', "is_tiled": [^}]*', "", sql)
    return re.sub(r'("pkg_version": ")[\d.]+', r"\1#", " ".join(sql.split()))


@pytest.mark.filterwarnings("ignore")
def test_what_the_client_sends_is_what_was_reviewed(deployer, warehouse):
    deployer.deploy()
    sent = [normal(r.sql, warehouse.database).rstrip("; ") for r in warehouse.records]
    start = next(i for i, sql in enumerate(sent) if sql.startswith("SHOW WAREHOUSES"))
    changing = [sql for sql in sent[start:] if re.match(CHANGES, sql, re.IGNORECASE)]
    for sql in changing:
        sqlglot.parse(sql, dialect="snowflake")
        assert re.match(r"create|merge|alter table \S+ set tag", sql, re.IGNORECASE)
    # What is the client's own housekeeping may change with its version.
    ours = [sql for sql in changing if "FLIGHT" in sql and sql.startswith("CREATE")]
    assert "\n\n".join(f"{sql};" for sql in ours) + "\n" == GOLDEN.read_text("utf-8")


def test_what_is_in_the_way_is_never_replaced(deployer):
    engine = deployer.engine
    engine.execute("create schema snowml")
    tag = "snowml.snowml_feature_store_entity_flight_id"
    engine.execute(f"create tag {tag} allowed_values 'FLIGHT,DAY' comment = 'by hand'")
    with pytest.raises(ProjectError, match="known by FLIGHT,DAY and not by FLIGHT_ID"):
        deployer.plan()
    # The same entity, made by somebody else, is used, and left there.
    engine.execute(f"create or replace tag {tag} allowed_values 'FLIGHT_ID' comment = 'by hand'")
    assert ("keep", "flight_id") in views(deployer.plan())
    deployer.deploy()
    assert [action for action, _ in views(deployer.plan(on=False))] == ["remove"]

    (name,) = [name for name in deployer.names("views") if "$" in name]
    engine.execute(f'drop view snowml."{name}"')
    engine.execute(f'create view snowml."{name}" as select 1 as a')
    with pytest.raises(ProjectError, match="which no deployment of snowml made"):
        deployer.plan()


def test_an_edition_without_tags_is_told_only_to_who_wants_them(engine, place, monkeypatch):
    here, ask = place(engine.database), engine.query

    def standard_edition(sql, params=()):
        if sql.startswith("show tags"):
            raise TerminalError("Snowflake: Unsupported feature 'TAG'.")
        return ask(sql, params)

    engine.execute("create schema snowml")
    monkeypatch.setattr(engine, "query", standard_edition)
    assert not look(engine, here.stage, here.schema).objects
    wanting = place(engine.database, feature_store=True)
    with pytest.raises(TerminalError, match="Unsupported feature"):
        look(engine, wanting.stage, wanting.schema, wanting.optional)


def test_two_tables_of_one_name_are_named(engine, place):
    one, _ = tables(engine)
    other = replace(one, relation=Relation("elsewhere", "flights", engine.database))
    shelf = Shelf(place().stage, "transforming", (one, other))
    with pytest.raises(ProjectError, match="Two feature tables are called 'flights'"):
        plan(place(), Found(), registry=None, now=handmade.NOW, resume=False, shelf=shelf)


def test_entities_have_names_that_the_client_takes():
    assert entity_name(("flight_id",)) == "flight_id"
    assert entity_name(("store", "product")) == "store_product"
    for odd in (("a" * 33,), ("Flight Id",), ("a,b",)):
        assert re.fullmatch(r"entity_[0-9a-f]{12}", entity_name(odd))
    assert entity_name(("a,b",)) != entity_name(("a,c",))


def test_the_role_gets_what_the_feature_store_takes(engine, place):
    here = place(engine.database)
    text = setup_script(here, Shelf(here.stage, "transforming", tables(engine)))
    assert f'grant create tag on schema "{engine.database}"."SNOWML" to role "SNOWML_DEPLOYER";' in text
    assert f'grant select on "{engine.database}"."PUBLIC"."FLIGHTS" to role "SNOWML_DEPLOYER";' in text
    assert "create tag" not in setup_script(here)
