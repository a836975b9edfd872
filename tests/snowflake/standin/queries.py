"""The statements that fakesnow's translation runs on DuckDB: queries, DML, and the definitions of tables and views."""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.dialect import parse_one
from fakesnow.statement_type import DML_TYPE_IDS, SELECT, statement_type_id
from sqlglot import Expr, exp

from standin import bindings, repairs
from standin.answers import Answer, Listing, counts, listing, status, table
from standin.failures import Failure, unknown
from standin.grammar import Name
from standin.strict import called, refuse_what_snowflake_lacks

if TYPE_CHECKING:
    from standin.session import Session

DEFINES = (exp.Create, exp.Drop, exp.Alter, exp.TruncateTable, exp.Comment)
QUERIES = (exp.Query,)
KNOWN = (exp.Query, exp.Insert, exp.Update, exp.Delete, exp.Merge, *DEFINES, exp.Show, exp.Describe, exp.Use)
TABLE_KINDS = ("TABLE", "VIEW", "SCHEMA", "DATABASE", "COLUMN")
OPTIONS = (exp.TemporaryProperty, exp.TransientProperty, exp.SchemaCommentProperty, exp.CopyGrantsProperty)
SHOWS = (
    "TABLES",
    "VIEWS",
    "OBJECTS",
    "SCHEMAS",
    "DATABASES",
    "COLUMNS",
    "PRIMARY KEYS",
    "WAREHOUSES",
    "PARAMETERS",
)
SHOWS += (
    "TERSE TABLES",
    "TERSE VIEWS",
    "TERSE OBJECTS",
    "TERSE SCHEMAS",
    "TERSE DATABASES",
    "UNIQUE KEYS",
    "IMPORTED KEYS",
)


class Cursor(FakeSnowflakeCursor):
    """fakesnow's cursor, for a statement that is parsed already."""

    def run(self, expression: Expr, values: list[Any] | None) -> pa.Table:
        self.check_db_and_schema(expression)
        if isinstance(expression, exp.Merge):
            return self._merge(expression, values)
        for part in self._transform_explode(expression):
            transformed = repairs.reserved_words(self._transform(part, values))
            self._execute(transformed, values if values and transformed.find(exp.Placeholder) else None)
        assert self._arrow_table is not None
        return self._arrow_table

    def _transform(self, expression: Expr, params: Any) -> Expr:
        hidden = repairs.hide_quoted_calls(expression)
        return repairs.show_quoted_calls(super()._transform(expression, params), hidden)

    def _merge(self, expression: exp.Merge, values: list[Any] | None) -> pa.Table:
        """By DuckDB's own MERGE; what fakesnow 0.12.1 makes of one confuses the columns of target and source."""
        sql = repairs.reserved_words(self._transform(expression, values)).sql(dialect="duckdb")
        done = [
            action
            for (action,) in self._duck_conn.execute(f"{sql} returning merge_action", values).fetchall()
        ]
        verbs = {"INSERT": "inserted", "UPDATE": "updated", "DELETE": "deleted"}
        kinds = {str(when.args["then"]).split()[0].upper() for when in expression.find_all(exp.When)}
        return pa.table({f"number of rows {verbs[v]}": [done.count(v)] for v in verbs if v in kinds})

    def variants(self) -> set[str]:
        """The columns of the answer that hold JSON."""
        return {name for name, kind, *_ in self._duck_conn.description or [] if str(kind) == "JSON"}


def run(session: "Session", sql: str, bound: dict[str, Any], describe_only: bool) -> Answer:
    expression = parse_one(repairs.text(sql))
    check(session, expression, sql)
    expression = session.account.models.calls(session, expression)
    expression = repairs.tree(expression)
    expression, temporary = _temporary(session, _results(session, expression))
    if isinstance(expression, DEFINES):
        session.commit_before_ddl()
    cursor = Cursor(session.connection, session.duckdb)
    kind = statement_type_id(expression)
    if describe_only:
        return _described(cursor, expression)
    columns = bindings.columns(bound)
    if columns is not None:
        return _insert_many(session, cursor, expression, columns)
    values = bindings.values(bound)
    wanted = len(list(expression.find_all(exp.Placeholder)))
    if wanted != len(values):
        raise Failure(f"SQL compilation error:\n{wanted} placeholders and {len(values)} bound values.", 2049)
    with session.account.streams.read_by(session, expression):
        found = cursor.run(expression, values or None)
    if temporary:
        temporary()
    if isinstance(expression, QUERIES):
        return table(found, cursor.variants())
    if kind in DML_TYPE_IDS:
        return counts({name: int(found.column(name)[0].as_py()) for name in found.column_names}, kind)
    if isinstance(expression, (exp.Show, exp.Describe)):
        rows = [[_shown(value) for value in row.values()] for row in found.to_pylist()]
        kinds = {f.name: "timestamp_ltz" if pa.types.is_timestamp(f.type) else "text" for f in found.schema}
        return listing(Listing(kinds, rows), kind)
    return status(str(found.column(0)[0].as_py()))


def _shown(value: Any) -> Any:
    """A value of SHOW or DESCRIBE; moments are seconds, as JSON has them."""
    return f"{value.timestamp():.9f}" if isinstance(value, datetime) else value


def check(session: "Session", expression: Expr, sql: str) -> None:
    """Refuses what the stand-in does not know, and what DuckDB would run and Snowflake would not."""
    words = sql.strip()[:60]
    if not isinstance(expression, KNOWN):
        raise unknown(f"the statement {words!r}")
    kind = str(expression.args.get("kind") or "").upper()
    if isinstance(expression, (exp.Create, exp.Drop, exp.Alter, exp.Comment)) and kind not in TABLE_KINDS:
        raise unknown(f"the statement {words!r}")
    for option in getattr(expression.args.get("properties"), "expressions", []):
        if not isinstance(option, OPTIONS):
            raise unknown(f"{option.sql('snowflake')!r} in {words!r}")
    if isinstance(expression, exp.Show) and expression.name.upper() not in SHOWS:
        raise unknown(f"the statement {words!r}")
    if isinstance(expression, exp.Describe) and kind not in ("TABLE", "VIEW", ""):
        raise unknown(f"the statement {words!r}")
    refuse_what_snowflake_lacks(expression, sql, session.account.functions.named)


def macro_body(session: "Session", of: Name, body: str) -> str:
    """The body of a SQL function, as an expression of DuckDB's; its own schema is where its names are looked up."""
    parsed = parse_one(body)
    check(session, parsed if isinstance(parsed, exp.Query) else exp.select(parsed.copy()), body)
    inner = exp.Subquery(this=parsed) if isinstance(parsed, exp.Query) else parsed
    query = repairs.tree(session.account.models.calls(session, exp.select(inner), of))
    for found in query.find_all(exp.Table):
        if isinstance(found.this, exp.Identifier) and not found.db:
            found.set("db", exp.to_identifier(of.schema, quoted=True))
            found.set("catalog", exp.to_identifier(of.database, quoted=True))
    for call in list(query.find_all(exp.Anonymous)):
        full = Name(of.database, of.schema, called(call))
        if full in session.account.functions and not isinstance(call.parent, exp.Dot):
            call.set("this", full.name)
            place = exp.Dot(
                this=exp.to_identifier(of.database, quoted=True),
                expression=exp.to_identifier(of.schema, quoted=True),
            )
            call.replace(exp.Dot(this=place, expression=call.copy()))
    transformed = Cursor(session.connection, session.duckdb)._transform(query, None)
    repairs.reserved_words(transformed)
    return transformed.expressions[0].sql(dialect="duckdb")


def _described(cursor: Cursor, expression: Expr) -> Answer:
    """The columns of an answer and no rows: the values of placeholders are not known yet."""
    if not isinstance(expression, exp.Query):
        return status()
    empty = expression.transform(lambda e: exp.Null() if isinstance(e, exp.Placeholder) else e)
    found = cursor.run(exp.select("*").from_(empty.subquery("described")).limit(0), None)
    answer = table(found, cursor.variants())
    answer.data["statementTypeId"] = SELECT
    return answer


def _insert_many(session: "Session", cursor: Cursor, expression: Expr, columns: list[list[Any]]) -> Answer:
    """An array binding: one statement for all rows, which are kept all or none."""
    source = expression.args.get("expression")
    if not isinstance(expression, exp.Insert) or not isinstance(source, (exp.Values, exp.Select)):
        raise unknown("array bindings but for INSERT")
    if isinstance(source, exp.Values) and len(source.expressions) != 1:
        raise unknown("array bindings for several rows of placeholders")
    row = source.expressions[0].expressions if isinstance(source, exp.Values) else source.expressions
    targets = _column_types(session, expression)
    placed = [
        (item, kind) for item, kind in zip(row, targets, strict=False) for _ in item.find_all(exp.Placeholder)
    ]
    # Values of several types in one column come as text; the column says what they are.
    columns = [
        bindings.reread(values, kind) if isinstance(item, exp.Placeholder) else values
        for values, (item, kind) in zip(columns, placed, strict=True)
    ]
    numbered = iter(range(len(columns)))
    row = [
        item.transform(lambda e: _bound(next(numbered)) if isinstance(e, exp.Placeholder) else e)
        for item in row
    ]
    values = pa.table({_bound(i).name: _array(column) for i, column in enumerate(columns)})
    name = "_STANDIN_BOUND"
    expression.set("expression", exp.select(*row).from_(name))
    session.duckdb.register(name, values)
    try:
        found = cursor.run(expression, None)
    finally:
        session.duckdb.unregister(name)
    inserted = int(found.column(0)[0].as_py())
    return counts({"number of rows inserted": inserted}, statement_type_id(expression))


def _bound(position: int) -> exp.Column:
    return exp.column(f"BOUND_{position}")


def _column_types(session: "Session", insert: exp.Insert) -> list[str]:
    """DuckDB's types of the columns that an INSERT fills, in its order."""
    target = insert.find(exp.Table)
    assert target
    session.duckdb.execute(f"select * from {session.name(_parts(target)).sql} limit 0")
    types = {name.upper(): str(kind) for name, kind, *_ in session.duckdb.description or []}
    if not isinstance(insert.this, exp.Schema):
        return list(types.values())
    return [types.get(column.name.upper(), "") for column in insert.this.expressions]


def _array(values: list[Any]) -> pa.Array:
    return (
        pa.array(values) if any(value is not None for value in values) else pa.nulls(len(values), pa.string())
    )


def _results(session: "Session", expression: Expr) -> Expr:
    """TABLE(RESULT_SCAN('…')): the answer to an earlier statement, as a table."""
    for call in [c for c in expression.find_all(exp.Anonymous) if c.name.upper() == "RESULT_SCAN"]:
        query = call.expressions[0].name
        scanned = call.find_ancestor(exp.TableFromRows)
        if query not in session.results or scanned is None:
            raise Failure(f"Statement {query} not found", 709, "02000")
        name = f"_RESULT_{query}"
        session.duckdb.register(name, session.results[query])
        scanned.replace(exp.Table(this=exp.to_identifier(name, quoted=True), alias=scanned.args.get("alias")))
    return expression


def _temporary(session: "Session", expression: Expr) -> tuple[Expr, Any]:
    """Sends the names of the session's temporary tables to where DuckDB has them: it knows them in no schema."""
    created, done = None, None
    if isinstance(expression, exp.Create) and expression.find(exp.TemporaryProperty):
        created = expression.find(exp.Table)
        assert created
        logical = session.name(_parts(created))
        physical = Name(logical.database, f"_TEMPORARY_{session.id}_{logical.schema}", logical.name)
        session.commit_before_ddl()
        session.duckdb.execute(f'create schema if not exists "{physical.database}"."{physical.schema}"')
        properties = expression.args["properties"]
        kept = [one for one in properties.expressions if not isinstance(one, exp.TemporaryProperty)]
        expression.set("properties", exp.Properties(expressions=kept) if kept else None)
        done = partial(session.temporary.__setitem__, logical, physical)
    target = expression.find(exp.Table) if isinstance(expression, exp.Create) else None
    known = {one.alias_or_name.upper() for one in expression.find_all(exp.CTE)}
    for found in list(expression.find_all(exp.Table)):
        if not isinstance(found.this, exp.Identifier) or (found is target and found is not created):
            continue
        if not found.db and found.name.upper() in known:
            continue
        if found is created:
            _move(found, physical)
            continue
        path = _parts(found)
        if len(path) + sum(part is not None for part in session.place) < 3:
            continue
        where = session.temporary.get(session.name(path))
        if where:
            _move(found, where)
            if isinstance(expression, exp.Drop):
                gone = session.name(path)
                done = partial(session.temporary.pop, gone)
    return expression, done


def _parts(table_: exp.Table) -> list[str]:
    return [
        part.name if part.quoted else part.name.upper()
        for part in table_.parts
        if isinstance(part, exp.Identifier)
    ]


def _move(table_: exp.Table, where: Name) -> None:
    for key, name in (("this", where.name), ("db", where.schema), ("catalog", where.database)):
        table_.set(key, exp.to_identifier(name, quoted=True))
