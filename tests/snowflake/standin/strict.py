"""What DuckDB would run and Snowflake would not: refused, or a test would pass on SQL that no account takes."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from sqlglot import Expr, exp
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.tokens import TokenType

from standin.datatypes import kept_as
from standin.failures import Failure
from standin.grammar import STRINGS, Reader

_NAMES = (Path(__file__).parent / "functions.txt").read_text().splitlines()
FUNCTIONS = {name for line in _NAMES if not line.startswith("#") for name in line.split()}
# Names that sqlglot reads as functions and that are words of the language before a parenthesis.
WORDS = {
    "TABLE",
    "VALUES",
    "EXISTS",
    "FILTER",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "AND",
    "OR",
    "MODEL",
    "MAP",
    "STRING",
    "FIRST",
}
FOREIGN = {*Snowflake.Parser.FUNCTIONS, *Snowflake.Parser.FUNCTION_PARSERS} - FUNCTIONS - WORDS


def refuse_what_snowflake_lacks(expression: Expr, sql: str, is_user_defined: Callable[[str], bool]) -> None:
    tokens = Reader(sql).tokens
    if any(token.token_type == TokenType.VARBINARY and token.text.upper() == "BLOB" for token in tokens):
        raise Failure("SQL compilation error:\nUnsupported data type 'BLOB'.", 2040)
    for token, after in pairwise(tokens):
        name = token.text.upper()
        if (
            after.text == "("
            and token.token_type not in STRINGS
            and name in FOREIGN
            and not is_user_defined(name)
        ):
            raise _unknown_function(name)
    for call in expression.find_all(exp.Anonymous):
        if isinstance(call.parent, exp.ModelAttribute):
            continue
        name = called(call)
        if name not in FUNCTIONS | WORDS and not is_user_defined(name) and not name.startswith("SYSTEM$"):
            raise _unknown_function(name)
    for kind in expression.find_all(exp.DataType):
        kept_as(kind)
    if expression.find(exp.Filter):
        raise Failure("SQL compilation error:\nAn aggregate takes no FILTER clause on Snowflake.")
    if expression.find(exp.Lambda):
        raise Failure("SQL compilation error:\nsyntax error unexpected '->'.")


def called(call: exp.Anonymous) -> str:
    """A function's name as the account has it: a quoted one to the letter."""
    quoted = isinstance(call.this, exp.Identifier) and call.this.quoted
    return call.name if quoted else call.name.upper()


def _unknown_function(name: str) -> Failure:
    where = "If Snowflake has it, add it to tests/snowflake/standin/functions.txt."
    return Failure(f"SQL compilation error:\nUnknown function {name}. {where}", 2140, "42601")
