"""Gates: what a version must reach before it may be promoted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from snowml.spec.metrics import GREATER_IS_BETTER
from snowml.spec.settings import BetterThan, Gate, Threshold

# split → metric → value, of one predictor
Metrics = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one gate says, in a sentence with its figures."""

    passed: bool
    text: str


def judge(gates: Sequence[Gate], metric: str, measured: Mapping[str, Metrics]) -> list[Verdict]:
    """The verdict of each gate on the metrics of each predictor: `model`, the baselines, and perhaps `champion`."""
    return [verdict for gate in gates for verdict in _judge(gate, metric, measured)]


def _judge(gate: Gate, metric: str, measured: Mapping[str, Metrics]) -> list[Verdict]:
    if isinstance(gate, Threshold):
        return [_threshold(gate, measured["model"])]
    wanted = gate.metric or metric
    value = measured["model"].get(gate.split, {}).get(wanted)
    if gate.better_than == "champion" and "champion" not in measured:
        return [Verdict(True, "better than the champion: there is none yet")]
    rivals = ["champion"] if gate.better_than == "champion" else [r for r in measured if r not in _NOT_A_BASELINE]
    return [_comparison(gate, wanted, value, rival, measured[rival]) for rival in rivals]


_NOT_A_BASELINE = frozenset({"model", "champion"})


def _threshold(gate: Threshold, model: Metrics) -> Verdict:
    value = model.get(gate.split, {}).get(gate.metric)
    wanted = " and ".join(
        part
        for part in (
            f"at least {gate.min:g}" if gate.min is not None else "",
            f"at most {gate.max:g}" if gate.max is not None else "",
        )
        if part
    )
    name = f"{gate.metric} on {gate.split}"
    if value is None:
        return Verdict(False, f"{name}: could not be measured; wanted {wanted}")
    passed = (gate.min is None or value >= gate.min) and (gate.max is None or value <= gate.max)
    return Verdict(passed, f"{name}: {value:.4f}, wanted {wanted}")


def _comparison(gate: BetterThan, metric: str, value: float | None, rival: str, measured: Metrics) -> Verdict:
    name = f"{metric} on {gate.split}"
    other = measured.get(gate.split, {}).get(metric)
    if value is None or other is None:
        return Verdict(False, f"{name}: could not be compared with {rival}")
    passed = value > other if GREATER_IS_BETTER[metric] else value < other
    return Verdict(passed, f"{name}: {value:.4f}, wanted better than {rival} ({other:.4f})")
