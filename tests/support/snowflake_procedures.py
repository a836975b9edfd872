"""The files of stored_procs/ as procedures of a Snowflake schema, with what they declare."""

from platform import python_version_tuple

from snowml.engines.snowflake.code import package
from snowml.engines.snowflake.engine import SnowflakeEngine
from snowml.engines.snowflake.packages import PROCEDURES, REPOSITORY, pinned
from snowml.engines.snowflake.stage import location
from snowml.names import Relation
from snowml.shipped import shipped

ARGUMENTS = {
    "train_model": '"MODEL" varchar, "AS_OF" varchar',
    "promote_model": '"MODEL" varchar',
    "predict_batch": '"MODEL" varchar, "AS_OF" varchar',
    "monitor_model": '"MODEL" varchar, "AS_OF" varchar, "WINDOW" varchar',
    "retrain_model": '"MODEL" varchar, "AS_OF" varchar, "FORCE" boolean',
}


def deploy(engine: SnowflakeEngine, schema: str, stage: str = "code") -> None:
    """Make them in `schema`, which is there; their files are put on a stage beside them."""
    code = Relation(schema, stage, engine.database)
    engine.execute(f"create stage {code.sql('snowflake')}")
    name, data = package()
    engine.put(code, name, data)
    packages = ", ".join(map(repr, pinned(PROCEDURES)))
    for procedure, arguments in ARGUMENTS.items():
        file = f"{procedure}.py"
        engine.put(code, file, (shipped("stored_procs") / file).read_bytes())
        imports = ", ".join(f"'{location(code, item)}'" for item in (file, name))
        engine.execute(
            f"create procedure {Relation(schema, procedure, engine.database).sql('snowflake')}({arguments}) "
            f"returns variant language python runtime_version = '{'.'.join(python_version_tuple()[:2])}' "
            f"artifact_repository = {REPOSITORY} packages = ({packages}) imports = ({imports}) "
            f"handler = '{procedure}.main' execute as owner"
        )
