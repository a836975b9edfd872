"""Paths on which nothing says when a fact became known: a cut cannot see them, so they may hold anything."""

from snowml.auditing.findings import Check, check
from snowml.auditing.lineage import Lineage

NAME = "dated_paths"
_REMEDY = (
    "read facts through a model that says when each became known (config: {event_time: known_at}); split a row whose "
    "parts become known at different times; and where rows are known all along, say so "
    "(config: {meta: {snowml: {static: true}}})."
)


def judge(lineage: Lineage) -> Check:
    """The check: every path from the training set up to data crosses a dated or a static node."""
    problems = [
        f"{' ← '.join(path)}: nothing on this path says when a fact became known, or that all of it always was"
        for path in lineage.undated
    ]
    static = [lineage.name(uid) for uid in lineage.upstream if lineage.is_static(uid)]
    dated = [lineage.name(uid) for uid in lineage.roots]
    passed = (
        f"dated: {', '.join(dated) or 'none'}; known all along, by declaration: {', '.join(static) or 'none'}"
    )
    return check(NAME, problems, passed, _REMEDY)
