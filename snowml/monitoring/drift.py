"""Drift: the scored rows of a window against the bins frozen at training. Only counts leave the warehouse."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from snowml.engines.base import Engine
from snowml.monitoring.bins import in_order
from snowml.monitoring.counts import BinsByColumn, counts_query
from snowml.monitoring.psi import by_chance, psi
from snowml.monitoring.window import Window
from snowml.names import Relation, quoted
from snowml.records import Bin, Drift

THRESHOLD = 0.2

__all__ = ["THRESHOLD", "counts_query", "drift"]


def drift(
    engine: Engine,
    source: Relation | str,
    bins: BinsByColumn,
    *,
    model: str,
    version: int,
    window: Window,
    monitored_at: datetime,
    threshold: float = THRESHOLD,
    version_column: str | None = None,
) -> list[Drift]:
    """How far each column has moved, in the order of `bins`; nothing where the window has no rows.

    Missing rows are a bin of their own, so a change of the null rate shows in the index too. By chance
    alone the index of a small window is large; such a window must exceed what chance gives, and each
    `Drift.threshold` is what its index was in fact compared with: `threshold`, or more where the rows are
    too few to tell.

    Args:
        engine: The warehouse.
        source: The scored rows: a relation, or a query without `?`.
        bins: Frozen bins by column name.
        model: The model's name, for the record.
        version: The version whose baseline this is.
        window: Which rows.
        monitored_at: The moment of the monitoring, for the record.
        threshold: The index above which a column has drifted (Siddiqi: 0.1 is little, 0.25 is much).
        version_column: Where the rows are predictions: the column that must hold `version`.
    """
    where, params = window.where(engine.name), [*window.params]
    if version_column:
        where = f"{where} and {quoted(version_column, engine.name)} = ?"
    answer = engine.query(
        counts_query(source, bins, engine.name, where), [*params, version] if version_column else params
    )
    # Over no rows DuckDB answers NULL for count_if.
    rows, *counts = (int(column[0].as_py() or 0) for column in answer.columns)
    if not rows:
        return []
    found, start = [], 0
    for name, column in bins.items():
        taken = counts[start : start + len(column) + 1]
        start += len(taken)
        index, limit = _compare(in_order(column), taken)
        found.append(
            Drift(
                model=model,
                version=version,
                window_start=window.start,
                window_end=window.end,
                column_name=name,
                psi=index,
                null_rate=taken[-1] / rows,
                baseline_null_rate=column[0].null_rate,
                row_count=rows,
                threshold=max(threshold, limit),
                drifted=index > max(threshold, limit),
                monitored_at=monitored_at,
            )
        )
    return found


def _compare(bins: Sequence[Bin], counts: Sequence[int]) -> tuple[float, float]:
    """The index of one column, and what it may be by chance; the last count is of the missing rows."""
    missing, trained = bins[0].null_rate, bins[0].row_count
    baseline = np.array([one.share * (1 - missing) for one in bins] + [missing])
    now = np.array(counts, dtype=np.int64)
    occupied = int(np.count_nonzero((baseline > 0) | (now > 0)))
    return psi(baseline, trained, now), by_chance(occupied, int(now.sum()), trained)
