"""A practitioner's rota as open granules, less the breaks: fixed ones where they stand, movable ones where they fit."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from clinic.planning import Ruler
from clinic.planning.bits import runs, shifted, spread
from clinic.planning.hours import HOURS_AFTER, HOURS_BEFORE, cycle_bits, in_a_row


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


def without_breaks(on: Ruler, rotas: Sequence[Weeks], taken: int, days: Sequence[Weeks] = ()) -> int:
    """The granules at which the rota in force, the one that began last, puts a practitioner at work, less breaks.

    `days` are single dates whose hours take the place of the rota's. A movable break lies where it is nearest to the
    middle of its span and meets nothing taken; where the span is too full for it, it is given up: what is booked stays
    booked.
    """
    return with_breaks(on, rotas, days) & ~breaks_of(on, rotas, taken, days)


def with_breaks(on: Ruler, rotas: Sequence[Weeks], days: Sequence[Weeks] = ()) -> int:
    """The granules at which the rota in force puts a practitioner at work, were there no breaks."""
    work = 0
    for rota, first, last in _in_force(on, rotas, days):
        cycle: list[list[tuple[int, int]]] = [[] for _ in range(rota.weeks * 7)]
        for hours in rota.hours:
            if hours.break_minutes is None and hours.week < rota.weeks:
                cycle[hours.week * 7 + hours.weekday].append((hours.opens, hours.closes))
        work |= cycle_bits(on, cycle, rota.phase(on), first, last)
    return work


def breaks_of(on: Ruler, rotas: Sequence[Weeks], taken: int, days: Sequence[Weeks] = ()) -> int:
    """The granules of the breaks of the rota in force, where what is taken leaves a place for them."""
    breaks = 0
    for rota, first, last in _in_force(on, rotas, days):
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


def one_day(on_date: date, spans: Iterable[tuple[int, int, int | None]]) -> Weeks:
    """The hours of a single date as a rota of that date alone: each from, to, and the minutes of a break."""
    weekday = on_date.weekday()
    return Weeks(on_date, on_date, 1, tuple(WorkHours(0, weekday, *span) for span in spans))


def _in_force(on: Ruler, rotas: Sequence[Weeks], days: Sequence[Weeks]) -> Iterator[tuple[Weeks, int, int]]:
    """Each rota with the days, first and last, on which it is the one in force, and then each single date."""
    alone = sorted({on.day(each.starts_on): each for each in days}.items())
    for rota, first, last in _begun(on, rotas):
        for day, _ in alone:
            if first <= day <= last:
                if first < day:
                    yield rota, first, day - 1
                first = day + 1
        if first <= last:
            yield rota, first, last
    for day, each in alone:
        if -HOURS_BEFORE <= day <= on.days + HOURS_AFTER:
            yield each, day, day


def _begun(on: Ruler, rotas: Sequence[Weeks]) -> Iterator[tuple[Weeks, int, int]]:
    """Each rota with the days, first and last, on which it is the one that began last."""
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
    """The breaks of one span on all its days: ordinary days at once, the others, and spans past midnight, singly."""
    days, phase = rota.weeks * 7, rota.phase(on)
    hours = _Window(on, span.opens * 60 // on.granule, -(-span.closes * 60 // on.granule))
    found, odd_days = 0, on.odd_days if hours.within_a_day else tuple(range(first, last + 1))
    if hours.within_a_day:
        for stretch in on.stretches:
            low, high = max(first, stretch.first), min(last, stretch.last)
            if low <= high:
                turned = [1 if (low + phase + day) % days in begun else 0 for day in range(days)]
                found |= hours.settled(span.length, turned, stretch.midnight + low * hours.width, high - low + 1, taken)
    for day in odd_days:
        if first <= day <= last and (day + phase) % days in begun:
            found |= _break(on, day, span, taken)
    return found


class _Window:
    """The same hours of many days in a row, brought together: so little is looked at for each place of a break."""

    def __init__(self, on: Ruler, low: int, high: int) -> None:
        """From one granule after midnight to another."""
        self.width = on.granules_of_a_day
        self.within_a_day = high <= self.width and self.width % 8 == 0
        self._first, self._room = low // 8, high - low
        self._bytes, self._offset = -(-high // 8) - low // 8, low % 8

    def settled(self, length: int, begun: Sequence[int], at: int, days: int, taken: int) -> int:
        """The breaks of so many days from the granule `at` on: each place in turn settles the days where it is free.

        `begun` says, day by day and from the first again, which have a break.
        """
        waiting = in_a_row([each << self._offset for each in begun], days, self._bytes * 8)
        free = ((1 << self._bytes * 8 * days) - 1) ^ self._gathered(shifted(taken, -at), days)
        fits = runs(free, length)
        found = 0
        for place in _from_the_middle(self._room - length):
            here = waiting & fits >> place
            if here:
                found |= spread(here, length) << place
                waiting ^= here
            if not waiting:
                break
        return shifted(self._scattered(found, days), at)

    def _gathered(self, bits: int, days: int) -> int:
        stride = self.width // 8
        whole = (bits & (1 << self.width * days) - 1).to_bytes(stride * days, "little")
        found = bytearray(self._bytes * days)
        for at in range(self._bytes):
            found[at::self._bytes] = whole[self._first + at::stride]
        return int.from_bytes(found, "little")

    def _scattered(self, bits: int, days: int) -> int:
        stride = self.width // 8
        whole = bits.to_bytes(self._bytes * days, "little")
        found = bytearray(stride * days)
        for at in range(self._bytes):
            found[self._first + at::stride] = whole[at::self._bytes]
        return int.from_bytes(found, "little")


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
