"""Asking a version's functions in the warehouse about rows, held-out ones or ones that are sent there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from snowml.engines.base import Engine, SqlFunction
from snowml.engines.columns import columns_of
from snowml.errors import DataError
from snowml.names import quoted
from snowml.records import Signature, Version
from snowml.registry.store import Registry
from snowml.serving import multiclass
from snowml.serving.explaining import added_up
from snowml.spec.split import Split
from snowml.training.data import feature_columns, to_frame
from snowml.workflows.inputs import broken_inputs
from snowml.workflows.specs import of_version

HELD_OUT = "held_out"
_ROW = "snowml_row"
_VAST = 1e150


@dataclass(frozen=True, slots=True)
class Way:
    """One family of a version's functions: the score, and for a classifier the label of a score and that of a row.

    Attributes:
        explains: The function that says what each feature contributes, where it can.
    """

    name: str
    functions: tuple[SqlFunction, ...]
    explains: SqlFunction | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Rows with the warehouse's answers.

    Attributes:
        table: The features as the warehouse gave them back, then the answers, then what the kernel is called with.
        frame: The features as scikit-learn takes them.
        kinds: Why each row is there.
        altered: Which rows came back other than they were sent.
    """

    table: pa.Table
    frame: pd.DataFrame
    kinds: NDArray[np.object_]
    altered: NDArray[np.bool_]

    def answers(self, way: Way, what: str) -> pa.ChunkedArray:
        """A way's answers: `label` or `answer`."""
        return self.table[_answer(way, what)]

    def scores(self, way: Way) -> NDArray[np.float64]:
        """A way's scores, NULL as NaN: (rows,), or of more than two classes (rows, classes)."""
        several = [name for name in self.table.column_names if name.startswith(_share(way, ""))]
        if not several:
            return doubles(self.table[_answer(way, "score")])
        return np.stack([doubles(self.table[name]) for name in several], axis=1)

    def explained(self, way: Way) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What the contributions add up to, and what their sizes do: (rows,) each, NULL as NaN."""
        total, size = (doubles(self.table[_answer(way, what)]) for what in ("total", "size"))
        return total, size

    @property
    def inputs(self) -> pa.Table:
        """What the kernel is called with."""
        return self.table.select([name for name in self.table.column_names if name.startswith(_input(""))])

    @property
    def vast(self) -> NDArray[np.bool_]:
        """(rows,) whether one of its numbers is so large that a sum of such may be none."""
        numbers = self.frame.select_dtypes("number").to_numpy(dtype=np.float64)
        found: NDArray[np.bool_] = (np.abs(numbers) > _VAST).any(axis=1)
        return found

    def shown(self, row: int) -> str:
        """A row's features, NULL and NaN apart."""
        values = [self.table.column(i)[row].as_py() for i in range(len(self.frame.columns))]
        words = ("NULL" if value is None else repr(value) for value in values)
        return ", ".join(f"{name}={word}" for name, word in zip(self.frame.columns, words, strict=True))


@dataclass(frozen=True, slots=True)
class Asking:
    """A version's functions, to be asked.

    Attributes:
        engine: The warehouse.
        signature: What they take and answer.
        ways: The families of them that there are.
        inputs: The SQL of what the kernel is called with.
    """

    engine: Engine
    signature: Signature
    ways: tuple[Way, ...]
    inputs: tuple[str, ...]

    def held_out(self, registry: Registry, version: Version) -> Block:
        """The test window of the version's run.

        Raises:
            DataError: It has no rows any more, or lacks a column that the version reads.
        """
        source, dialect = of_version(registry, version).training_set, self.engine.name
        if broken := broken_inputs(columns_of(self.engine, source), version, str(source), dialect):
            raise DataError(
                "\n".join([f"{version.model} version {version.version} cannot be compared.", *broken])
            )
        run = registry.run(version.run_id)
        windows = Split.model_validate(run.params["split"]).windows(run.as_of)
        as_of = quoted(self.signature.as_of, dialect)
        where = f"{source.within(self.engine.database).sql(dialect)} where {as_of} >= ? and {as_of} < ?"
        table = self._asked(where, [windows.test_start, windows.end])
        if table.num_rows == 0:
            raise DataError(
                f"{source} has no row from {windows.test_start} to {windows.end}, the test window of version "
                f"{version.version}: its function cannot be compared. Build the training set as of a later time."
            )
        return self._block(table, np.full(table.num_rows, HELD_OUT, dtype=object), None)

    def sent(self, rows: pa.Table, kinds: NDArray[np.object_]) -> Block:
        """Rows that are sent to the warehouse, and read back beside the answers."""
        numbered = rows.append_column(_ROW, pa.array(range(rows.num_rows), pa.int64()))
        with self.engine.temporary(numbered, schema=self._schema) as place:
            table = self._asked(place.sql(self.engine.name), [], extra=(quoted(_ROW, self.engine.name),))
        return self._block(table.sort_by(_ROW), kinds, rows)

    def labels(
        self, way: Way, probabilities: Sequence[tuple[float | None, ...]]
    ) -> tuple[list[tuple[float | None, ...]], list[object]]:
        """Probabilities as the warehouse got them, and the labels that a way makes of them.

        Each has one, of the positive class; of more than two classes, one of each.
        """
        dialect = self.engine.name
        names = [f"p{i}" for i in range(len(probabilities[0]))]
        given = pa.table(
            {
                name: pa.array(column, pa.float64(), from_pandas=False)
                for name, column in zip(names, zip(*probabilities, strict=True), strict=True)
            }
        )
        label = way.functions[1].name.within(self.engine.database).sql(dialect)
        columns = [quoted(name, dialect) for name in names]
        argument = columns[0]
        if self.signature.is_multiclass:
            argument = multiclass.by_label(columns, self.signature, dialect)
        with self.engine.temporary(given, schema=self._schema) as place:
            table = self.engine.query(
                f"select {', '.join(columns)}, {label}({argument}) from {place.sql(dialect)}"
            )
        *back, labels = (column.to_pylist() for column in table.columns)
        return list(zip(*back, strict=True)), labels

    @property
    def _schema(self) -> str:
        return self.ways[0].functions[0].name.schema

    def _asked(self, source: str, params: Sequence[object], extra: tuple[str, ...] = ()) -> pa.Table:
        """The features of some rows, with the functions' answers and the kernel's inputs, in one query."""
        dialect, features = self.engine.name, self.signature.features
        arguments = ", ".join(quoted(feature.name, dialect) for feature in features)
        answers, outer, told = [], [], []
        for way in self.ways:
            names = [function.name.within(self.engine.database).sql(dialect) for function in way.functions]
            score = quoted(_answer(way, "score"), dialect)
            # What someone put in a function's place may answer other numbers.
            answered = f"{names[0]}({arguments})"
            answered = answered if self.signature.is_multiclass else f"cast({answered} as double)"
            answers.append(f"{answered} as {score}")
            if len(names) > 1:
                answers.append(f"{names[2]}({arguments}) as {quoted(_answer(way, 'answer'), dialect)}")
                outer.append(f"{names[1]}({score}) as {quoted(_answer(way, 'label'), dialect)}")
            if self.signature.is_multiclass:
                outer += [
                    f"cast({multiclass.probability_of(score, label, self.signature, dialect)} as double) as "
                    f"{quoted(_share(way, i), dialect)}"
                    for i, label in enumerate(self.signature.classes)
                ]
            if way.explains is not None:
                explains, found = (
                    way.explains.name.within(self.engine.database).sql(dialect),
                    _answer(way, "told"),
                )
                told.append(quoted(found, dialect))
                answers.append(f"{explains}({arguments}) as {told[-1]}")
                outer += [
                    f"{text} as {quoted(_answer(way, what), dialect)}"
                    for text, what in zip(
                        added_up(told[-1], self.signature, dialect), ("total", "size"), strict=True
                    )
                ]
        whole = f"asked.* exclude ({', '.join(told)})" if told else "asked.*"
        inputs = [f"{text} as {quoted(_input(i), dialect)}" for i, text in enumerate(self.inputs)]
        inner = ", ".join([*feature_columns(features, dialect), *answers, *inputs, *extra])
        return self.engine.query(
            f"select {', '.join([whole, *outer])} from (select {inner} from {source}) as asked", params
        )

    def _block(self, table: pa.Table, kinds: NDArray[np.object_], sent: pa.Table | None) -> Block:
        frame = to_frame(table, self.signature.features)
        altered = np.zeros(table.num_rows, dtype=bool) if sent is None else _altered(sent, table)
        return Block(table, frame, kinds, altered)


def _answer(way: Way, what: str) -> str:
    return f"snowml_{way.name}_{what}"


def _share(way: Way, place: object) -> str:
    return f"snowml_{way.name}_share_{place}"


def _input(place: object) -> str:
    return f"snowml_input_{place}"


def doubles(column: "pa.Array | pa.ChunkedArray") -> NDArray[np.float64]:
    """Doubles, NULL as NaN; of lists, (rows, items)."""
    if not pa.types.is_list(column.type):
        return np.asarray(column.to_pandas(), dtype=np.float64)
    rows = column.to_pylist()
    width = max((len(row) for row in rows if row is not None), default=1)
    return np.array([[np.nan] * width if row is None else row for row in rows], dtype=np.float64)


def _altered(sent: pa.Table, back: pa.Table) -> NDArray[np.bool_]:
    """Which rows came back other than they were sent: as the other zero, say, or rounded."""
    found = np.zeros(sent.num_rows, dtype=bool)
    for place, column in enumerate(sent.columns):
        other = back.column(place)
        found |= (
            _texts(column) != _texts(other)
            if pa.types.is_string(column.type)
            else _bits_differ(column, other)
        )
    return found


def _texts(column: pa.ChunkedArray) -> NDArray[np.object_]:
    return np.array(column.to_pylist(), dtype=object)


def _bits_differ(one: pa.ChunkedArray, other: pa.ChunkedArray) -> NDArray[np.bool_]:
    absent = [np.asarray(column.is_null()) for column in (one, other)]
    values = [
        np.asarray(column.cast(pa.float64(), safe=False).fill_null(0.0), dtype=np.float64)
        for column in (one, other)
    ]
    # One NaN is like another.
    bits = [np.where(np.isnan(value), np.nan, value).view(np.int64) for value in values]
    found: NDArray[np.bool_] = (absent[0] != absent[1]) | (bits[0] != bits[1])
    return found
