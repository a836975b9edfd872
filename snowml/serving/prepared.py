"""A tree ensemble's inputs as SQL over the function's parameters: what a kernel is called with.

Numbers go in as they are, or with their medians; categories as the codes that the pipeline's encoder makes of them,
which it is asked for and not read from.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from snowml.names import Dialect, literal, quoted
from snowml.records import Signature

# No category of a model: what the encoder makes of it is what it makes of any unseen value.
UNSEEN: Final = "\N{REPLACEMENT CHARACTER} unseen"
# CASE looks at one category after another; a map is looked up, but takes DuckDB longer to bind.
LARGEST_CASE: Final = 50


def supports(pipeline: Pipeline) -> bool:
    """Whether `inputs` can write this pipeline's preparation."""
    prepare = pipeline.named_steps.get("prepare")
    if not isinstance(prepare, ColumnTransformer):
        return False
    steps = {name: step for name, step, _ in prepare.transformers_}
    plain = isinstance(steps.get("numbers"), None | SimpleImputer | FunctionTransformer)
    return plain and not isinstance(steps.get("categories"), OneHotEncoder)


def inputs(pipeline: Pipeline, signature: Signature, dialect: Dialect) -> tuple[str, ...]:
    """A double for each input of the final estimator, in order; a missing one is NULL or NaN."""
    steps = {name: step for name, step, _ in pipeline.named_steps["prepare"].transformers_}
    medians = _medians(steps.get("numbers"), signature)
    numbers = [
        _number(name, median, dialect) for name, median in zip(signature.numbers, medians, strict=True)
    ]
    if not signature.categories:
        return tuple(numbers)
    codes = _codes(steps["categories"])
    found = zip(signature.categories, codes, strict=True)
    return (*numbers, *(_category(name, known, other, dialect) for name, (known, other) in found))


def _medians(number: Any, signature: Signature) -> Sequence[float | None]:
    if not isinstance(number, SimpleImputer):
        return [None] * len(signature.numbers)
    medians: list[float] = np.nan_to_num(number.statistics_).tolist()
    return medians


def _number(name: str, median: float | None, dialect: Dialect) -> str:
    value = f"cast({quoted(name, dialect)} as double)"
    if median is None:
        return value
    return f"coalesce(nullif({value}, cast('NaN' as double)), {literal(median, dialect)})"


def _codes(category: Pipeline) -> list[tuple[dict[str, float], float]]:
    """For each column: the code of each category, and that of all else; NaN is missing."""
    names, encoder = category.feature_names_in_, category.steps[-1][1]
    known = [[value for value in values if isinstance(value, str)] for values in encoder.categories_]
    longest = max(map(len, known))
    padded = [values + [UNSEEN] * (longest + 1 - len(values)) for values in known]
    codes = category.transform(pd.DataFrame(dict(zip(names, padded, strict=True)), dtype=object))
    return [
        (dict(zip(values, codes[: len(values), i].tolist(), strict=True)), float(codes[len(values), i]))
        for i, values in enumerate(known)
    ]


def _category(name: str, known: dict[str, float], other: float, dialect: Dialect) -> str:
    value = f"cast({quoted(name, dialect)} as varchar)"
    known = {text: code for text, code in known.items() if not np.isnan(code)}
    rest = "null" if np.isnan(other) else literal(other, dialect)
    if not known:
        return f"cast({rest} as double)"
    if dialect == "duckdb" and len(known) > LARGEST_CASE:
        texts = ", ".join(literal(text, dialect) for text in known)
        codes = ", ".join(literal(code, dialect) for code in known.values())
        return f"coalesce(map([{texts}], [{codes}])[{value}], {rest})"
    whens = " ".join(
        f"when {literal(text, dialect)} then {literal(code, dialect)}" for text, code in known.items()
    )
    return f"cast(case {value} {whens} else {rest} end as double)"
