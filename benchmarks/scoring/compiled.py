"""Peers that compile the model: to SQL, to ONNX, to treelite's trees, to C."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.harness import Unable
from benchmarks.scoring.models import Trained
from benchmarks.scoring.ways import Case, Peer, Streaming
from snowml.boosting.base import Boosting


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
            parsed = orbital.parse_pipeline(_converted(self.case.trained), features=kinds)
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

            model = _onnx_model(_converted(self.case.trained), self._kinds())
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

            pipeline = _converted(self.case.trained)
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

            model = _treelite_model(_converted(self.case.trained)["estimator"])
            tl2cgen.export_lib(
                model, toolchain="gcc", libpath=str(self.converted_file), params={"parallel_comp": 16}
            )

    def load(self) -> None:
        with _refusals():
            import tl2cgen

            predictor = tl2cgen.Predictor(str(self.converted_file), nthread=self.case.threads)
        matrix = _matrix_of(_converted(self.case.trained), self.case)
        self.predict = lambda batch: _positive(predictor.predict(tl2cgen.DMatrix(matrix(batch))))


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


def _converted(trained: Trained) -> Any:
    """The fitted pipeline with the library's own estimator, which the converters know, in the place of snowml's."""
    pipeline = trained.pipeline()
    estimator = pipeline["estimator"]
    if isinstance(estimator, Boosting):
        own = {"lightgbm": _lightgbm, "xgboost": _xgboost}[estimator.library](estimator)
        pipeline.steps[-1] = ("estimator", own)
    return pipeline


def _lightgbm(estimator: Boosting) -> Any:
    from lightgbm import LGBMClassifier

    # What fitting sets: the library reads no text into an estimator.
    own = LGBMClassifier()
    own._Booster = estimator.booster_  # noqa: SLF001
    own._n_features = own._n_features_in = estimator.n_features_in_  # noqa: SLF001
    own._classes, own._n_classes, own.fitted_ = np.array([0, 1]), 2, True  # noqa: SLF001
    return own


def _xgboost(estimator: Boosting) -> Any:
    from xgboost import XGBClassifier

    own = XGBClassifier()
    own.load_model(bytearray(estimator.model_.encode()))
    return own


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
