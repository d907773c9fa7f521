"""Finishing before an event: when the last session may be at the latest, and each session before it."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from clinic.care.protocols import Interval

LONGEST_RECOVERY = 180
"""The most days of recovery that may be typed: more than any protocol of the library shows. Our default, only to
refuse slips of the keyboard."""


@dataclass(frozen=True, slots=True)
class Finish:
    """An event by which nothing is to show any more: so many whole days lie between the last session and it."""

    event_on: date
    recovery_days: int

    def __post_init__(self) -> None:
        if self.recovery_days < 0:
            raise ValueError(f"a recovery takes no less than 0 days: {self.recovery_days}")

    @property
    def last_on(self) -> date:
        """The last date of a session: the recovery is over on the day before the event."""
        return self.event_on - timedelta(days=self.recovery_days + 1)

    def days_late(self, treated_on: date) -> int:
        """By how many days a last session on that date comes too late; less than 0 where days are left."""
        return (treated_on - self.last_on).days

    def latest_dates(self, intervals: Sequence[Interval | None]) -> tuple[date, ...]:
        """The latest date of each session of a course, where all after it follow as soon as they may."""
        found, on = [self.last_on], self.last_on
        for interval in reversed(intervals[1:]):
            on -= timedelta(days=interval.shortest if interval else 0)
            found.append(on)
        return tuple(reversed(found))
