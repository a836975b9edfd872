"""The Python that a vector function of Snowflake runs: it loads a model once, and hands it batches."""

from string import Template
from typing import Final

from snowml.engines.base import VectorFunction

NAME: Final = "compute"
LARGEST_BATCH: Final = 4096

# The folder of IMPORTS is known inside of Snowflake alone. NULL comes as None or NaN, and leaves as pandas' NA.
_SOURCE = Template(
    """\
import hashlib
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa

from $handler import load
from snowml.serving.structs import struct_of

ARTIFACT = $artifact
TYPES = ($types,)
KEYS = $keys

_data = Path(sys._xoptions["snowflake_import_directory"], ARTIFACT).read_bytes()
if hashlib.sha256(_data).hexdigest() != ARTIFACT:
    raise ValueError(f"The artifact {ARTIFACT} holds other bytes: it was changed or damaged.")
_answer = load(_data)


def $name(rows: pd.DataFrame) -> pd.Series:
    columns = [pa.array(rows.iloc[:, i], kind, from_pandas=True) for i, kind in enumerate(TYPES)]
    found = _answer(struct_of(columns))
    if KEYS:
        named = [row if row is None else dict(zip(KEYS, row)) for row in found.to_pylist()]
        return pd.Series(named, dtype=object)
    return found.to_pandas(types_mapper={pa.float64(): pd.Float64Dtype()}.get)


$name._sf_vectorized_input = pd.DataFrame
$name._sf_max_batch_size = $batch
"""
)
_TYPES: Final = {"double": "pa.float64()", "text": "pa.string()"}


def source(function: VectorFunction) -> str:
    """The text of the handler's module."""
    return _SOURCE.substitute(
        handler=function.handler,
        artifact=repr(function.artifact),
        keys=repr(function.keys),
        types=", ".join(_TYPES[parameter.type] for parameter in function.parameters),
        name=NAME,
        batch=LARGEST_BATCH,
    )
