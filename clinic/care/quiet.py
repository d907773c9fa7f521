"""Quiet hours: when a clinic's messages wait for the morning."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from clinic.planning.local import DAY, day_of, instant


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one wall-clock minute of the clinic's day to another, past midnight where the end comes first.

    Equal minutes mean no quiet hours. Of an hour that a clock change repeats, all is quiet that is quiet in
    either pass: the span begins with the first reading of its start and ends with the last of its end.
    """

    begins: int
    ends: int
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if not (0 <= self.begins < 1440 and 0 <= self.ends < 1440):
            raise ValueError(f"quiet hours are minutes of a day: {self.begins} to {self.ends}")


def next_allowed(at: datetime, quiet: QuietHours) -> datetime:
    """The first instant from `at` on that is not in quiet hours."""
    while (until := _quiet_until(at, quiet)) is not None:
        at = until
    return at


def hastened(due_at: datetime, hastened_at: datetime | None, quiet: QuietHours, *, now: datetime) -> datetime:
    """When something goes that a person let go from `hastened_at` on: before its time, and never in quiet hours."""
    if hastened_at is None:
        return due_at
    return min(due_at, next_allowed(max(hastened_at, now), quiet))


def is_quiet(at: datetime, quiet: QuietHours) -> bool:
    """Whether messages wait at that instant."""
    return _quiet_until(at, quiet) is not None


def _quiet_until(at: datetime, quiet: QuietHours) -> datetime | None:
    if quiet.begins == quiet.ends:
        return None
    today = day_of(at, quiet.zone)
    for day in (today - DAY, today, today + DAY):
        begins_at, ends_at = _span(day, quiet)
        if begins_at <= at < ends_at:
            return ends_at
    return None


# Every item that is owed asks this, of the same few days again and again.
@lru_cache(maxsize=4096)
def _span(day: date, quiet: QuietHours) -> tuple[datetime, datetime]:
    length = (quiet.ends - quiet.begins) % 1440
    return instant(day, quiet.begins, quiet.zone), instant(day, quiet.begins + length, quiet.zone, last=True)
