"""One scan of scored rows that counts them by frozen bins."""

from collections.abc import Mapping, Sequence

from snowml.monitoring.bins import in_order
from snowml.names import Dialect, Relation, literal, quoted
from snowml.records import Bin

BinsByColumn = Mapping[str, Sequence[Bin]]


def counts_query(rows: Relation | str, bins: BinsByColumn, dialect: Dialect, where: str = "true") -> str:
    """A query for one row of counts: all rows; then for each column the rows of each bin, and the missing.

    The columns follow the order of `bins` and of the bins' numbers. NaN counts as missing.

    Args:
        rows: The scored rows: a relation, or a query.
        bins: Frozen bins by column name.
        dialect: The warehouse's.
        where: A condition on the rows; its `?` are the query's only ones.
    """
    inputs = [f"{_input(name, column[0], dialect)} as c{i}" for i, (name, column) in enumerate(bins.items())]
    counts = ["count(*) as row_count"]
    for i, column in enumerate(bins.values()):
        conditions = [*_conditions(f"c{i}", in_order(column), dialect), f"c{i} is null"]
        # DuckDB: count_if takes a sixth of the time of count(*) filter, half of that of sum(case …).
        counts += [f"count_if({condition}) as n{i}_{j}" for j, condition in enumerate(conditions)]
    inner = f"select {', '.join(inputs) or '1 as nothing'} from {source(rows, dialect)} where {where}"
    return f"select {', '.join(counts)} from ({inner}) inputs"


def source(rows: Relation | str, dialect: Dialect) -> str:
    """What FROM reads: a relation by its name, or a query."""
    return rows.sql(dialect) if isinstance(rows, Relation) else f"({rows}) source"


def _input(name: str, one: Bin, dialect: Dialect) -> str:
    column = quoted(name, dialect)
    if one.kind == "number":
        return f"nullif(cast({column} as double), cast('NaN' as double))"
    return f"cast({column} as varchar)"


def _conditions(column: str, bins: Sequence[Bin], dialect: Dialect) -> list[str]:
    """A condition for each bin; none holds for a missing value."""
    named = [literal(one.category, dialect) for one in bins if one.category is not None]
    others = f"{column} not in ({', '.join(named)})" if named else f"{column} is not null"
    return [
        _between(column, one, dialect) if one.kind == "number" else _is(column, one, others, dialect)
        for one in bins
    ]


def _between(column: str, one: Bin, dialect: Dialect) -> str:
    lower = [] if one.lower is None else [f"{column} >= {literal(one.lower, dialect)}"]
    upper = [] if one.upper is None else [f"{column} < {literal(one.upper, dialect)}"]
    return " and ".join(lower + upper) or f"{column} is not null"


def _is(column: str, one: Bin, others: str, dialect: Dialect) -> str:
    return others if one.category is None else f"{column} = {literal(one.category, dialect)}"
