from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from snowml.errors import DataError
from snowml.monitoring.bins import freeze
from snowml.monitoring.drift import drift
from snowml.monitoring.window import Window
from snowml.names import Relation

START, END = datetime(2013, 6, 1, tzinfo=UTC), datetime(2013, 7, 1, tzinfo=UTC)
SCORED = Relation("main", "scored")


def _frame(random, rows, *, shift=0.0, late=0.0, null=0.1):
    return pd.DataFrame(
        {
            "delay": np.where(random.random(rows) < null, np.nan, random.gamma(2, 10, rows) + shift),
            "carrier": random.choice(["AA", "UA", "9E"], rows, p=[0.5 - late, 0.3, 0.2 + late]),
            "as_of": START.replace(tzinfo=None) + timedelta(minutes=1) * np.arange(rows),
            "model_version": 3,
        }
    )


def _bins(frame):
    return {
        "delay": freeze("delay", "number", frame["delay"].to_numpy()),
        "carrier": freeze("carrier", "category", frame["carrier"].to_numpy()),
    }


def _drift(engine, bins, **options):
    settings = {"model": "m", "version": 3, "window": Window("as_of", START, END), "monitored_at": END}
    return drift(engine, SCORED, bins, **settings | options)


def test_planted_drift_is_found(engine, load):
    random = np.random.default_rng(0)
    load("scored", _frame(random, 5000, shift=10, late=0.3))
    delay, carrier = _drift(engine, _bins(_frame(random, 20_000)))
    assert (delay.column_name, delay.drifted, delay.threshold) == ("delay", True, 0.2)
    assert (carrier.column_name, carrier.drifted) == ("carrier", True)
    assert (delay.row_count, delay.window_start, delay.window_end) == (5000, START, END)
    assert delay.null_rate == pytest.approx(0.1, abs=0.02)
    assert carrier.baseline_null_rate == 0


def test_a_new_null_rate_is_drift(engine, load):
    random = np.random.default_rng(0)
    load("scored", _frame(random, 5000, null=0.6))
    delay, carrier = _drift(engine, _bins(_frame(random, 20_000)))
    assert delay.drifted
    assert not carrier.drifted


@pytest.mark.parametrize("rows", [1, 5, 30, 100, 500, 3000])
def test_the_same_distribution_is_not_called_drift(engine, load, rows):
    for seed in range(40):
        random = np.random.default_rng(seed)
        load("scored", _frame(random, rows))
        found = _drift(engine, _bins(_frame(random, 5000)))
        assert not any(one.drifted for one in found)


def test_few_rows_need_more_than_the_threshold_and_say_so(engine, load):
    random = np.random.default_rng(0)
    load("scored", _frame(random, 20))
    (delay, _) = _drift(engine, _bins(_frame(random, 20_000)))
    assert 0.2 < delay.psi < delay.threshold
    assert not delay.drifted


def test_even_few_rows_show_a_broken_column(engine, load):
    random = np.random.default_rng(0)
    load("scored", _frame(random, 40, null=1.0))
    assert _drift(engine, _bins(_frame(random, 20_000)))[0].drifted


def test_the_window_is_half_open_and_in_utc(engine, load):
    rows = [START - timedelta(microseconds=1), START, END - timedelta(microseconds=1), END]
    frame = pd.DataFrame({"x": 1.0, "as_of": [row.replace(tzinfo=None) for row in rows]})
    load("scored", frame)
    bins = {"x": freeze("x", "number", np.ones(100))}
    assert _drift(engine, bins)[0].row_count == 2
    elsewhere = timezone(timedelta(hours=-5))
    window = Window("as_of", START.astimezone(elsewhere), END.astimezone(elsewhere))
    assert _drift(engine, bins, window=window)[0].row_count == 2


def test_one_version_of_the_predictions(engine, load):
    frame = _frame(np.random.default_rng(0), 100)
    load("scored", frame.assign(model_version=[3] * 60 + [4] * 40))
    assert _drift(engine, _bins(frame), version_column="model_version")[0].row_count == 60


def test_no_rows_no_drift(engine, load):
    frame = _frame(np.random.default_rng(0), 100)
    load("scored", frame.head(0))
    assert _drift(engine, _bins(frame)) == []


def test_bins_in_any_order_from_a_query_and_one_row_leaves(engine, load, fetched):
    frame = _frame(np.random.default_rng(0), 1000)
    load("scored", frame)
    shuffled = {name: column[::-1] for name, column in _bins(frame).items()}
    settings = {"model": "m", "version": 3, "window": Window("as_of", START, END), "monitored_at": END}
    found = drift(engine, "select * from scored", shuffled, threshold=0.1, **settings)
    assert [one.psi for one in found] == pytest.approx([0, 0], abs=1e-12)
    assert fetched == [1]


def test_a_window_needs_a_length():
    with pytest.raises(DataError, match="empty"):
        Window("as_of", END, START)
