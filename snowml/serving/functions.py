"""The functions of a version: what `predict_<model>(…)` and its siblings are made of.

A version has functions of its own, which never change: `predict_<model>_v<N>` and, for a classifier, `…_proba` (the
probability of the positive class) and `…_label` (from that probability to a label). The champion's have the same
bodies under the names without a number.
"""

from dataclasses import dataclass

from snowml.engines.base import Parameter, SqlFunction, VectorFunction
from snowml.names import Dialect, Relation, literal, quoted
from snowml.records import Signature, Version
from snowml.registry.trusted import Artifact
from snowml.serving.sql import compiled

# A stub must be found from any schema of the file, and this one is always searched.
_EVERYWHERE = "main"


@dataclass(frozen=True, slots=True)
class Functions:
    """All functions of one version, in the order in which they are created."""

    kernel: VectorFunction | None
    versioned: tuple[SqlFunction, ...]
    current: tuple[SqlFunction, ...]


def functions_of(
    version: Version, artifact: Artifact, *, schema: str, store: Relation, dialect: Dialect
) -> Functions:
    """The functions of a version, to be made in `schema`; `store` is where its artifact is kept."""
    kernel = None
    if version.flavor == "sql":
        score = compiled.score(artifact.pipeline, version.signature, dialect)
    else:
        kernel = _kernel(version, store)
        score = _call(kernel, version.signature, dialect)
    base = f"predict_{version.model}"
    return Functions(
        kernel=kernel,
        versioned=_family(f"{base}_v{version.version}", schema, version.signature, score, dialect),
        current=_family(base, schema, version.signature, score, dialect),
    )


def parameters_of(signature: Signature) -> tuple[Parameter, ...]:
    """A function's parameters: the features, in order."""
    return tuple(
        Parameter(feature.name, "double" if feature.kind == "number" else "text")
        for feature in signature.features
    )


def _family(
    base: str, schema: str, signature: Signature, score: str, dialect: Dialect
) -> tuple[SqlFunction, ...]:
    parameters = parameters_of(signature)
    if signature.task == "regression":
        return (SqlFunction(Relation(schema, base), parameters, "double", score),)
    probability = Parameter("probability", "double")
    return (
        SqlFunction(Relation(schema, f"{base}_proba"), parameters, "double", score),
        SqlFunction(
            Relation(schema, f"{base}_label"),
            (probability,),
            signature.label_type,
            _label_of(signature, quoted("probability", dialect), dialect),
        ),
        SqlFunction(
            Relation(schema, base),
            parameters,
            signature.label_type,
            _label_of(signature, f"({score})", dialect),
        ),
    )


def _label_of(signature: Signature, probability: str, dialect: Dialect) -> str:
    """The label that scikit-learn gives at a probability of the positive class: a tie goes to the first class."""
    assert signature.positive is not None  # a classifier's signature names it
    negative = next(label for label in signature.classes if label != signature.positive)
    reached = ">" if signature.positive == signature.classes[1] else ">="
    # One mention of the probability, which may be a long text; NULL is neither.
    return (
        f"case {probability} {reached} 5e-1 when true then {literal(signature.positive, dialect)} "
        f"when false then {literal(negative, dialect)} end"
    )


def _kernel(version: Version, store: Relation) -> VectorFunction:
    name = f"snowml_kernel_{version.model}_v{version.version}_{version.artifact[:8]}"
    return VectorFunction(
        name=Relation(_EVERYWHERE, name),
        parameters=parameters_of(version.signature),
        handler="snowml.serving.estimator",
        store=store,
        artifact=version.artifact,
        remedy=f"predict_{version.model} runs Python code that this connection does not have. "
        "Open the file with snowml.connect(), or through dbt with the plugin snowml.engines.duckdb.dbt_plugin.",
    )


def _call(kernel: VectorFunction, signature: Signature, dialect: Dialect) -> str:
    types = {"double": "double", "text": "varchar"}
    arguments = ", ".join(
        f"cast({quoted(parameter.name, dialect)} as {types[parameter.type]})"
        for parameter in parameters_of(signature)
    )
    # On DuckDB the bare name: the temporary macro that computes it stands in another schema than the stub.
    name = quoted(kernel.name.name, dialect) if dialect == "duckdb" else kernel.name.sql(dialect)
    return f"{name}({arguments})"
