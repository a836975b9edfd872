"""A pipeline as the functions of a version, in a DuckDB database of its own."""

from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256

from snowml.engines.duckdb.connection import DuckDBFile
from snowml.engines.duckdb.engine import DuckDBEngine
from snowml.names import Relation, quoted
from snowml.records import Version
from snowml.registry.trusted import Artifact
from snowml.serving.functions import functions_of
from snowml.workflows.repair import create_current, create_versioned


def version_of(artifact, flavor, stored=b"", model="m"):
    return Version(
        model=model,
        version=1,
        run_id="r",
        flavor=flavor,
        signature=artifact.signature,
        artifact=sha256(stored).hexdigest(),
        registered_at=datetime(2024, 1, 1),
        spec_hash="s",
    )


@contextmanager
def served(pipeline, signature, flavor):
    """A function that gives, of an Arrow table or frame of features, the columns of some expressions."""
    engine = DuckDBEngine(DuckDBFile(":memory:").open())
    try:
        store = Relation("main", "artifacts", engine.database)
        engine.execute("create table artifacts (artifact varchar, chunk integer, data blob)")
        artifact = Artifact(signature, pipeline)
        stored = artifact.dumps()
        engine.put(store, sha256(stored).hexdigest(), stored)
        made = functions_of(
            version_of(artifact, flavor, stored), artifact, schema="main", store=store, dialect="duckdb"
        )
        create_versioned(engine, made)
        create_current(engine, made)
        arguments = ", ".join(quoted(feature.name, "duckdb") for feature in signature.features)

        def ask(rows, *expressions):
            engine.connection.register("batch", rows)
            written = ", ".join(one.format(arguments=arguments) for one in expressions)
            return engine.connection.execute(f"select {written} from batch").fetchall()

        yield ask
    finally:
        engine.close()
