"""The peers: each turns a relation of inputs into the table `out.predictions` (row, prediction)."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
        """The inputs' types."""
        with duckdb.connect(str(self.case.folder / "rows.duckdb"), read_only=True) as connection:
            described = connection.sql("select column_name, column_type from (describe base)").fetchall()
        return {name: kind for name, kind in described if name in self.case.trained.features}

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
    """The promoted version's function in plain SQL."""

    def connect(self) -> None:
        import snowml

        refused = self.case.trained.notes.get("refused")
        if refused:
            raise Unable(refused)
        self.connection = snowml.connect(self.case.trained.database, read_only=True)

    def score(self, relation: str) -> None:
        self._write(f"predict_{MODEL}_proba({self.case.listed})", relation)


class Floor(Peer):
    """The least that DuckDB must do: read the inputs, and write one double for each row."""

    def load(self) -> None:
        terms = (
            f"coalesce({quoted(name, 'duckdb')}, 0)" if kind == "DOUBLE" else f"coalesce(strlen({quoted(name, 'duckdb')}), 0)"
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
    """A vectorised function around the estimator: snowml's flavour `estimator`."""

    def load(self) -> None:
        from duckdb.func import FunctionNullHandling, PythonUDFType

        from snowml.serving.estimator import load

        trained = self.case.trained
        if "flavor" not in trained.notes:
            raise Unable(trained.notes["refused"])
        compute, kinds = load(trained.artifact()), self._kinds()

        def answer(*columns: Any) -> Any:
            return compute(*columns)

        # DuckDB refuses variadic functions.
        slots = [inspect.Parameter(f"p{i}", inspect.Parameter.POSITIONAL_ONLY) for i in range(len(kinds))]
        answer.__signature__ = inspect.Signature(slots)  # type: ignore[attr-defined]
        self.connection.create_function(
            "estimator",
            answer,
            list(kinds.values()),
            "double",
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )

    def score(self, relation: str) -> None:
        self._write(f"estimator({self.case.listed})", relation)


class Orbital(Peer):
    """The pipeline as one SQL query, by orbital."""

    converted = ".sql"

    def convert(self) -> None:
        with _refusals():
            import orbital
            from orbital.types import DoubleColumnType, Int64ColumnType, StringColumnType

            kinds = {
                name: DoubleColumnType() if kind == "DOUBLE" else StringColumnType()
                for name, kind in self._kinds().items()
            }
            parsed = orbital.parse_pipeline(self.case.trained.pipeline(), features=kinds)
            # No input of the pipeline, but a column of the table that is to be handed on.
            parsed.features["row"] = Int64ColumnType()
            query = orbital.export_sql(
                "orbital_inputs",
                parsed,
                dialect="duckdb",
                projection=orbital.ResultsProjection(["row"]),
                separate_trees=True,
            )
        self.converted_file.write_text(query, "utf-8")

    def load(self) -> None:
        self.query = self.converted_file.read_text("utf-8")

    def score(self, relation: str) -> None:
        self.connection.execute(f"create or replace temp view orbital_inputs as from {relation}")
        with _refusals():
            self.connection.execute(
                'create or replace table out.predictions as select row, "output_probability.1" as prediction '
                f"from ({self.query})"
            )


class Onnx(Streaming):
    """The pipeline by onnxruntime, in record batches."""

    def load(self) -> None:
        with _refusals():
            import onnxruntime

            model = _onnx_model(self.case.trained.pipeline(), self._kinds())
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = self.case.threads
            session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        kinds = self._kinds()

        def predict(batch: pa.RecordBatch) -> Any:
            feed = {name: _onnx_column(batch[name], kind) for name, kind in kinds.items()}
            return session.run(["probabilities"], feed)[0][:, 1].astype(np.float64)

        self.predict = predict


class Treelite(Streaming):
    """The trees by treelite's own interpreter, in record batches; the preparation by scikit-learn."""

    def load(self) -> None:
        with _refusals():
            import treelite

            pipeline = self.case.trained.pipeline()
            model, matrix = _treelite_model(pipeline["estimator"]), _matrix_of(pipeline, self.case)
        self.predict = lambda batch: _positive(
            treelite.gtil.predict(model, matrix(batch), nthread=self.case.threads)
        )


class Tl2cgen(Streaming):
    """The trees compiled from C by tl2cgen (which needs a compiler), in record batches."""

    converted = ".so"

    def convert(self) -> None:
        with _refusals():
            import tl2cgen

            model = _treelite_model(self.case.trained.pipeline()["estimator"])
            tl2cgen.export_lib(
                model, toolchain="gcc", libpath=str(self.converted_file), params={"parallel_comp": 16}
            )

    def load(self) -> None:
        with _refusals():
            import tl2cgen

            predictor = tl2cgen.Predictor(str(self.converted_file), nthread=self.case.threads)
        matrix = _matrix_of(self.case.trained.pipeline(), self.case)
        self.predict = lambda batch: _positive(predictor.predict(tl2cgen.DMatrix(matrix(batch))))


PEERS: Final[Mapping[str, type[Peer]]] = {
    "round_trip": RoundTrip,
    "streaming": Streaming,
    "arrow_function": ArrowFunction,
    "orbital": Orbital,
    "onnxruntime": Onnx,
    "treelite": Treelite,
    "tl2cgen": Tl2cgen,
    "predict_proba": PredictProba,
    "snowml": Snowml,
    "floor": Floor,
}


@contextmanager
def _refusals() -> Iterator[None]:
    """What a library cannot do, as the reason why."""
    try:
        yield
    except ImportError as missing:
        raise Unable(f"{missing}; install it: pip install '.[bench]'") from missing
    except Exception as refused:
        first = next(iter(str(refused).strip().splitlines()), "")
        raise Unable(f"{type(refused).__name__}: {first[:200]}") from refused


def _onnx_model(pipeline: Any, kinds: Mapping[str, str]) -> bytes:
    import skl2onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    _register_boosting()
    types = [
        (name, FloatTensorType([None, 1]) if kind == "DOUBLE" else StringTensorType([None, 1]))
        for name, kind in kinds.items()
    ]
    model = skl2onnx.convert_sklearn(
        pipeline,
        initial_types=types,
        options={id(pipeline): {"zipmap": False}},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    data: bytes = model.SerializeToString()
    return data


def _register_boosting() -> None:
    from lightgbm import LGBMClassifier
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
    from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
    from xgboost import XGBClassifier

    for kind, convert in ((LGBMClassifier, convert_lightgbm), (XGBClassifier, convert_xgboost)):
        update_registered_converter(
            kind,
            f"Benchmark{kind.__name__}",
            calculate_linear_classifier_output_shapes,
            convert,
            options={"nocl": [True, False], "zipmap": [True, False, "columns"]},
        )


def _onnx_column(column: pa.Array, kind: str) -> Any:
    values = column.to_numpy(zero_copy_only=False)
    return values.astype(np.float32 if kind == "DOUBLE" else object).reshape(-1, 1)


def _treelite_model(estimator: Any) -> Any:
    import treelite

    if type(estimator).__name__.startswith("LGBM"):
        return treelite.frontend.from_lightgbm(estimator.booster_)
    if type(estimator).__name__.startswith("XGB"):
        return treelite.frontend.from_xgboost(estimator.get_booster())
    return treelite.sklearn.import_model(estimator)


def _matrix_of(pipeline: Any, case: Case) -> Callable[[pa.RecordBatch], Any]:
    """What turns a batch into the estimator's matrix: the columns side by side, where nothing is to be prepared."""
    prepare, names = pipeline["prepare"], case.trained.features
    unprepared = all(how == "passthrough" for _, how, _ in prepare.transformers)
    if unprepared:
        return lambda batch: np.stack([batch[name].to_numpy(zero_copy_only=False) for name in names], axis=1)
    return lambda batch: np.ascontiguousarray(prepare.transform(batch.select(names).to_pandas()))


def _positive(predictions: Any) -> Any:
    """The probability of the positive class, out of (rows, 1, 1 or 2)."""
    return predictions.reshape(len(predictions), -1)[:, -1].astype(np.float64)
