"""What a model's events say: the status of each version, and which have been champion."""

from collections.abc import Iterable

from snowml.records import Event, Status, VersionEvent

# An event that changes a version's status, and the status it gives.
_STATUS: dict[Event, Status] = {
    "registered": "candidate",
    "rejected": "rejected",
    "approved": "approved",
    "retired": "retired",
}


def statuses(events: Iterable[VersionEvent]) -> dict[int, Status]:
    """The status of each version."""
    found: dict[int, Status] = {}
    for event in events:
        if event.event in _STATUS:
            found[event.version] = _STATUS[event.event]
    return found


def champions(events: Iterable[VersionEvent]) -> list[int]:
    """The versions that have been champion and were not rolled back from, the current one last."""
    stack: list[int] = []
    for event in events:
        if event.event == "promoted":
            stack.append(event.version)
        elif event.event == "rolled_back":
            # The current one goes even where an earlier turn of the same version is meant.
            del stack[-1:]
            while stack and stack[-1] != event.version:
                stack.pop()
    return stack


def withdrawn(events: Iterable[VersionEvent]) -> set[int]:
    """The versions that were rolled back from, and not promoted again since."""
    events = list(events)
    promoted = {event.version for event in events if event.event == "promoted"}
    return promoted - set(champions(events))
