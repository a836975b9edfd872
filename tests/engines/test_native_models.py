"""Each version stands as a MODEL of Snowflake's own registry too, which is made to follow snowml's tables."""

import pickletools
import warnings
from importlib.metadata import version as installed

import handmade
import numpy as np
import pyarrow as pa
import pytest
import yaml

pytest.importorskip("snowflake.ml", reason="the extra 'snowflake' is not installed")

from clean_environment import answers, handler_in, python_with
from training_set import fill

from snowml.engines.snowflake.native import SnowflakeModels
from snowml.errors import TerminalError
from snowml.names import Relation, quoted
from snowml.registry.store import Registry
from snowml.training.data import feature_columns, to_frame
from snowml.workflows.champion import load_artifact
from snowml.workflows.promote import rollback

# Promotion and rollback on the stand-in, by the engine that a deployment uses.
pytestmark = pytest.mark.standin_loop

HOME = Relation("snowml", handmade.MODEL)


@pytest.fixture
def registry(snowflake_engine):
    fill(snowflake_engine)
    return Registry(snowflake_engine, "snowml")


def train(registry, estimator="logistic_regression", **changes):
    return handmade.train_one(registry.engine, registry, estimator, **changes).version


def logged(registry):
    """Name → whether it is the champion."""
    return {one.name: one.is_champion for one in registry.engine.models.versions(HOME)}


def client_of(registry, name):
    """The version as snowflake-ml's own Registry gives it."""
    with warnings.catch_warnings():
        # What snowflake-ml and its dependencies warn of is theirs.
        warnings.simplefilter("ignore")
        from snowflake.ml.registry import Registry as Client

        engine = registry.engine
        client = Client(engine.session, database_name=engine.database, schema_name="SNOWML")
        return client.get_model("LATENESS").version(name)


def export(client, folder):
    """All files of the version, as they were packed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from snowflake.ml.model import ExportMode

        folder.mkdir(exist_ok=True)
        client.export(str(folder), export_mode=ExportMode.FULL)
    return folder


def rows(registry, version):
    """The training set as the client reads it, and as scikit-learn does, in the same order."""
    engine, features = registry.engine, version.signature.features
    name = Relation("main", "training_set", engine.database).sql("snowflake")
    ordered = engine.session.sql(f"select * from {name}").sort(quoted("id", "snowflake"))
    table = engine.query(
        f"select {', '.join(feature_columns(features, 'snowflake'))} from {name} order by id"
    )
    columns = [quoted(feature.name, "snowflake") for feature in features]
    return ordered.select(columns), to_frame(table, features)


def test_a_version_answers_there_what_scikit_learn_answers(registry):
    version = train(registry, "hist_gradient_boosting")
    theirs, frame = rows(registry, version)
    assert theirs.columns == ["SPEED", '"Wind ""Gust"" m/s?"', "TOWN"]
    assert frame.isna().any(axis=None)
    model = load_artifact(registry, version).pipeline
    client = client_of(registry, "V1")
    found = [row[-1] for row in client.run(theirs, function_name="predict_proba").collect()]
    np.testing.assert_allclose(found, model.predict_proba(frame)[:, 1], rtol=0, atol=1e-12)
    found = [row[-1] for row in client.run(theirs, function_name="predict").collect()]
    assert found == model.predict(frame).tolist()


def test_a_regression_has_one_method(registry):
    exclude = {"exclude": ["late"]}
    version = train(registry, "ridge", task="regression", label="speed", metric="mae", features=exclude)
    theirs, frame = rows(registry, version)
    client = client_of(registry, "V1")
    assert [method["name"] for method in client.show_functions()] == ["PREDICT"]
    found = [row[-1] for row in client.run(theirs, function_name="predict").collect()]
    np.testing.assert_allclose(found, load_artifact(registry, version).pipeline.predict(frame), atol=1e-12)


def test_what_is_packed_is_the_artifact_as_it_is_code_and_no_row(registry, tmp_path):
    version = train(registry)
    client = client_of(registry, "V1")
    assert client.comment == f"snowml: lateness version 1, artifact {version.artifact}"
    measured = registry.metrics(handmade.MODEL)[version.run_id]["model"]
    assert client.show_metrics()["test_roc_auc"] == measured["test"]["roc_auc"]
    export(client, tmp_path)
    files = {str(file.relative_to(tmp_path)): file for file in tmp_path.rglob("*") if file.is_file()}
    inside = "model/models/LATENESS"
    assert files[f"{inside}/artifacts/{version.artifact}"].read_bytes() == registry.artifact(version)
    # snowflake-ml's own pickle: of the class alone, and of nothing that came out of the training set.
    assert {name for name in files if name.endswith((".pkl", ".joblib"))} == {f"{inside}/model.pkl"}
    pickled = files[f"{inside}/model.pkl"].read_bytes()
    assert len(pickled) < 8_000
    modules = {
        argument for code, argument, _ in pickletools.genops(pickled) if code.name == "SHORT_BINUNICODE"
    }
    assert not {name for name in modules if name.startswith(("sklearn", "skops", "numpy"))}
    assert not [name for name in files if "sample" in name]
    manifest = yaml.safe_load(files["MANIFEST.yml"].read_text())
    assert manifest["target_platforms"] == ["WAREHOUSE"]
    (runtime,) = manifest["runtimes"].values()
    assert set(runtime["dependencies"]) == {"pip", "artifact_repository_map"}
    assert "pypi_shared_repository" in runtime["dependencies"]["artifact_repository_map"]["pip"].lower()
    required = files[runtime["dependencies"]["pip"]].read_text().split()
    assert f"scikit-learn=={installed('scikit-learn')}" in required
    assert f"snowflake-ml-python=={installed('snowflake-ml-python')}" in required
    assert all("==" in line for line in required)
    assert not [line for line in required if line.startswith("snowml")]


@pytest.mark.clean
def test_what_is_packed_answers_where_nothing_is_installed_but_what_it_declares(
    registry, tmp_path, tmp_path_factory
):
    version = train(registry, "hist_gradient_boosting")
    packed = export(client_of(registry, "V1"), tmp_path / "packed")
    (required,) = packed.glob("runtimes/*/env/requirements.txt")
    python = python_with(required.read_text().split(), tmp_path_factory)
    _, frame = rows(registry, version)
    model, kinds = load_artifact(registry, version).pipeline, (pa.float64(), pa.float64(), pa.string())
    columns = [pa.array(frame[name], kind, from_pandas=True) for name, kind in zip(frame, kinds, strict=True)]
    given = pa.table(columns, list(frame))
    assert given["speed"].null_count
    for method, answer, expected in (
        ("predict_proba", "probability", model.predict_proba(frame)[:, 1]),
        ("predict", "prediction", model.predict(frame)),
    ):
        with handler_in(python, [*packed.iterdir()], f"functions.{method}.infer", None) as worker:
            for size in (1, 7, len(frame)):
                found = [one[answer] for one in answers(worker, given, size)]
                np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_the_champion_is_the_default_version_and_has_the_alias(registry):
    train(registry)
    assert logged(registry) == {"V1": False}
    handmade.promote_one(registry.engine, registry)
    train(registry, features={"exclude": ["town"]})
    assert logged(registry) == {"V1": True, "V2": False}
    handmade.promote_one(registry.engine, registry)
    assert logged(registry) == {"V1": False, "V2": True}
    rollback(registry.engine, registry, handmade.MODEL, now=handmade.NOW)
    assert logged(registry) == {"V1": True, "V2": False}


def test_what_someone_changed_there_is_put_right_by_the_next_command(registry):
    train(registry)
    handmade.promote_one(registry.engine, registry)
    train(registry)
    name = HOME.within(registry.engine.database).sql("snowflake")
    registry.engine.execute(f"alter model {name} set default_version = v2")
    registry.engine.execute(f"alter model {name} version champion unset alias")
    handmade.train_one(registry.engine, registry, if_changed=True)
    assert logged(registry) == {"V1": True, "V2": False}
    registry.engine.execute(f"alter model {name} drop version v2")
    handmade.promote_one(registry.engine, registry, 1)
    assert logged(registry) == {"V1": True, "V2": False}
    registry.engine.execute(f"drop model {name}")
    handmade.promote_one(registry.engine, registry, 2)
    assert logged(registry) == {"V1": False, "V2": True}


def test_a_version_that_cannot_be_logged_is_registered_and_logged_by_the_next_command(registry, monkeypatch):
    from snowflake.ml.registry import Registry as Client

    def refuse(*_, **__):
        raise ValueError("no more models today")

    with monkeypatch.context() as patched:
        patched.setattr(Client, "log_model", refuse)
        with pytest.raises(
            TerminalError, match=r"no more models today(.|\n)*version 1 is registered all the same"
        ):
            train(registry)
    assert registry.statuses(handmade.MODEL) == {1: "approved"}
    assert logged(registry) == {}
    handmade.promote_one(registry.engine, registry)
    assert logged(registry) == {"V1": True}


def test_a_lost_artifact_stops_no_training(registry):
    lost = train(registry)
    engine = registry.engine
    engine.execute(f"drop model {HOME.within(engine.database).sql('snowflake')}")
    engine.execute(f"remove @{registry.table('artifacts').sql('snowflake')}/{lost.artifact}")
    train(registry)
    assert logged(registry) == {"V2": False}


def test_a_version_of_that_name_that_is_something_else_is_not_taken_for_ours(registry):
    train(registry)
    name = HOME.within(registry.engine.database).sql("snowflake")
    registry.engine.execute(f"alter model {name} modify version v1 set comment = 'mine'")
    with pytest.raises(TerminalError, match=r"V1 that is not lateness version 1.*'mine'"):
        train(registry)


def test_a_roll_back_that_died_before_the_model_followed_is_not_done_twice(registry, monkeypatch):
    for _ in range(3):
        train(registry)
        handmade.promote_one(registry.engine, registry)

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(SnowflakeModels, "crown", die)
        rollback(registry.engine, registry, handmade.MODEL, now=handmade.NOW)
    done = rollback(registry.engine, registry, handmade.MODEL, now=handmade.NOW)
    assert (done.version.version, done.previous) == (2, 3)
    assert logged(registry) == {"V1": False, "V2": True, "V3": False}


def test_nothing_of_it_goes_to_standard_output(registry, capfd):
    train(registry)
    assert capfd.readouterr().out == ""
