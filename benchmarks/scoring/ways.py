"""The peers: each turns a relation of inputs into the table `out.predictions` (row, prediction)."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Final

import duckdb
import numpy as np
import pyarrow as pa

from benchmarks.harness import Unable
from benchmarks.scoring.models import MODEL, Trained
from snowml.names import quoted
from snowml.serving.structs import struct_of

# Rows of a batch, for the peers that choose: it fits in the processor's cache with room to spare.
_BATCH: Final = 65_536


@dataclass(frozen=True)
class Case:
    """What is to be scored with."""

    trained: Trained
    folder: Path
    threads: int

    @cached_property
    def columns(self) -> list[str]:
        """The inputs, quoted, in the model's order."""
        return [quoted(name, "duckdb") for name in self.trained.features]

    @property
    def listed(self) -> str:
        """The inputs as SQL."""
        return ", ".join(self.columns)


class Peer:
    """A way of scoring. The harness connects, loads, scores one row twice, prepares, scores, publishes."""

    # How the file ends that a conversion leaves; None where there is none, or where it takes no time.
    converted: ClassVar[str | None] = None
    connection: duckdb.DuckDBPyConnection

    def __init__(self, case: Case) -> None:
        self.case = case

    def convert(self) -> None:
        """Write `converted_file`, once for each model."""

    @property
    def converted_file(self) -> Path:
        """Where the converted model is."""
        return self.case.folder / f"{self.case.trained.kind}.{type(self).__name__.lower()}{self.converted}"

    def connect(self) -> None:
        """Open the database."""
        self.connection = duckdb.connect()

    def load(self) -> None:
        """Make the model ready; what comes before the first call."""

    def prepare(self, relation: str) -> None:
        """What is not to be measured."""

    def score(self, relation: str) -> None:
        """Write the predictions of a relation's rows."""
        raise NotImplementedError

    def publish(self) -> None:
        """Write the predictions, where `score` did not."""

    def _kinds(self) -> dict[str, str]:
        """The inputs' types, in the model's order."""
        with duckdb.connect(str(self.case.folder / "rows.duckdb"), read_only=True) as connection:
            described = connection.sql("select column_name, column_type from (describe base)").fetchall()
        kinds = dict(described)
        return {name: kinds[name] for name in self.case.trained.features}

    def _register(self, name: str, compute: Callable[..., Any]) -> None:
        from duckdb.func import FunctionNullHandling, PythonUDFType

        def answer(*columns: Any) -> Any:
            return compute(*columns)

        # DuckDB refuses variadic functions.
        kinds = list(self._kinds().values())
        slots = [inspect.Parameter(f"p{i}", inspect.Parameter.POSITIONAL_ONLY) for i in range(len(kinds))]
        answer.__signature__ = inspect.Signature(slots)  # type: ignore[attr-defined]
        arrow, special = PythonUDFType.ARROW, FunctionNullHandling.SPECIAL
        self.connection.create_function(name, answer, kinds, "double", type=arrow, null_handling=special)

    def _write(self, expression: str, relation: str) -> None:
        self.connection.execute(
            f"create or replace table out.predictions as select row, {expression} as prediction from {relation}"
        )

    def _write_columns(self, rows: Any, predictions: Any) -> None:
        written = pa.table({"row": pa.array(rows), "prediction": pa.array(predictions, pa.float64())})
        self.connection.register("written", written)
        self.connection.execute("create or replace table out.predictions as from written")
        self.connection.unregister("written")


class Snowml(Peer):
    """The promoted version's function in plain SQL; where snowml has no such estimator, its kernel, as it would run."""

    def connect(self) -> None:
        import snowml

        if "refused" in self.case.trained.notes:
            super().connect()
        else:
            self.connection = snowml.connect(self.case.trained.database, read_only=True)

    def load(self) -> None:
        self.call = f"predict_{MODEL}_proba"
        refused = self.case.trained.notes.get("refused")
        if refused:
            self.call = "kernel"
            self._register(self.call, self._kernel(refused))

    def score(self, relation: str) -> None:
        self._write(f"{self.call}({self.case.listed})", relation)

    def _kernel(self, refused: str) -> Callable[..., Any]:
        try:
            from snowml.kernel import blob
            from snowml.serving.forest import Unsupported, export
            from snowml.serving.kernel_function import load
        except ImportError:
            raise Unable(refused) from None
        try:
            return _of_columns(load(blob.dumps(export(self.case.trained.pipeline()["estimator"], 1))))
        except Unsupported as reason:
            raise Unable(f"{refused} The kernel: {reason}") from reason


class Floor(Peer):
    """The least that DuckDB must do: read the inputs, and write one double for each row."""

    def load(self) -> None:
        terms = (
            f"coalesce({quoted(name, 'duckdb')}, 0)"
            if kind == "DOUBLE"
            else f"coalesce(strlen({quoted(name, 'duckdb')}), 0)"
            for name, kind in self._kinds().items()
        )
        self.sum = " + ".join(terms)

    def score(self, relation: str) -> None:
        self._write(self.sum, relation)


class RoundTrip(Peer):
    """What people do: fetch a DataFrame, predict_proba, write it back."""

    def load(self) -> None:
        self.pipeline = self.case.trained.pipeline(self.case.threads)

    def score(self, relation: str) -> None:
        frame = self.connection.sql(f"select row, {self.case.listed} from {relation}").df()
        predictions = self.pipeline.predict_proba(frame[self.case.trained.features])[:, 1]
        self._write_columns(frame["row"], predictions)


class PredictProba(RoundTrip):
    """predict_proba alone, its inputs in memory already."""

    def prepare(self, relation: str) -> None:
        frame = self.connection.sql(f"select row, {self.case.listed} from {relation}").df()
        self.rows, self.frame = frame["row"], frame[self.case.trained.features]
        self.score = self._predict  # type: ignore[method-assign]

    def _predict(self, relation: str) -> None:
        self.predictions = self.pipeline.predict_proba(self.frame)[:, 1]

    def publish(self) -> None:
        self._write_columns(self.rows, self.predictions)


class Streaming(Peer):
    """Record batches, one after another: never the whole table in memory."""

    def load(self) -> None:
        pipeline = self.case.trained.pipeline(self.case.threads)
        self.predict: Callable[[pa.RecordBatch], Any] = lambda batch: pipeline.predict_proba(
            batch.select(self.case.trained.features).to_pandas()
        )[:, 1]

    def score(self, relation: str) -> None:
        self.connection.execute("create or replace table out.predictions (row bigint, prediction double)")
        reading = self.connection.cursor()
        reader = reading.sql(f"select row, {self.case.listed} from {relation}").to_arrow_reader(_BATCH)
        self.connection.execute("begin")
        for batch in reader:
            if batch.num_rows:
                self._append(batch["row"], self.predict(batch))
        self.connection.execute("commit")

    def _append(self, rows: Any, predictions: Any) -> None:
        written = pa.table({"row": rows, "prediction": pa.array(predictions, pa.float64())})
        self.connection.register("written", written)
        self.connection.execute("insert into out.predictions from written")
        self.connection.unregister("written")


class ArrowFunction(Peer):
    """A vectorised function around the estimator: snowml's flavour `estimator`, or the like of it."""

    def load(self) -> None:
        from snowml.serving.estimator import load

        trained = self.case.trained
        if "refused" in trained.notes:
            # On one thread: DuckDB calls it on each of its own.
            pipeline = trained.pipeline()
            self._register("estimator", lambda *columns: _predicted(pipeline["estimator"], columns))
        else:
            self._register("estimator", _of_columns(load(trained.artifact())))

    def score(self, relation: str) -> None:
        self._write(f"estimator({self.case.listed})", relation)


def _of_columns(function: Callable[[pa.StructArray], pa.Array]) -> Callable[..., pa.Array]:
    """A function of a struct as one of its columns."""

    def answer(*columns: Any) -> pa.Array:
        whole = [one.combine_chunks() if isinstance(one, pa.ChunkedArray) else one for one in columns]
        return function(struct_of(whole))

    return answer


def _predicted(estimator: Any, columns: Sequence[Any]) -> Any:
    matrix = np.stack([column.to_numpy(**_copying(column)) for column in columns], axis=1)
    return pa.array(estimator.predict_proba(matrix)[:, 1], pa.float64())


def _copying(column: Any) -> dict[str, bool]:
    return {} if isinstance(column, pa.ChunkedArray) else {"zero_copy_only": False}
