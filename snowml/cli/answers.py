"""What the commands of the loop answer, as people read it."""

from typing import TYPE_CHECKING

from snowml.cli.console import say, shown, table

if TYPE_CHECKING:
    from snowml.records import Parity
    from snowml.workflows.batch import Predicted
    from snowml.workflows.monitor import Monitored
    from snowml.workflows.promote import Promoted
    from snowml.workflows.train import Trained

_PREDICTORS = {"best_rule": "best single rule"}


def show_trained(done: "Trained", metric: str) -> None:
    """A training: its figures beside the baselines, and what the gates say."""
    rows = done.run.row_counts
    late = f"; {rows['embargoed']:,} left out because their label came too late" if rows["embargoed"] else ""
    say()
    say(
        f"{done.version.model} version {done.version.version} ({done.version.flavor}), as of {shown(done.run.as_of)}"
    )
    say(
        f"trained on {rows['train']:,} rows, validated on {rows['validation']:,}, tested on {rows['test']:,}{late}"
    )
    metrics = [metric, *(name for name in done.measured["model"]["test"] if name != metric)]
    measured = dict(done.measured) | ({"champion": {}} if done.unmeasured else {})
    table(
        ["on test", *metrics],
        [
            [_predictor(name, done.best_rule), *(splits.get("test", {}).get(name_) for name_ in metrics)]
            for name, splits in measured.items()
        ],
    )
    if done.unmeasured:
        say(f"the champion is not measured: {done.unmeasured}")
    for verdict in done.verdicts:
        say(f"gate {'passed' if verdict.passed else 'FAILED'}: {verdict.text}")
    if done.parity and done.parity.certified:
        say(f"certified: {certificate(done.parity)}")
    if done.passed:
        say(f"next: snowml promote {done.version.model}")


def failed_gates(done: "Trained") -> str:
    """Why a version is rejected, in a sentence."""
    reasons = "; ".join(verdict.text for verdict in done.verdicts if not verdict.passed)
    return f"{done.version.model} version {done.version.version} is kept but rejected: {reasons}"


def certificate(parity: "Parity") -> str:
    """A certificate that was given, in a sentence."""
    handled = any(check.way == "handler" for check in parity.checks)
    who = "its function and the handler packaged for Snowflake answer" if handled else "its function answers"
    return (
        f"{who} what scikit-learn answers on {parity.held_out:,} held-out and "
        f"{parity.rows - parity.held_out:,} adversarial rows (largest difference {parity.max_abs_diff:.1e})"
    )


def show_promoted(done: "Promoted") -> None:
    """A promotion or a roll-back."""
    say()
    before = (
        f" in place of version {done.previous}" if done.previous not in (None, done.version.version) else ""
    )
    say(f"{done.version.model} version {done.version.version} is the champion{before}.")
    if done.parity:
        say(f"certified: {certificate(done.parity)}")
    say(f"in SQL: {', '.join(done.functions)}")
    say(f"next: snowml predict {done.version.model}")


def show_predicted(done: "Predicted") -> None:
    """A scoring."""
    say()
    say(
        f"{done.relation}: {done.scored:,} rows scored by {done.version.model} version {done.version.version}, "
        f"{done.total:,} in all"
    )
    say(f"next: snowml monitor {done.version.model}, as labels arrive")


def show_monitored(done: "Monitored") -> None:
    """A monitored window: performance, and the columns that moved the furthest."""
    say()
    say(
        f"{done.version.model} version {done.version.version}, {shown(done.window.start)} to {shown(done.window.end)}: "
        f"{done.row_count:,} rows scored ({done.volume:.2f} times as many a day as in the training's test window), "
        f"{done.labelled:,} with a label by now"
    )
    measured = done.measured()
    if measured:
        metrics = list(measured["model"])
        table(
            ["as labels arrived", *metrics],
            [
                [_predictor(name), *(values.get(metric) for metric in metrics)]
                for name, values in measured.items()
            ],
        )
    say()
    table(
        ["furthest from training", "psi", "threshold", "drifted", "null rate", "at training"],
        [
            [row.column_name, row.psi, row.threshold, row.drifted, row.null_rate, row.baseline_null_rate]
            for row in done.furthest[:8]
        ],
    )
    if any(row.threshold > done.threshold for row in done.drift):
        say(
            f"The threshold is {done.threshold}, or more where chance alone moves so few rows further than that."
        )


def _predictor(name: str, detail: str = "") -> str:
    words = _PREDICTORS.get(name, name)
    return f"{words} ({detail})" if name == "best_rule" and detail else words
