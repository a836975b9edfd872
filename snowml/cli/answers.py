"""What the commands of the loop answer: as JSON documents, and as people read it."""

from typing import TYPE_CHECKING, Any

from snowml.cli.console import say, shown, table

if TYPE_CHECKING:
    from snowml.workflows.monitor import Monitored
    from snowml.workflows.predict import Predicted
    from snowml.workflows.promote import Promoted
    from snowml.workflows.train import Trained

_PREDICTORS = {
    "model": "model",
    "constant": "constant",
    "best_rule": "best single rule",
    "champion": "champion",
}


def trained_document(done: "Trained") -> dict[str, Any]:
    """A training as JSON."""
    return {
        "model": done.version.model,
        "version": done.version.version,
        "status": done.status,
        "run_id": done.run.run_id,
        "as_of": done.run.as_of,
        "flavor": done.version.flavor,
        "rows": dict(done.run.row_counts),
        "metrics": done.measured["model"],
        "baselines": {name: splits for name, splits in done.measured.items() if name != "model"},
        "best_rule": done.best_rule,
        "gates": [{"passed": verdict.passed, "detail": verdict.text} for verdict in done.verdicts],
    }


def show_trained(done: "Trained", metric: str) -> None:
    """A training: its figures beside the baselines, and what the gates say."""
    rows = done.run.row_counts
    say()
    say(
        f"{done.version.model} version {done.version.version} ({done.version.flavor}), as of {shown(done.run.as_of)}"
    )
    say(
        f"trained on {rows['train']:,} rows, validated on {rows['validation']:,}, tested on {rows['test']:,}"
        + (f"; {rows['embargoed']:,} left out because their label came too late" if rows["embargoed"] else "")
    )
    metrics = [metric, *(name for name in done.measured["model"]["test"] if name != metric)]
    table(
        ["on test", *metrics],
        [
            [_predictor(name, done.best_rule), *(splits.get("test", {}).get(metric) for metric in metrics)]
            for name, splits in done.measured.items()
        ],
    )
    for verdict in done.verdicts:
        say(f"gate {'passed' if verdict.passed else 'FAILED'}: {verdict.text}")
    if done.passed:
        say(f"next: snowml promote {done.version.model}")


def failed_gates(done: "Trained") -> str:
    """Why a version is rejected, in a sentence."""
    reasons = "; ".join(verdict.text for verdict in done.verdicts if not verdict.passed)
    return f"{done.version.model} version {done.version.version} is kept but rejected: {reasons}"


def promoted_document(done: "Promoted") -> dict[str, Any]:
    """A promotion or a roll-back as JSON."""
    return {
        "model": done.version.model,
        "version": done.version.version,
        "previous": done.previous,
        "functions": list(done.functions),
        "parity": parity_document(done.parity),
    }


def parity_document(parity: Any) -> dict[str, Any] | None:
    """A comparison with scikit-learn as JSON."""
    if parity is None:
        return None
    return {"certified": parity.certified, "max_abs_diff": parity.max_abs_diff, "rows": parity.rows}


def show_promoted(done: "Promoted") -> None:
    """A promotion or a roll-back."""
    say()
    before = (
        f" in place of version {done.previous}" if done.previous not in (None, done.version.version) else ""
    )
    say(f"{done.version.model} version {done.version.version} is the champion{before}.")
    if done.parity:
        say(
            f"its function equals scikit-learn on {done.parity.rows:,} rows "
            f"(largest difference {done.parity.max_abs_diff:.1e})"
        )
    say(f"in SQL: {', '.join(done.functions)}")


def predicted_document(done: "Predicted") -> dict[str, Any]:
    """A scoring as JSON."""
    return {
        "model": done.version.model,
        "version": done.version.version,
        "relation": str(done.relation),
        "scored": done.scored,
        "total": done.total,
    }


def show_predicted(done: "Predicted") -> None:
    """A scoring."""
    say()
    say(
        f"{done.relation}: {done.scored:,} rows scored by {done.version.model} version {done.version.version}, "
        f"{done.total:,} in all"
    )


def monitored_document(done: "Monitored") -> dict[str, Any]:
    """A monitored window as JSON."""
    return {
        "model": done.version.model,
        "version": done.version.version,
        "window_start": done.window.start,
        "window_end": done.window.end,
        "rows": done.row_count,
        "drifted": bool(done.drifted),
        "features": [
            {
                "name": row.column_name,
                "psi": row.psi,
                "threshold": row.threshold,
                "drifted": row.drifted,
                "null_rate": row.null_rate,
                "baseline_null_rate": row.baseline_null_rate,
            }
            for row in sorted(done.drift, key=lambda row: -row.psi)
        ],
        "performance": _by_predictor(done),
        "labelled": _labelled(done),
    }


def show_monitored(done: "Monitored") -> None:
    """A monitored window: performance, and the columns that moved the furthest."""
    say()
    say(
        f"{done.version.model} version {done.version.version}, {shown(done.window.start)} to {shown(done.window.end)}: "
        f"{done.row_count:,} rows scored, {_labelled(done):,} with a label by now"
    )
    measured = _by_predictor(done)
    volume = measured["model"].pop("volume_ratio")
    say(f"{volume:.2f} times the rows a day of the training's test window")
    metrics = list(measured["model"])
    if metrics:
        table(
            ["as labels arrived", *metrics],
            [
                [_PREDICTORS[name], *(values.get(metric) for metric in metrics)]
                for name, values in measured.items()
            ],
        )
    furthest = sorted(done.drift, key=lambda row: -row.psi)[:8]
    table(
        ["furthest from training", "psi", "threshold", "drifted", "null rate", "at training"],
        [
            [row.column_name, row.psi, row.threshold, row.drifted, row.null_rate, row.baseline_null_rate]
            for row in furthest
        ],
    )


def _by_predictor(done: "Monitored") -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for row in done.performance:
        found.setdefault(row.predictor, {})[row.metric] = row.value
    return found


def _labelled(done: "Monitored") -> int:
    return max((row.row_count for row in done.performance if row.metric != "volume_ratio"), default=0)


def _predictor(name: str, best_rule: str) -> str:
    return f"{_PREDICTORS[name]} ({best_rule})" if name == "best_rule" else _PREDICTORS.get(name, name)
