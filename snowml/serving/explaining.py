"""`explain_<model>(…)`: what each feature contributes to the raw score, and `_base`; together they are the score.

The raw score is a regression's value (before its link, where it has one), or the log-odds of the positive class; of a
forest whose trees are averaged, its probability. A linear model's terms are grouped by feature, exactly; a tree
ensemble's are path attributions (`kernel.paths`). How a version is served does not matter. Where nothing can be told
the function is there and says why: an error on DuckDB, an OBJECT of one key `_error` on Snowflake, whose SQL
has no way to fail.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from snowml.engines.artifacts import MAXIMUM
from snowml.engines.base import Parameter, SqlFunction, VectorFunction
from snowml.kernel import links
from snowml.kernel.paths import Paths, dumps
from snowml.names import Dialect, Relation, literal, quoted
from snowml.records import Signature, Version
from snowml.registry.trusted import Artifact
from snowml.serving import compiling, paths_function
from snowml.serving.sql import compiled, models
from snowml.serving.sql.doubles import LARGEST
from snowml.serving.sql.expressions import Unsupported

BASE: Final = "_base"
# Less than a prediction may take: what cannot be explained can still be promoted.
LONGEST_TERMS: Final = compiled.LARGEST_TEXT - 50_000

Link = Literal["identity", "log", "logit"]
# The paths of a forest make a raw score of what other links begin with.
_OF_FORESTS: Final[dict[str, Link]] = {
    **dict.fromkeys(("logit", "xgboost_logit"), "logit"),
    **dict.fromkeys(("log", "lightgbm_log", "xgboost_log"), "log"),
}


@dataclass(frozen=True, slots=True)
class Explaining:
    """The functions that explain a version.

    Attributes:
        paths: The bytes that the kernel follows; None where there is none.
        kernel: The function that Python computes, where there is one.
        helpers: Functions that the others call.
        versioned: `explain_<model>_v<N>`.
        current: `explain_<model>`.
        reason: Why nothing can be told; None where it can.
        link: How the raw score becomes the prediction.
        rounding: How far the library's own sum may be from the parts' in relation to them: it may add in float32.
    """

    paths: bytes | None
    kernel: VectorFunction | None
    helpers: tuple[SqlFunction, ...]
    versioned: SqlFunction
    current: SqlFunction
    reason: str | None
    link: Link = "identity"
    rounding: float = 0.0

    def predictions(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """The predictions of raw scores, (rows,); of a classifier the probability of its positive class."""
        return np.asarray(links.answer(self.link, raw.reshape(1, -1), 1.0)[-1], np.float64)


def explaining(
    version: Version,
    artifact: Artifact,
    *,
    schema: str,
    home: str,
    store: Relation,
    dialect: Dialect,
    parameters: tuple[Parameter, ...],
    comment: str,
) -> Explaining:
    """The functions that explain a version; `home` is the schema of what Python computes."""
    paths, kernel, reason = None, None, None
    link: Link = "identity"
    rounding = 0.0
    helpers: tuple[SqlFunction, ...] = ()
    signature = version.signature
    try:
        _check(signature)
        if type(artifact.pipeline.steps[-1][1]) in models.LINEAR:
            terms = compiled.contributions(artifact.pipeline, signature, dialect)
            body, helpers = _of_terms(terms, version, schema, dialect, comment)
            link = models.link(artifact.pipeline.steps[-1][1])
        else:
            found = compiling.paths(artifact)
            paths = _within_size(dumps(found))
            link, rounding = _OF_FORESTS.get(found.forest.link, "identity"), _rounding(found)
            arguments = compiled.inputs(artifact.pipeline, signature, dialect).columns
            kernel = _kernel(version, paths, home, store, len(arguments))
            name = quoted(kernel.name.name, dialect) if dialect == "duckdb" else kernel.name.sql(dialect)
            body = f"{name}({', '.join(arguments)})"
            body = _named(f"[{body}]", signature) if dialect == "duckdb" else body
    except Unsupported as why:
        paths, reason = None, f"explain_{version.model} cannot tell what each feature contributes: {why}."
        body = _refusal(reason, dialect)
    returns = _type(signature, dialect) if reason is None else "double" if dialect == "duckdb" else "object"
    named = [
        Relation(schema, f"explain_{base}") for base in (f"{version.model}_v{version.version}", version.model)
    ]
    # The version's own says why, for whoever asks about the version.
    comments = (comment if reason is None else f"{comment}. {reason}", comment)
    own, current = (
        SqlFunction(name, parameters, returns, body, said) for name, said in zip(named, comments, strict=True)
    )
    return Explaining(paths, kernel, helpers, own, current, reason, link, rounding)


def added_up(told: str, signature: Signature, dialect: Dialect) -> tuple[str, str]:
    """As SQL: what a function's answer adds up to, and what it does where each part counts by its size."""
    keys = [literal(key, dialect) for key in (*(feature.name for feature in signature.features), BASE)]
    if dialect == "duckdb":
        parts = [f"struct_extract({told}, {key})" for key in keys]
    else:
        parts = [f"cast(get({told}, {key}) as float)" for key in keys]
    return _added(parts), _added([f"abs({part})" for part in parts])


def _check(signature: Signature) -> None:
    if signature.is_multiclass:
        raise Unsupported(
            f"the model has {len(signature.classes)} classes, and so as many raw scores; two can be told"
        )
    if any(feature.name.lower() == BASE for feature in signature.features):
        raise Unsupported(f"a feature is called '{BASE}', which is the name of what no feature contributes")


def _rounding(paths: Paths) -> float:
    """Of each addition half a unit in the last place, where they are float32's."""
    trees = len(paths.forest.roots) - 1
    return trees * 2.0**-24 if paths.forest.values.dtype == np.float32 else 0.0


def _within_size(paths: bytes) -> bytes:
    if len(paths) > MAXIMUM:
        raise Unsupported(f"its trees with the values of all nodes take more than {MAXIMUM:,} bytes")
    return paths


def _of_terms(
    terms: tuple[str, ...], version: Version, schema: str, dialect: Dialect, comment: str
) -> tuple[str, tuple[SqlFunction, ...]]:
    """NULL where a term is, and where they add up to no finite number."""
    if sum(map(len, terms)) > LONGEST_TERMS:
        raise Unsupported(f"its terms take more than {LONGEST_TERMS:,} characters of SQL")
    if dialect == "duckdb":
        return _named(f"[[{', '.join(terms)}]]", version.signature), ()
    names = tuple(f"c{i}" for i in range(len(terms)))
    columns = [quoted(name, dialect) for name in names]
    keys = [feature.name for feature in version.signature.features]
    pairs = ", ".join(
        f"{literal(key, dialect)}, {column}" for key, column in zip([*keys, BASE], columns, strict=True)
    )
    body = f"case when abs({_added(columns)}) <= {LARGEST!r} then object_construct({pairs}) end"
    name = Relation(schema, f"snowml_terms_{version.model}_v{version.version}")
    helper = SqlFunction(name, tuple(Parameter(one, "double") for one in names), "object", body, comment)
    return f"{name.sql(dialect)}({', '.join(terms)})", (helper,)


def _added(terms: list[str]) -> str:
    """The sum, nested by halves: parsers give up on a chain of a thousand."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return f"({_added(terms[:half])} + {_added(terms[half:])})"


def _named(lists: str, signature: Signature) -> str:
    """DuckDB: a list of one list of contributions as a struct; a parameter of a lambda is computed once."""
    keys = [*(feature.name for feature in signature.features), BASE]
    fields = ", ".join(f'{literal(key, "duckdb")}: "x"[{i}]' for i, key in enumerate(keys, 1))
    whole = f'list_count("x") = {len(keys)} and abs(list_sum("x")) <= {LARGEST!r}'
    return f'list_transform({lists}, lambda "x": case when {whole} then {{{fields}}} end)[1]'


def _type(signature: Signature, dialect: Dialect) -> str:
    if dialect == "snowflake":
        return "object"
    keys = [*(feature.name for feature in signature.features), BASE]
    return f"struct({', '.join(f'{quoted(key, dialect)} double' for key in keys)})"


def _refusal(reason: str, dialect: Dialect) -> str:
    said = literal(reason, dialect)
    return f"error({said})" if dialect == "duckdb" else f"object_construct('_error', {said})"


def _kernel(version: Version, paths: bytes, home: str, store: Relation, inputs: int) -> VectorFunction:
    key = sha256(paths).hexdigest()
    name = f"snowml_paths_{version.model}_v{version.version}_{key[:8]}"
    return VectorFunction(
        name=Relation(home, name),
        parameters=tuple(Parameter(f"x{i}", "double") for i in range(inputs)),
        handler=paths_function.__name__,
        packages=paths_function.PACKAGES,
        store=store,
        artifact=key,
        keys=(*(feature.name for feature in version.signature.features), BASE),
        remedy=f"explain_{version.model} runs Python code that this connection does not have. "
        "Open the file with snowml.connect(), or through dbt with the plugin snowml.engines.duckdb.dbt_plugin.",
    )
