"""Which messages to one patient go out in one e-mail, and how many go out on one day."""
from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from clinic.care.message_kinds import SCHEDULE, MessageKind
from clinic.care.owed_items import OwedItem

SOON = timedelta(hours=1)
"""Messages to one person that are due this close to each other go together."""
MOST = 5
"""So many others at most go along: what more there is follows by itself."""

_ALONE = frozenset({MessageKind.REVIEW_REQUEST})
"""What is no part of the care goes by itself: it must not ride on what a patient needs."""
_NEVER_BEFORE = frozenset({*SCHEDULE, MessageKind.DATES_HELD, MessageKind.DATES_RELEASED, MessageKind.PRECARE})
"""What has to leave time for a change to be taken back is never taken along early."""


def may_share(kinds: Collection[MessageKind]) -> bool:
    """Whether a message that says these kinds may be one with others."""
    return _ALONE.isdisjoint(kinds)


def may_go_now(item: OwedItem, now: datetime) -> bool:
    """Whether it may go along with a message that leaves now."""
    within = timedelta(0) if item.kind in _NEVER_BEFORE else SOON
    return item.withheld is None and item.due_at <= now + within


def day_that_is_full(sent_on: Sequence[date], most: int) -> date | None:
    """The last date on which a patient got as many messages as go out on one day, given the dates of those they were
    sent, the newest first; none where that was no more than a day like any other."""
    latest = sent_on[:most]
    return latest[0] if len(latest) == most and latest[0] == latest[-1] else None
