"""Functions in Snowflake, as DDL."""

import re
from platform import python_version_tuple
from typing import Final

from snowml.engines.base import Parameter, SqlFunction, VectorFunction
from snowml.engines.snowflake import handler, stage
from snowml.engines.snowflake.packages import REPOSITORY, WRAPPER, pinned
from snowml.errors import DataError
from snowml.names import Relation, literal, quoted

_TYPES: Final = {"double": "float", "text": "varchar", "map": "object"}
# Statements of a megabyte are the server's limit; half of that leaves room for what calls the function.
LARGEST_STATEMENT: Final = 500_000


def sql_function(function: SqlFunction) -> str:
    """CREATE FUNCTION for an expression.

    Raises:
        DataError: It is longer than Snowflake takes.
    """
    body = f"cast(({function.body}) as {function.returns})"
    statement = (
        f"{_head(function.name, function.parameters, function.returns)}{_comment(function)}as {_text(body)}"
    )
    if len(statement.encode()) > LARGEST_STATEMENT:
        raise DataError(
            f"The SQL of {function.name} takes {len(statement.encode()) / 1000:,.0f} kB; Snowflake is given at most "
            f"{LARGEST_STATEMENT / 1000:,.0f} kB. Train on fewer columns or categories, or choose an estimator that "
            "is not written as SQL."
        )
    return statement


def vector_function(function: VectorFunction, code: str) -> str:
    """CREATE FUNCTION for a Python handler, whose artifact and whose modules (the file `code`) are on the stage."""
    imports = ", ".join(
        literal(stage.location(function.store, key), "snowflake") for key in (function.artifact, code)
    )
    packages = ", ".join(literal(item, "snowflake") for item in pinned(WRAPPER + function.packages))
    major, minor, _ = python_version_tuple()
    return (
        f"{_head(function.name, function.parameters, 'object' if function.keys else 'double')}"
        f"language python runtime_version = '{major}.{minor}'\n"
        f"artifact_repository = {REPOSITORY}\n"
        f"packages = ({packages})\n"
        f"imports = ({imports})\n"
        f"handler = '{handler.NAME}'\n"
        f"as {_text(handler.source(function))}"
    )


def argument_types(parameters: tuple[Parameter, ...]) -> tuple[str, ...]:
    """The types by which Snowflake tells the functions of one name apart."""
    return tuple(_TYPES[parameter.type].upper() for parameter in parameters)


def listed_types(arguments: str) -> tuple[str, ...]:
    """The types in what SHOW FUNCTIONS calls `arguments`, such as `F(FLOAT, VARCHAR) RETURN FLOAT`."""
    inside = re.search(r"\((.*)\)\s*RETURN\b", arguments, re.DOTALL | re.IGNORECASE)
    listed = inside[1].strip() if inside else ""
    # Optional arguments stand in brackets of their own; types with a comma, such as NUMBER(38, 0), are not split.
    return tuple(item.strip() for item in re.split(r",(?![^(]*\))", listed)) if listed else ()


def _head(name: Relation, parameters: tuple[Parameter, ...], returns: str) -> str:
    listed = ", ".join(f"{quoted(item.name, 'snowflake')} {_TYPES[item.type]}" for item in parameters)
    return f"create or replace function {name.sql('snowflake')}({listed})\nreturns {_returned(returns)}\n"


def _returned(type_: str) -> str:
    return "float" if type_.lower() == "double" else type_


def _comment(function: SqlFunction) -> str:
    return f"comment = {literal(function.comment, 'snowflake')}\n" if function.comment else ""


def _text(body: str) -> str:
    """A function's body, which may hold anything that a category is called."""
    return literal(body, "snowflake") if "$$" in body else f"$$\n{body}\n$$"
