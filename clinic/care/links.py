"""How long a link in a message opens the patient's page."""
from __future__ import annotations

from datetime import datetime, timedelta

LASTS_AFTER = timedelta(hours=24)
"""How long after the last date that it is about a link still opens."""
LEAST = timedelta(days=14)
MOST = timedelta(days=400)


def link_expires_at(last_at: datetime | None, *, now: datetime) -> datetime:
    """A day after the last date, but at least two weeks and at most 400 days from now."""
    wanted = now + LEAST if last_at is None else max(last_at + LASTS_AFTER, now + LEAST)
    return min(wanted, now + MOST)
