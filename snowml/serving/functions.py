"""The functions of a version: what `predict_<model>(…)` and its siblings are made of.

A version has functions of its own, which never change: `predict_<model>_v<N>` and, for a classifier, `…_proba` (the
probability of the positive class; of more than two classes, of each) and `…_label` (from what `…_proba` answers to a
label). The champion's have the same bodies under the names without a number.
"""

from dataclasses import dataclass, replace
from hashlib import sha256
from types import ModuleType

from snowml.boosting.base import Boosting, distribution
from snowml.engines.base import Parameter, SqlFunction, VectorFunction
from snowml.names import Dialect, Relation, literal, quoted
from snowml.records import Signature, Version
from snowml.registry.trusted import Artifact
from snowml.serving import compiling, estimator, kernel_function, multiclass, native
from snowml.serving.explaining import Explaining, explaining
from snowml.serving.sql import compiled

# A stub must be found from any schema of the file, and this one is always searched.
_EVERYWHERE = "main"


@dataclass(frozen=True, slots=True)
class Functions:
    """All functions of one version, in the order in which they are created.

    Attributes:
        forest: The compiled forest's bytes, which the kernel reads from the store; None for other flavours.
        kernel: The function that Python computes, where there is one.
        arguments: What it is called with, as SQL over the features; empty where there is none.
        helpers: Functions of the version's own that the others call, and nobody else.
        versioned: The version's own functions.
        current: The champion's.
        explaining: Those that say what each feature contributes.
    """

    forest: bytes | None
    kernel: VectorFunction | None
    arguments: tuple[str, ...]
    helpers: tuple[SqlFunction, ...]
    versioned: tuple[SqlFunction, ...]
    current: tuple[SqlFunction, ...]
    explaining: Explaining


def functions_of(
    version: Version, artifact: Artifact, *, schema: str, store: Relation, dialect: Dialect
) -> Functions:
    """The functions of a version, to be made in `schema`; `store` is where its artifact is kept."""
    forest = kernel = None
    helpers: tuple[SqlFunction, ...] = ()
    arguments: tuple[str, ...] = ()
    home = _EVERYWHERE if dialect == "duckdb" else schema
    if version.flavor == "sql" and version.signature.is_multiclass:
        score, helpers = _softmax(version, artifact, schema, dialect)
    elif version.flavor == "sql":
        score = compiled.score(artifact.pipeline, version.signature, dialect)
    elif version.flavor == "native":
        model = Relation(store.schema, version.model, store.database)
        score = native.score(model, version.version, version.signature, _casts(version.signature, dialect))
    elif version.flavor == "kernel":
        forest = compiling.forest_bytes(artifact)
        arguments = compiled.inputs(artifact.pipeline, version.signature, dialect).columns
        parameters = tuple(Parameter(f"x{i}", "double") for i in range(len(arguments)))
        key = sha256(forest).hexdigest()
        kernel = _kernel(version, store, home, kernel_function, key, parameters)
        score = _call(kernel, arguments, dialect)
    else:
        parameters = parameters_of(version.signature)
        kernel = _kernel(version, store, home, estimator, version.artifact, parameters)
        fitted = artifact.pipeline.steps[-1][1]
        if isinstance(fitted, Boosting):
            kernel = replace(kernel, packages=(*kernel.packages, distribution(fitted.library)))
        arguments = _casts(version.signature, dialect)
        score = _call(kernel, arguments, dialect)
    own = f"{version.model}_v{version.version}"
    return Functions(
        forest=forest,
        kernel=kernel,
        arguments=arguments,
        helpers=helpers,
        versioned=_family(own, schema, version, score, dialect),
        current=_family(version.model, schema, version, score, dialect),
        explaining=explaining(
            version,
            artifact,
            schema=schema,
            home=home,
            store=store,
            dialect=dialect,
            parameters=parameters_of(version.signature),
            comment=says(version),
        ),
    )


def names_of(base: str, signature: Signature) -> tuple[str, ...]:
    """The names of the functions of `base`, a model or `<model>_v<N>`; the one people call last."""
    name = f"predict_{base}"
    return (name,) if signature.task == "regression" else (f"{name}_proba", f"{name}_label", name)


def says(version: Version) -> str:
    """The comment of a version's functions, by which one sees whose they are."""
    return f"snowml: {version.model} version {version.version}"


def parameters_of(signature: Signature) -> tuple[Parameter, ...]:
    """A function's parameters: the features, in order."""
    return tuple(
        Parameter(feature.name, "double" if feature.kind == "number" else "text")
        for feature in signature.features
    )


def _family(
    base: str, schema: str, version: Version, score: str, dialect: Dialect
) -> tuple[SqlFunction, ...]:
    signature, comment = version.signature, says(version)
    parameters = parameters_of(signature)
    names = [Relation(schema, name) for name in names_of(base, signature)]
    if signature.task == "regression":
        return (SqlFunction(names[0], parameters, "double", score, comment),)
    if signature.is_multiclass:
        return _multiclass_family(names, version, score, dialect)
    given = (Parameter("probability", "double"),)
    # To an engine NaN is larger than any number; here it is missing.
    present = f"nullif({quoted('probability', dialect)}, cast('NaN' as double))"
    label = _label_of(signature, present, dialect)
    answer = _label_of(signature, f"({score})", dialect)
    return (
        SqlFunction(names[0], parameters, "double", score, comment),
        SqlFunction(names[1], given, signature.label_type, label, comment),
        SqlFunction(names[2], parameters, signature.label_type, answer, comment),
    )


def _multiclass_family(
    names: list[Relation], version: Version, score: str, dialect: Dialect
) -> tuple[SqlFunction, ...]:
    """`score` is a list of probabilities (DuckDB) or an OBJECT of them (Snowflake)."""
    signature, comment, parameters = version.signature, says(version), parameters_of(version.signature)
    returns = multiclass.map_type(signature, dialect)
    if dialect == "duckdb":
        shown, answer = multiclass.mapped(score, signature), multiclass.label_of_list(score, signature)
    else:
        arguments = ", ".join(quoted(parameter.name, dialect) for parameter in parameters)
        # The version's own, which stay what they are while the champion's are replaced one after another.
        own = names_of(f"{version.model}_v{version.version}", signature)
        proba, label_of = (Relation(names[0].schema, name).sql(dialect) for name in own[:2])
        shown, answer = score, f"{label_of}({proba}({arguments}))"
    given = (Parameter(multiclass.PROBABILITIES, "map"),)
    label = multiclass.label_of_map(signature, dialect)
    return (
        SqlFunction(names[0], parameters, returns, shown, comment),
        SqlFunction(names[1], given, signature.label_type, label, comment),
        SqlFunction(names[2], parameters, signature.label_type, answer, comment),
    )


def _softmax(
    version: Version, artifact: Artifact, schema: str, dialect: Dialect
) -> tuple[str, tuple[SqlFunction, ...]]:
    """The probabilities of a model that is written as SQL, and the functions that they are made by."""
    signature = version.signature
    margins = compiled.margins(artifact.pipeline, signature, dialect)
    if dialect == "duckdb":
        return multiclass.softmax(margins), ()
    names, body = multiclass.softmax_of_parameters(signature)
    home = Relation(schema, f"snowml_softmax_{version.model}_v{version.version}")
    parameters = tuple(Parameter(name, "double") for name in names)
    helper = SqlFunction(home, parameters, "object", body, says(version))
    return f"{home.sql(dialect)}({', '.join(margins)})", (helper,)


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


def _kernel(
    version: Version,
    store: Relation,
    schema: str,
    handler: ModuleType,
    artifact: str,
    parameters: tuple[Parameter, ...],
) -> VectorFunction:
    name = f"snowml_kernel_{version.model}_v{version.version}_{artifact[:8]}"
    return VectorFunction(
        name=Relation(schema, name),
        parameters=parameters,
        handler=handler.__name__,
        packages=handler.PACKAGES,
        store=store,
        artifact=artifact,
        keys=tuple(map(multiclass.key, version.signature.classes)) if version.signature.is_multiclass else (),
        remedy=f"predict_{version.model} runs Python code that this connection does not have. "
        "Open the file with snowml.connect(), or through dbt with the plugin snowml.engines.duckdb.dbt_plugin.",
    )


def _casts(signature: Signature, dialect: Dialect) -> tuple[str, ...]:
    types = {"double": "double", "text": "varchar"}
    return tuple(
        f"cast({quoted(parameter.name, dialect)} as {types[parameter.type]})"
        for parameter in parameters_of(signature)
    )


def _call(kernel: VectorFunction, arguments: tuple[str, ...], dialect: Dialect) -> str:
    # On DuckDB the bare name: the temporary macro that computes it stands in another schema than the stub.
    name = quoted(kernel.name.name, dialect) if dialect == "duckdb" else kernel.name.sql(dialect)
    return f"{name}({', '.join(arguments)})"
