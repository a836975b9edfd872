"""The stand-in: models, as snowflake-ml's own Registry registers, lists, names and calls them."""

import logging
import warnings

import numpy as np
import pandas as pd
import pytest
from fixtures import Warehouse
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

RANDOM = np.random.default_rng(0)
X = pd.DataFrame({"AMOUNT": RANDOM.normal(size=200), "DAYS": RANDOM.integers(0, 99, 200).astype(float)})
Y = (X["AMOUNT"] + X["DAYS"] / 50 > 1).astype(int)


@pytest.fixture(scope="module")
def model() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)


@pytest.fixture
def registry(session, warehouse: Warehouse, monkeypatch):
    logging.getLogger("snowflake").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # What snowflake-ml and its dependencies warn of is theirs.
        warnings.simplefilter("ignore")
        from snowflake.ml.registry import Registry

        yield Registry(session=session, database_name=warehouse.database, schema_name="PUBLIC")


@pytest.fixture
def log(registry, model):
    def log(version: str):
        from snowflake.ml.model import task

        return registry.log_model(
            model,
            model_name="CHURN",
            version_name=version,
            sample_input_data=X.head(20),
            target_platforms=["WAREHOUSE"],
            task=task.Task.TABULAR_BINARY_CLASSIFICATION,
            options={"enable_explainability": False, "relax_version": True},
            comment="as trained",
        )

    return log


def test_a_model_is_logged_named_and_called(registry, log, model, session, warehouse):
    first, second = log("V1"), log("V2")
    first.set_alias("champion")
    logged = registry.get_model("CHURN")
    assert [v.version_name for v in logged.versions()] == ["V1", "V2"]
    assert logged.version("CHAMPION").version_name == "V1"
    assert first.comment == "as trained"
    logged.default = "V2"
    assert registry.get_model("CHURN").default.version_name == "V2"
    session.create_dataframe(X.head(50).values.tolist(), schema=["AMOUNT", "DAYS"]).write.save_as_table(
        "scored"
    )
    frame = session.table("scored").select("AMOUNT", "DAYS")
    answers = second.run(frame, function_name="predict").collect()
    assert [int(row[-1]) for row in answers] == model.predict(X.head(50)).tolist()
    sql = (
        'select model(churn, champion)!predict_proba(amount, days):"output_feature_1"::float as p from scored'
    )
    found = [row["P"] for row in session.sql(sql).collect()]
    np.testing.assert_allclose(found, model.predict_proba(X.head(50))[:, 1], rtol=0, atol=1e-12)
    logged.delete_version("V1")
    assert [v.version_name for v in registry.get_model("CHURN").versions()] == ["V2"]
    registry.delete_model("CHURN")
    assert registry.models() == []


def test_a_version_is_not_made_twice_and_an_alias_is_one_versions(registry, log, session):
    version = log("V1")
    log("V2")
    version.set_alias("champion")
    with pytest.raises(Exception, match="already exists"):
        session.sql("alter model churn version v2 set alias = champion").collect()
    version.unset_alias("champion")
    session.sql("alter model churn version v2 set alias = champion").collect()
    with pytest.raises(Exception, match="cannot be dropped"):
        session.sql("alter model churn drop version v1").collect()


def test_a_versions_files_can_be_listed_and_fetched(log, tmp_path):
    version = log("V1")
    version.export(str(tmp_path))
    assert (tmp_path / "model.yaml").is_file() or (tmp_path / "model" / "model.yaml").is_file()
