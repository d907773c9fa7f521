"""Offered courses on one time line: where on it, in percent, each date, window, recovery and the event lie."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from clinic.care.finish import Finish
from clinic.care.windows import Window
from clinic.queries.offers import CourseOffer
from clinic.web.words import short_day

MOST_MONTHS = 8
LABEL_WIDTH = 9.0
"""How much of the line the words of a date take, in percent, where the line is about 40 letters wide."""


@dataclass(frozen=True, slots=True)
class Band:
    """A window, with the place of its ideal date."""

    x: float
    width: float
    ideal_x: float
    is_even: bool


@dataclass(frozen=True, slots=True)
class Dot:
    """A date, with its words where there is room for them."""

    x: float
    number: int
    words: str


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One plan: dates, windows, and the recovery after the last one."""

    dots: tuple[Dot, ...]
    bands: tuple[Band, ...]
    recovery_x: float = 0
    recovery_width: float = 0


@dataclass(frozen=True, slots=True)
class TimeLine:
    """What all plans share, and each of them in order."""

    months: tuple[tuple[float, str], ...]
    event_x: float | None
    event_words: str
    plans: tuple[PlanLine, ...]


def time_line(offers: Sequence[CourseOffer], finish: Finish | None) -> TimeLine | None:
    """The plans on one line that reaches from the first date or window to the last, or to the event."""
    if not offers:
        return None
    scale = _Scale(offers, finish)
    return TimeLine(
        months=scale.months(), event_x=scale.x(finish.event_on) if finish else None,
        event_words=f"Event {short_day(finish.event_on)}" if finish else "",
        plans=tuple(_plan(scale, offer, finish) for offer in offers))


class _Scale:
    """Dates as percent of the line, with some room at both ends."""

    def __init__(self, offers: Sequence[CourseOffer], finish: Finish | None) -> None:
        dates = [visit.local_start.date() for offer in offers for visit in offer.visits]
        for window in (window for offer in offers for window in _windows(offer)):
            dates += [window.earliest_on, window.latest_on]
        if finish is not None:
            recovery = timedelta(days=finish.recovery_days)
            dates += [finish.event_on, *(offer.visits[-1].local_start.date() + recovery for offer in offers)]
        first, last = min(dates), max(dates)
        room = max((last - first).days // 24, 2)
        self._first = first - timedelta(days=room)
        self._days = (last - first).days + 2 * room

    def x(self, on: date) -> float:
        """Where a date lies."""
        return round((on - self._first).days * 100 / self._days, 2)

    def wide(self, days: int) -> float:
        """How wide so many days are."""
        return round(days * 100 / self._days, 2)

    def months(self) -> tuple[tuple[float, str], ...]:
        """The first day of each month, or of every second and so on where there are many."""
        last = self._first + timedelta(days=self._days)
        count = (last.year - self._first.year) * 12 + last.month - self._first.month
        step = max(1, -(-count // MOST_MONTHS))
        firsts = (_month_after(self._first, ahead) for ahead in range(1, count + 1, step))
        return tuple((self.x(on), short_day(on)[2:] + (f" {on.year}" if on.month <= step else "")) for on in firsts)


def _plan(scale: _Scale, offer: CourseOffer, finish: Finish | None) -> PlanLine:
    dots: list[Dot] = []
    free_from = 0.0
    for visit in offer.visits:
        on = visit.local_start.date()
        x = scale.x(on)
        has_room = x >= free_from
        free_from = x + LABEL_WIDTH if has_room else free_from
        dots.append(Dot(x, visit.number, short_day(on) if has_room else ""))
    numbered = [(visit.number, visit.window) for visit in offer.visits if visit.gap_days is not None]
    numbered += [(each.number, each.window) for each in offer.undated]
    bands = tuple(_band(scale, number, window) for number, window in numbered if window)
    recovery = finish.recovery_days if finish and not offer.undated else 0
    last = offer.visits[-1].local_start.date()
    return PlanLine(tuple(dots), bands, scale.x(last), scale.wide(recovery))


def _band(scale: _Scale, number: int, window: Window) -> Band:
    days = (window.latest_on - window.earliest_on).days
    return Band(scale.x(window.earliest_on), max(scale.wide(days), 0.5), scale.x(window.ideal_on), number % 2 == 0)


def _windows(offer: CourseOffer) -> list[Window]:
    shown = [visit.window for visit in offer.visits if visit.gap_days is not None]
    return [window for window in (*shown, *(each.window for each in offer.undated)) if window]


def _month_after(on: date, months: int) -> date:
    at = on.year * 12 + on.month - 1 + months
    return date(at // 12, at % 12 + 1, 1)
