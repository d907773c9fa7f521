"""When a session may be: its window after the session before, and how a date lies in it."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from clinic.care.protocols import Interval

NEAR_IDEAL_DAYS = 3
"""A date within these days of the ideal one counts as ideal on screen. Our default: no source asks for more."""


class Fit(StrEnum):
    """How a date lies in its window."""

    TOO_EARLY = "too-early"
    EARLY = "early"
    IDEAL = "ideal"
    LATE = "late"
    TOO_LATE = "too-late"


@dataclass(frozen=True, slots=True)
class Window:
    """The first, the ideal and the last date of a session."""

    earliest_on: date
    ideal_on: date
    latest_on: date

    def fit(self, day: date) -> Fit:
        """How that date lies in the window."""
        if day < self.earliest_on:
            return Fit.TOO_EARLY
        if day > self.latest_on:
            return Fit.TOO_LATE
        if abs((day - self.ideal_on).days) <= NEAR_IDEAL_DAYS:
            return Fit.IDEAL
        return Fit.EARLY if day < self.ideal_on else Fit.LATE


def window_after(previous_on: date, interval: Interval) -> Window:
    """The window of the session that follows one held on `previous_on`."""
    return Window(
        previous_on + timedelta(days=interval.shortest),
        previous_on + timedelta(days=interval.ideal),
        previous_on + timedelta(days=interval.longest),
    )


def windows(
    intervals: Sequence[Interval | None], dates: Sequence[date | None], floors: Sequence[date | None] | None = None
) -> tuple[Window | None, ...]:
    """The window of each session of a course, given the date of those that have one.

    A session after an undated one counts from that one's window: the earliest from its earliest and so on.
    The first session, and whatever follows only sessions that nothing is known of, has no window. `floors` are dates
    before which a session may not be, whatever it counts from.
    """
    found: list[Window | None] = []
    before: Window | None = None
    for interval, day, floor in zip(intervals, dates, floors or [None] * len(dates), strict=True):
        window = _shifted(before, interval) if before and interval else None
        if window and floor:
            window = _not_before(window, floor)
        found.append(window)
        before = Window(day, day, day) if day else window
    return tuple(found)


def joined(intervals: Sequence[Interval]) -> Interval:
    """The interval that spans several in a row, where the sessions between have no date."""
    return Interval(
        sum(each.shortest for each in intervals),
        sum(each.ideal for each in intervals),
        sum(each.longest for each in intervals),
    )


def _shifted(before: Window, interval: Interval) -> Window:
    return Window(
        before.earliest_on + timedelta(days=interval.shortest),
        before.ideal_on + timedelta(days=interval.ideal),
        before.latest_on + timedelta(days=interval.longest),
    )


def _not_before(window: Window, floor: date) -> Window:
    return Window(max(window.earliest_on, floor), max(window.ideal_on, floor), max(window.latest_on, floor))
