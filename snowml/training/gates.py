"""Gates: what a version must reach before it may be promoted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from snowml.spec.gates import Gate
from snowml.spec.metrics import better

# predictor → split → metric → value; the predictors are `model`, the baselines, and `champion` where there is one.
Measured = Mapping[str, Mapping[str, Mapping[str, float]]]

_NOT_A_BASELINE = frozenset({"model", "champion"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one gate says, in a sentence with its figures."""

    passed: bool
    text: str


def judge(gates: Sequence[Gate], measured: Measured, unmeasured: str | None = None) -> list[Verdict]:
    """The verdict of each gate; a figure that could not be measured fails it.

    Args:
        gates: What must be reached.
        measured: The figures.
        unmeasured: Why there is a champion and no figure of it.
    """
    return [verdict for gate in gates for verdict in _judge(gate, measured, unmeasured)]


def _judge(gate: Gate, measured: Measured, unmeasured: str | None) -> list[Verdict]:
    if gate.better_than is None:
        return [_bounds(gate, measured)]
    if gate.better_than == "champion":
        if unmeasured:
            return [Verdict(False, f"{_name(gate)}: could not be compared with the champion: {unmeasured}")]
        if "champion" not in measured:
            return [Verdict(True, "better than the champion: there is none yet")]
        return [_comparison(gate, measured, "champion")]
    return [_comparison(gate, measured, rival) for rival in measured if rival not in _NOT_A_BASELINE]


def _bounds(gate: Gate, measured: Measured) -> Verdict:
    value = _value(gate, measured, "model")
    bounds = {"at least": gate.min, "at most": gate.max}
    wanted = " and ".join(f"{words} {bound:g}" for words, bound in bounds.items() if bound is not None)
    if value is None:
        return Verdict(False, f"{_name(gate)}: could not be measured; wanted {wanted}")
    passed = (gate.min is None or value >= gate.min) and (gate.max is None or value <= gate.max)
    return Verdict(passed, f"{_name(gate)}: {value:.4f}, wanted {wanted}")


def _comparison(gate: Gate, measured: Measured, rival: str) -> Verdict:
    value, other = _value(gate, measured, "model"), _value(gate, measured, rival)
    called = rival.replace("_", " ")
    if value is None or other is None:
        return Verdict(False, f"{_name(gate)}: could not be compared with the {called}")
    text = f"{_name(gate)}: {value:.4f}, wanted better than the {called} ({other:.4f})"
    return Verdict(better(gate.metric, value, other), text)


def _value(gate: Gate, measured: Measured, predictor: str) -> float | None:
    return measured.get(predictor, {}).get(gate.split, {}).get(gate.metric)


def _name(gate: Gate) -> str:
    return f"{gate.metric} on {gate.split}"
