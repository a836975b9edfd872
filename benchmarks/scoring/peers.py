"""The peers by name, in the order of the reports."""

from collections.abc import Mapping
from typing import Final

from benchmarks.scoring.compiled import Onnx, Orbital, Tl2cgen, Treelite
from benchmarks.scoring.ways import ArrowFunction, Floor, Peer, PredictProba, RoundTrip, Snowml, Streaming

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
