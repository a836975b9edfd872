import pytest

from snowml.errors import ModelNotFound, SpecError
from snowml.names import Relation
from snowml.spec.exposure import model_names

FILE = "models/ml/churn.yml"


def refused(project, name="churn", **more):
    with pytest.raises(SpecError) as caught:
        project.read(name, **more)
    return caught.value


def test_a_spec_holds_the_exposure_resolved_for_the_target(project):
    spec = project.read(git_commit="abc")
    assert (spec.name, spec.project, spec.owner, spec.file) == ("churn", "shop", "Shop", FILE)
    assert spec.training_set == Relation("main", "churn_training_set")
    assert spec.scoring_set == Relation("main", "churn_scoring_set")
    assert (spec.registry_schema, spec.function_schema) == ("main_snowml", "main")
    assert (spec.target, spec.git_commit) == ("dev", "abc")


def test_meta_outside_config_is_read_as_older_dbt_has_it(project):
    exposure = project.manifest["exposures"]["exposure.shop.churn"]
    exposure["meta"] = exposure.pop("config")["meta"]
    assert project.read().settings.estimator == "logistic_regression"


def test_models_are_the_root_projects_exposures_of_type_ml_with_settings(project):
    exposures = project.manifest["exposures"]
    churn = exposures["exposure.shop.churn"]
    exposures["a"] = {**churn, "name": "another"}
    exposures["b"] = {**churn, "name": "board", "type": "dashboard"}
    exposures["c"] = {**churn, "name": "bare", "config": {"meta": {}}}
    exposures["d"] = {**churn, "name": "foreign", "package_name": "elsewhere"}
    assert model_names(project.manifest) == ["another", "churn"]


def test_an_unknown_model_is_not_found_and_the_nearest_is_named(project):
    with pytest.raises(ModelNotFound, match=r"^no model 'chrun'\. Did you mean 'churn'\?$"):
        project.read("chrun")


def test_a_project_without_models_says_how_to_declare_one(project):
    project.manifest["exposures"] = {}
    with pytest.raises(ModelNotFound, match="declare an exposure of 'type: ml'"):
        project.read()


def test_another_type_of_exposure_is_no_model(project):
    error = refused(project.replace("type: ml", "type: dashboard"))
    assert str(error) == f"{FILE}:3: exposure 'churn' is of type 'dashboard', and a model is of 'type: ml'."


def test_an_exposure_without_settings_says_what_to_add(project):
    project.write("exposures:\n  - name: churn\n    type: ml\n")
    assert str(refused(project)).startswith(f"{FILE}:2: exposure 'churn' has no settings. Add 'config: ")


def test_empty_settings_name_every_missing_key(project):
    project.write("exposures:\n  - name: churn\n    type: ml\n    meta:\n      snowml:\n")
    lines = str(refused(project)).splitlines()
    assert f"{FILE}:5: missing key 'task'. Add 'task: …'." in lines


@pytest.mark.parametrize("name", ["churn_proba", "churn_label", "churn_v2", "x_v10"])
def test_a_name_that_marks_another_function_is_refused(project, name):
    error = refused(project.replace("name: churn\n", f"name: {name}\n"), name)
    assert str(error).startswith(f"{FILE}:2: model name '{name}' ends in '_")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Churn", "is not in lower case"),
        ("1churn", "does not begin with a letter"),
        ("_churn", "does not begin with a letter"),
        ("churn-rate", "has '-' in it"),
        ("Churn.x", "has '.' in it"),
    ],
)
def test_a_name_that_is_no_plain_identifier_is_refused(project, name, told):
    error = refused(project.replace("name: churn\n", f"name: {name}\n"), name)
    assert f"model name '{name}' {told}: use a-z, 0-9 and _, a letter first." in str(error)


def test_a_set_that_is_not_in_depends_on_is_refused(project):
    error = refused(project.replace("ref('churn_training_set'), ", ""))
    assert str(error) == (
        f"{FILE}:15: training_set: 'churn_training_set' is not in depends_on."
        " Add ref('churn_training_set') to depends_on."
    )
    assert (error.file, error.line) == (FILE, 15)


def test_a_source_that_is_not_in_depends_on_is_added_as_a_source(project):
    assert "Add source('raw', 'events')" in str(refused(project, overrides={"scoring_set": "events"}))


def test_a_set_that_does_not_exist_is_refused_with_the_nearest(project):
    error = refused(project.replace("scoring_set: churn_scoring_set", "scoring_set: churn_scorin_set"))
    assert str(error) == (
        f"{FILE}:16: scoring_set: no model, seed, snapshot or source is called 'churn_scorin_set'."
        " Did you mean 'churn_scoring_set'?"
    )


def test_an_ephemeral_set_is_refused(project):
    project.manifest["nodes"]["model.shop.churn_training_set"]["config"]["materialized"] = "ephemeral"
    assert "'churn_training_set' is ephemeral" in str(refused(project))


def test_a_set_of_two_packages_must_be_named_in_full(project):
    nodes = project.manifest["nodes"]
    nodes["model.lib.churn_training_set"] = {**nodes["model.shop.churn_training_set"], "schema": "lib"}
    project.manifest["exposures"]["exposure.shop.churn"]["depends_on"]["nodes"].append(
        "model.lib.churn_training_set"
    )
    assert "Write it as '<package>.churn_training_set'" in str(refused(project))
    spec = project.read(overrides={"training_set": "lib.churn_training_set"})
    assert spec.training_set.schema == "lib"


def test_a_source_may_be_scored_and_keeps_its_own_database(project):
    project.manifest["exposures"]["exposure.shop.churn"]["depends_on"]["nodes"].append(
        "source.shop.raw.events"
    )
    for name in ("events", "raw.events"):
        spec = project.read(overrides={"scoring_set": name})
        assert spec.scoring_set == Relation("raw", "events_v1", "lake")


def test_what_dbt_leaves_unquoted_is_folded_as_the_warehouse_does(project):
    node = project.manifest["nodes"]["model.shop.churn_training_set"]
    node |= {"database": "Analytics", "schema": "PROD", "relation_name": "Analytics.PROD.churn_training_set"}
    assert project.read(database="ANALYTICS").training_set == Relation("prod", "churn_training_set")
    assert project.read().training_set == Relation("prod", "churn_training_set", "analytics")
    node["relation_name"] = 'Analytics."PROD".churn_training_set'
    assert project.read().training_set.schema == "PROD"


def test_an_owner_may_be_known_by_mail_alone_or_not_at_all(project):
    exposure = project.manifest["exposures"]["exposure.shop.churn"]
    exposure["owner"] = {"email": "shop@example.com", "name": None}
    assert project.read().owner == "shop@example.com"
    del exposure["owner"]
    assert project.read().owner is None


def test_the_manifest_hash_follows_the_code_upstream(project):
    before = project.read().manifest_hash
    nodes = project.manifest["nodes"]
    nodes["model.shop.unrelated"]["checksum"]["checksum"] = "new"
    nodes["model.shop.customers"]["schema"] = "elsewhere"
    project.manifest["nodes"] = dict(reversed(nodes.items()))
    assert project.read().manifest_hash == before
    nodes["model.shop.customers"]["checksum"]["checksum"] = "new"
    assert project.read().manifest_hash != before


def test_the_manifest_hash_follows_the_macros_upstream(project):
    node = project.manifest["nodes"]["model.shop.customers"]
    node["depends_on"]["macros"] = ["macro.shop.one"]
    macros = project.manifest["macros"]
    macros["macro.shop.one"] = {"macro_sql": "a", "depends_on": {"macros": ["macro.shop.two"]}}
    macros["macro.shop.two"] = {"macro_sql": "b", "depends_on": {"macros": ["macro.shop.one"]}}
    before = project.read().manifest_hash
    macros["macro.shop.two"]["macro_sql"] = "c"
    assert project.read().manifest_hash != before
