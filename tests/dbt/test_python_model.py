"""The dbt Python model of docs/snowflake.md, a door to training: on DuckDB, and by the procedure on Snowflake."""

import json
import re
from pathlib import Path

import handmade
import pytest
import shop
from fixtures import Warehouse
from training_set import fill

from snowml.names import Relation
from snowml.registry.store import Registry

pytestmark = pytest.mark.dbt

DOCS = Path(__file__).parents[2] / "docs" / "snowflake.md"


def documented() -> str:
    (found,) = re.findall(
        r"```python\n(# models/ml/churn_training\.py\n.*?)```", DOCS.read_text("utf-8"), re.DOTALL
    )
    return found


def add_to(made: shop.Shop) -> None:
    made.write("models/churn_training.py", documented())
    made.write(
        "models/churn_training.yml",
        "models: [{name: churn_training, config: {as_of: \"{{ var('trained_as_of', none) }}\"}}]\n",
    )


def test_on_duckdb_it_trains_and_tells_what_came_of_it(tmp_path: Path) -> None:
    made = shop.shop(tmp_path / "shop", "trained")
    add_to(made)
    # In a process of its own: dbt-duckdb leaves event loops open.
    done = made.dbt_command("build", "-s", "churn_training", "--vars", f"trained_as_of: '{shop.AS_OF}'")
    assert done.returncode == 0, done.stdout
    ((answer,),) = made.rows("select answer from churn_training")
    told = json.loads(answer)
    assert (told["model"], told["version"], told["status"]) == ("churn", 2, "approved")
    versions = made.cli("versions", "churn", "--json").json["versions"]
    assert [(one["version"], one["parity"]["certified"]) for one in versions] == [(2, True), (1, True)]


def test_on_snowflake_it_calls_the_deployed_procedure(tmp_path: Path, warehouse: Warehouse) -> None:
    pytest.importorskip("dbt.adapters.snowflake", reason="the extra 'snowflake' is not installed")
    from snowflake_dbt import dbt, write_profile
    from snowflake_procedures import deploy
    from snowflake_target import open_standin

    engine = open_standin(warehouse)
    try:
        engine.execute("create schema dev")
        fill(engine, schema="public")
        deploy(engine, "dev")
        registry = Registry(engine, "snowml").create()
        home = Relation("dev", "churn_training_set")
        spec = handmade.spec().model_copy(
            update={"name": "churn", "training_set": home, "scoring_set": home, "function_schema": "dev"}
        )
        registry.record_spec(spec.name, spec.hash, spec.to_json(), handmade.NOW)
        (tmp_path / "models").mkdir()
        (tmp_path / "dbt_project.yml").write_text("{name: tiny, version: 1.0.0, profile: tiny}")
        (tmp_path / "models" / "churn_training_set.sql").write_text("select * from public.training_set")
        (tmp_path / "models" / "churn_training.py").write_text(documented())
        as_of = handmade.AS_OF.isoformat()
        (tmp_path / "models" / "models.yml").write_text(
            f"models: [{{name: churn_training, config: {{as_of: '{as_of}'}}}}]"
        )
        write_profile(tmp_path, warehouse, "tiny")
        done = dbt(tmp_path, "build")
        assert done.returncode == 0, done.stdout
        told = json.loads(engine.query("select answer from dev.churn_training")["answer"][0].as_py())
        assert (told["model"], told["version"], told["status"]) == ("churn", 1, "approved")
        assert registry.parity("churn")[1].certified
        assert [one.name for one in engine.models.versions(registry.table("churn"))] == ["V1"]
        anonymous = [r.sql for r in warehouse.records if "AS PROCEDURE" in r.sql]
        assert len(anonymous) == 1
        assert "PACKAGES = ('snowflake-snowpark-python')" in anonymous[0]
    finally:
        engine.close()
