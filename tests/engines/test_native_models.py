"""Each version also stands as a model in the warehouse's own registry, and follows snowml's tables there."""
import time
import handmade, pytest
pytest.importorskip("snowflake.ml", reason="the extra 'snowflake' is not installed")
from training_set import fill
from snowml.registry.store import Registry

def test_x(snowflake_engine, capsys):
    engine = snowflake_engine
    fill(engine)
    registry = Registry(engine, "snowml")
    t=time.time()
    handmade.train_one(engine, registry)
    print("train", time.time()-t)
    t=time.time()
    handmade.train_one(engine, registry, "hist_gradient_boosting")
    print("train", time.time()-t)
    t=time.time()
    handmade.promote_one(engine, registry)
    print("promote", time.time()-t)
    print(engine.query("show versions in model snowml.lateness").drop_columns(["model_spec"]).to_pylist())
    print(engine.query("""select model(snowml.lateness, v1)!predict_proba("SPEED", "Wind ""Gust"" m/s?", "TOWN") as p, 
      model(snowml.lateness)!predict("SPEED", "Wind ""Gust"" m/s?", "TOWN") as q  from main.training_set limit 4""").to_pylist())
    assert 0
