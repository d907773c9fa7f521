"""Which messages go first where not all can go at once: after an outage, or where the mail server takes few."""
from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from clinic.care.message_kinds import KEEPS_SAFE


class Priority(IntEnum):
    """The lower goes first, and within it what has been due longest."""

    SAFETY = 0
    SERVICE = 1
    NEWS = 2


_NEWS = frozenset({"edition", "review-request"})


def priority_of(kinds: Iterable[str]) -> Priority:
    """The priority of a message that says these kinds: that of its most urgent."""
    return min(map(_priority, kinds), default=Priority.SERVICE)


def _priority(kind: str) -> Priority:
    if kind in KEEPS_SAFE:
        return Priority.SAFETY
    return Priority.NEWS if kind in _NEWS else Priority.SERVICE
