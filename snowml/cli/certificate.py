"""A version's parity certificate, as people and programs read it."""

from typing import TYPE_CHECKING, Any

from snowml.cli.console import say, shown, table

if TYPE_CHECKING:
    from snowml.records import Parity, ParityCheck

_WAYS = {
    "function": "the version's function",
    "champion": "the champion's function",
    "function_explained": "what the version's explanations add up to",
    "champion_explained": "what the champion's explanations add up to",
    "handler": "Snowflake's handler, run outside of it",
}


def in_short(parity: dict[str, Any] | None) -> str:
    """A certificate in a few words, of what `Parity.summary` gives."""
    if parity is None:
        return "not compared"
    word = "equal" if parity["certified"] else "DIFFERENT"
    return f"{word} on {parity['rows']:,} rows ({parity['max_abs_diff']:.0e})"


def show_parity(parity: "Parity") -> None:
    """What was compared with scikit-learn, how, and what came of it."""
    word = "certified" if parity.certified else "DIFFERENT"
    where = f"on {parity.engine}" if parity.engine else "by an older snowml"
    say(f"{parity.model} version {parity.version}: {word}, {shown(parity.checked_at)}, {where}")
    say(
        f"  functions {_digest(parity.functions)}, code {_digest(parity.code)}, snowml {parity.snowml or '-'}"
    )
    table(
        [
            "  way",
            "rows",
            "count",
            "refused by both",
            "altered on the way",
            "different",
            "largest difference",
        ],
        [
            [
                f"  {_WAYS.get(check.way, check.way)}",
                check.kind.replace("_", "-"),
                check.row_count,
                check.refused_count,
                check.altered_count,
                check.differing_count,
                f"{check.max_abs_diff:.1e}",
            ]
            for check in parity.checks
        ],
    )
    for check in parity.checks:
        if check.example:
            say(f"  such as, {check.kind.replace('_', '-')} by {check.way}: {check.example}")


def parity_document(parity: "Parity") -> dict[str, Any]:
    """The answer of `audit --parity`: that of an audit, with the certificate."""
    return {
        "model": parity.model,
        "version": parity.version,
        "passed": parity.certified,
        "checks": [
            {"name": f"{check.way}.{check.kind}", "passed": _passed(parity, check), "detail": _detail(check)}
            for check in parity.checks
        ],
        "parity": parity.document(),
    }


def _passed(parity: "Parity", check: "ParityCheck") -> bool:
    return check.max_abs_diff <= parity.tolerance


def _detail(check: "ParityCheck") -> str:
    counted = (
        f"{check.differing_count:,} of {check.row_count:,} rows differ, by up to {check.max_abs_diff:.3g}"
    )
    return f"{counted}; such as {check.example}" if check.example else counted


def _digest(text: str | None) -> str:
    return (text or "-")[:12]
