"""A practitioner's rota as open granules, less the breaks: fixed ones where they stand, movable ones where they fit."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from clinic.planning import Ruler
from clinic.planning.bits import runs, spread
from clinic.planning.hours import HOURS_AFTER, HOURS_BEFORE, cycle_bits, repeated


@dataclass(frozen=True, slots=True)
class WorkHours:
    """Hours of one weekday of one week of a rota: of work, or (`break_minutes`) in which a break lies."""

    week: int
    weekday: int
    opens: int
    closes: int
    break_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Weeks:
    """A rota: weeks that come round from the week of `starts_on`, with their hours of work at one clinic."""

    starts_on: date
    ends_on: date | None
    weeks: int
    hours: tuple[WorkHours, ...]

    def phase(self, on: Ruler) -> int:
        """The day of the rota's weeks that the ruler's day 0 is."""
        return (on.first_on - self.starts_on).days + self.starts_on.weekday()

def without_breaks(on: Ruler, rotas: Sequence[Weeks], taken: int) -> int:
    """The granules at which the rota in force, the one that began last, puts a practitioner at work, less breaks.

    A movable break lies where it is nearest to the middle of its span and meets nothing taken; where the span is
    too full for it, it is given up: what is booked stays booked.
    """
    return with_breaks(on, rotas) & ~breaks_of(on, rotas, taken)


def with_breaks(on: Ruler, rotas: Sequence[Weeks]) -> int:
    """The granules at which the rota in force puts a practitioner at work, were there no breaks."""
    work = 0
    for rota, first, last in _in_force(on, rotas):
        days: list[list[tuple[int, int]]] = [[] for _ in range(rota.weeks * 7)]
        for hours in rota.hours:
            if hours.break_minutes is None and hours.week < rota.weeks:
                days[hours.week * 7 + hours.weekday].append((hours.opens, hours.closes))
        work |= cycle_bits(on, days, rota.phase(on), first, last)
    return work


def breaks_of(on: Ruler, rotas: Sequence[Weeks], taken: int) -> int:
    """The granules of the breaks of the rota in force, where what is taken leaves a place for them."""
    breaks = 0
    for rota, first, last in _in_force(on, rotas):
        spans: dict[tuple[int, int, int], list[int]] = {}
        for hours in rota.hours:
            if hours.break_minutes is not None and hours.week < rota.weeks:
                found = spans.setdefault((hours.opens, hours.closes, hours.break_minutes), [])
                found.append(hours.week * 7 + hours.weekday)
        for (opens, closes, minutes), begun in spans.items():
            span = _Span(opens, closes, -(-minutes * 60 // on.granule))
            breaks |= _breaks(on, span, frozenset(begun), rota, first, last, taken)
    return breaks


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a break of so many granules lies, in minutes after midnight."""

    opens: int
    closes: int
    length: int


def _in_force(on: Ruler, rotas: Sequence[Weeks]) -> Iterator[tuple[Weeks, int, int]]:
    """Each rota with the days, first and last, on which it is the one in force."""
    for at, rota in enumerate(rotas):
        first, last = max(on.day(rota.starts_on), -HOURS_BEFORE), on.days + HOURS_AFTER
        if rota.ends_on is not None:
            last = min(last, on.day(rota.ends_on))
        if at + 1 < len(rotas):
            last = min(last, on.day(rotas[at + 1].starts_on - timedelta(days=1)))
        if first <= last:
            yield rota, first, last


def _breaks(
    on: Ruler, span: _Span, begun: frozenset[int], rota: Weeks, first: int, last: int, taken: int
) -> int:
    """The breaks of one span, on all days at once: each place in turn settles the days where it is free."""
    days, phase = rota.weeks * 7, rota.phase(on)
    low, high = span.opens * 60 // on.granule, -(-span.closes * 60 // on.granule)
    found = 0
    waiting = repeated(on, [1 << low if day in begun else 0 for day in range(days)], phase, first, last) & on.full
    fits = runs(on.full & ~taken, span.length) if waiting else 0
    for place in _from_the_middle(high - low - span.length):
        settled = waiting & fits >> place
        if settled:
            found |= spread(settled, span.length) << place
            waiting ^= settled
        if not waiting:
            break
    for day in on.odd_days:
        if first <= day <= last and (day + phase) % days in begun:
            found |= _break(on, day, span, taken)
    return found


def _break(on: Ruler, day: int, span: _Span, taken: int) -> int:
    """The granules of the break of one day on which the clock may change."""
    low = max(on.reading(day, span.opens) // on.granule, 0)
    high = min(-(-on.reading(day, span.closes, last=True) // on.granule), on.length)
    wanted = (1 << span.length) - 1
    for place in _from_the_middle(high - low - span.length):
        if not taken >> low & wanted << place:
            return wanted << (low + place)
    return 0


@lru_cache(maxsize=256)
def _from_the_middle(room: int) -> tuple[int, ...]:
    """The places for something that has so much room to move, nearest to the middle first."""
    return tuple(sorted(range(room + 1), key=lambda start: (abs(2 * start - room), start)))
