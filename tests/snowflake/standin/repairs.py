"""Where fakesnow 0.12.1 and sqlglot 30.22 read or write Snowflake's SQL otherwise than Snowflake does.

NULL timestamps, the third known trap, are written right in answers.py; SQL functions in functions.py.
"""

import functools
import re

import duckdb
from sqlglot import Expr, exp

from standin.failures import Failure, unknown

PACKAGES = "_fs_global._fs_information_schema._fs_packages"
MOMENTS = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH24": "%H", "MI": "%M", "SS": "%S"}
COMPARISONS = (exp.GTE, exp.GT, exp.LTE, exp.LT)


def text(sql: str) -> str:
    """Snowpark's own spellings, that sqlglot does not parse."""
    head = sql.lstrip()[:400]
    if not re.match(r"create\b", head, re.IGNORECASE):
        return sql
    sql = re.sub(
        r"^(\s*create\s+(?:or\s+replace\s+)?)scoped\s+(?=temp)", r"\1", sql, count=1, flags=re.IGNORECASE
    )
    moved = r"^(\s*create\s+(?:\w+\s+)*?table)\s+(\S+)\s+if\s+not\s+exists\b"
    return re.sub(moved, r"\1 if not exists \2", sql, count=1, flags=re.IGNORECASE)


def tree(expression: Expr) -> Expr:
    """All that is repaired in a parsed statement, before fakesnow translates it."""
    for repair in (asof, values, packages, session_functions, to_char, trims, md5_numbers, keys):
        expression = repair(expression)
    return expression


def session_functions(expression: Expr) -> Expr:
    """What fakesnow has no answer to: everybody is the same role, in the same warehouse."""
    for call in list(expression.find_all(exp.CurrentWarehouse, exp.CurrentRole, exp.CurrentUser)):
        literal = exp.Literal.string("SNOWML" if isinstance(call, exp.CurrentUser) else "STANDIN")
        called = (
            call.sql("snowflake") if call.arg_key == "expressions" and call.parent is expression else None
        )
        call.replace(exp.alias_(literal, called, quoted=True) if called else literal)
    return expression


def trims(expression: Expr) -> Expr:
    """LTRIM, RTRIM and what they trim, which fakesnow drops of anything that is not cast to a text already."""
    for call in list(expression.find_all(exp.Trim)):
        call.set("this", exp.cast(call.this.copy(), exp.DType.VARCHAR))
    return expression


def md5_numbers(expression: Expr) -> Expr:
    """MD5_NUMBER_UPPER64 and …_LOWER64, which sqlglot hands on as they are: the halves of the digest's digits."""
    for call in list(expression.find_all(exp.MD5NumberUpper64, exp.MD5NumberLower64)):
        start = 1 if isinstance(call, exp.MD5NumberUpper64) else 17
        half = exp.Substring(
            this=exp.MD5(this=call.this),
            start=exp.Literal.number(start),
            length=exp.Literal.number(16),
        )
        digits = exp.DPipe(this=exp.Literal.string("0x"), expression=half)
        call.replace(exp.cast(exp.paren(digits), exp.DType.UBIGINT))
    return expression


def keys(expression: Expr) -> Expr:
    """GET by a key: to DuckDB a quote in one is none of the key's letters, unless it stands in a pointer."""
    for call in list(expression.find_all(exp.GetExtract)):
        key = call.expression
        if key.is_string and '"' in key.name:
            pointer = "/" + key.name.replace("~", "~0").replace("/", "~1")
            call.set("expression", exp.Literal.string(pointer))
    return expression


def to_char(expression: Expr) -> Expr:
    """TO_CHAR of a moment with a format, which sqlglot drops."""
    for call in list(expression.find_all(exp.ToChar)):
        written = call.args.get("format")
        if written is not None:
            text = exp.Literal.string(_strftime(written.name))
            call.replace(exp.Anonymous(this="STRFTIME", expressions=[call.this, text]))
    return expression


def _strftime(written: str) -> str:
    """Snowflake's format of a moment in strftime's words."""
    found, at = "", 0
    for match in re.finditer(r'"([^"]*)"|YYYY|HH24|MM|DD|MI|SS|[-:/ .]', written):
        if match.start() != at:
            break
        found += (
            (match[1] or "").replace("%", "%%") if match[0][0] == '"' else MOMENTS.get(match[0], match[0])
        )
        at = match.end()
    if at != len(written):
        raise unknown(f"the format {written!r}")
    return found


def packages(expression: Expr) -> Expr:
    """INFORMATION_SCHEMA.PACKAGES, which fakesnow does not have."""
    for found in expression.find_all(exp.Table):
        if (found.db.upper(), found.name.upper()) == ("INFORMATION_SCHEMA", "PACKAGES"):
            for part, name in zip(("catalog", "db", "this"), PACKAGES.split("."), strict=True):
                found.set(part, exp.to_identifier(name, quoted=True))
    return expression


def asof(expression: Expr) -> Expr:
    """ASOF JOIN … MATCH_CONDITION in DuckDB's words: Snowflake's pads with NULLs, so it is a left join."""
    for join in expression.find_all(exp.Join):
        if join.args.get("method") != "ASOF":
            continue
        condition = join.args.get("match_condition")
        if condition is None:
            raise Failure("SQL compilation error:\nASOF JOIN needs MATCH_CONDITION.")
        condition = condition.unnest()
        right = join.this.alias_or_name.upper()
        if not isinstance(condition, COMPARISONS) or not isinstance(condition.this, exp.Column):
            raise Failure("SQL compilation error:\nMATCH_CONDITION must compare columns by >=, >, <= or <.")
        if condition.this.table.upper() == right:
            raise Failure("SQL compilation error:\nMATCH_CONDITION names the left table first.")
        on = join.args.get("on")
        join.set("match_condition", None)
        join.set("on", exp.and_(on, condition) if on is not None else condition)
        join.set("side", "LEFT")
    return expression


def values(expression: Expr) -> Expr:
    """Columns of VALUES by their number: `select $1 from values (…)`, as Snowpark writes the rows of a frame."""
    for found in expression.find_all(exp.Values):
        select = found.find_ancestor(exp.Select)
        first = found.find(exp.Tuple)
        if select is None or first is None or found.args.get("alias"):
            continue
        names = [exp.to_identifier(f"COLUMN{i + 1}", quoted=True) for i in range(len(first.expressions))]
        found.set("alias", exp.TableAlias(this=exp.to_identifier("_VALUES"), columns=names))
        for parameter in [p for p in select.find_all(exp.Parameter) if p.find_ancestor(exp.Select) is select]:
            column = exp.column(f"COLUMN{parameter.name}", quoted=True)
            # Without a name of its own, a column is called as it is written.
            in_list = parameter.parent is select and parameter.arg_key == "expressions"
            parameter.replace(exp.alias_(column, f"${parameter.name}", quoted=True) if in_list else column)
    return expression


def reserved_words(expression: Expr) -> Expr:
    """Quotes the names that are words of DuckDB's own: `at`, say."""
    for identifier in expression.find_all(exp.Identifier):
        if identifier.name.upper() in _reserved():
            identifier.set("quoted", True)
    return expression


@functools.cache
def _reserved() -> frozenset[str]:
    with duckdb.connect() as connection:
        words = connection.execute(
            "select keyword_name from duckdb_keywords() where keyword_category <> 'unreserved'"
        )
        return frozenset(word.upper() for (word,) in words.fetchall())


def hide_quoted_calls(expression: Expr) -> list[exp.Identifier]:
    """Calls of functions by a quoted name, which fakesnow stumbles over, by a name of ours; gives the true ones."""
    hidden = []
    for call in expression.find_all(exp.Anonymous):
        if isinstance(call.this, exp.Identifier):
            hidden.append(call.this)
            call.set("this", f"_CALL_{len(hidden) - 1}")
    return hidden


def show_quoted_calls(expression: Expr, hidden: list[exp.Identifier]) -> Expr:
    """The calls by their true names again."""
    for call in expression.find_all(exp.Anonymous):
        if str(call.this).startswith("_CALL_"):
            call.set("this", hidden[int(str(call.this).removeprefix("_CALL_"))].copy())
    return expression
