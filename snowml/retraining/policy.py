"""What each part of a policy says: that retraining is due, or why not yet."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from snowml.records import Reason
from snowml.spec.schedule import last_due, next_due


def by_schedule(schedule: str, since: datetime, as_of: datetime) -> Reason:
    """Whether the schedule named a moment after the last training."""
    last = last_due(schedule, as_of)
    if last and last > since:
        return Reason(reason="schedule", due=True, detail=f"due since {last:%Y-%m-%d %H:%M} ({schedule})")
    following = next_due(schedule, as_of)
    when = f"not due before {following:%Y-%m-%d %H:%M}" if following else "never due again"
    return Reason(reason="schedule", due=False, detail=f"{when} ({schedule})")


def by_new_rows(wanted: int, found: int, since: datetime) -> Reason:
    """Whether so many labels are new."""
    detail = (
        f"{found:,} new labels since the training as of {since:%Y-%m-%d %H:%M}, of {wanted:,} that are asked"
    )
    return Reason(reason="new_rows", due=found >= wanted, detail=detail)


def by_drift(wanted: int, drifted: Sequence[Mapping[str, Any]] | None, since: datetime) -> Reason:
    """Whether so many columns drifted in the newest window; None: none was monitored that began since."""
    if drifted is None:
        detail = f"no window was monitored that began after the training as of {since:%Y-%m-%d %H:%M}"
        return Reason(reason="drift", due=False, detail=detail)
    named = ", ".join(f"{row['column_name']} (PSI {row['psi']:.3f})" for row in drifted[:5])
    more = f" and {len(drifted) - 5} more" if len(drifted) > 5 else ""
    detail = f"{len(drifted)} columns drifted, of {wanted} that are asked" + (
        f": {named}{more}" if named else ""
    )
    return Reason(reason="drift", due=len(drifted) >= wanted, detail=detail)
