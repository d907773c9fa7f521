"""Hours that come round, week by week, as granules of a ruler: opening hours, a patient's wishes, a rota.

A pattern of granules after midnight is laid on all ordinary days at once; the few around a clock change one by one.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from clinic.planning.bits import shifted
from clinic.planning.ruler import DAYS_AFTER, DAYS_BEFORE, MINUTES_OF_A_DAY, Ruler, bits, union

HOURS_BEFORE, HOURS_AFTER = DAYS_BEFORE + 2, DAYS_AFTER
"""Hours that begin so many days before the ruler's first day, or after its last, may still reach onto the ruler."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours that begin on some weekdays (Monday is 0): minutes after midnight; past midnight where `ends <= begins`."""

    weekdays: frozenset[int]
    begins: int
    ends: int

    def __post_init__(self) -> None:
        if not (0 <= self.begins <= MINUTES_OF_A_DAY and 0 <= self.ends <= MINUTES_OF_A_DAY):
            raise ValueError(f"hours outside a day: {self}")


ALL_DAY = (Hours(frozenset(range(7)), 0, MINUTES_OF_A_DAY),)


def opening_bits(
    on: Ruler, hours: Sequence[Hours] | None, overrides: Mapping[date, Sequence[tuple[int, int]]] | None = None
) -> int:
    """The granules at which weekly hours hold; an override replaces the hours that begin on its date.

    Without hours (`None`) it is always open, except for what overridden dates do not open.
    """
    if not overrides:
        return on.full if hours is None else _weekly_bits(on, tuple(hours))
    replaced = sorted(map(on.day, overrides))
    found, first, end = 0, -HOURS_BEFORE, on.days + HOURS_AFTER
    for day in (*replaced, end + 1):
        found |= cycle_bits(on, _by_weekday(ALL_DAY if hours is None else hours), _phase(on), first, min(day - 1, end))
        first = max(first, day + 1)
    opened = (
        _resolved(on, on.day(date_begun), begins, ends)
        for date_begun, spans in overrides.items() if -HOURS_BEFORE <= on.day(date_begun) <= on.days + HOURS_AFTER
        for begins, ends in spans
    )
    return found | union(on, opened)


@lru_cache(maxsize=256)
def window_bits(on: Ruler, windows: tuple[Hours, ...], granules: int) -> int:
    """The granules at which a stay of so many granules can start and lie in a single one of the windows."""
    end = on.days + HOURS_AFTER
    return cycle_bits(on, _by_weekday(windows), _phase(on), -HOURS_BEFORE, end, less=granules - 1)


def cycle_bits(
    on: Ruler, days: Sequence[Sequence[tuple[int, int]]], phase: int, first: int, last: int, *, less: int = 0
) -> int:
    """The granules of hours that come round: those begun on the days `first` to `last`, clipped to the ruler.

    Day `d` has the hours `days[(d + phase) % len(days)]`, as minutes after midnight (past midnight where they end at
    or before their beginning, or after 1440); each loses so many granules at its end.
    """
    found = repeated(on, [_pattern(on, hours, less) for hours in days], phase, first, last)
    for day in on.odd_days:
        if first <= day <= last:
            for begins, ends in days[(day + phase) % len(days)]:
                low, high = _resolved(on, day, begins, ends)
                found |= bits(max(low, 0), high - less)
    return found & on.full


def repeated(on: Ruler, patterns: Sequence[int], phase: int, first: int, last: int) -> int:
    """Patterns of granules after midnight, `patterns[(d + phase) % len(patterns)]` on day `d`; odd days have none.

    Two days' bits may meet; bits past the ruler's end may be left on.
    """
    width, found = on.granules_of_a_day, 0
    for stretch in on.stretches:
        low, high = max(first, stretch.first), min(last, stretch.last)
        if low <= high:
            shift = (low + phase) % len(patterns)
            turned = [*patterns[shift:], *patterns[:shift]]
            found |= shifted(in_a_row(turned, high - low + 1, width), stretch.midnight + low * width)
    return found


@lru_cache(maxsize=256)
def _weekly_bits(on: Ruler, hours: tuple[Hours, ...]) -> int:
    return cycle_bits(on, _by_weekday(hours), _phase(on), -HOURS_BEFORE, on.days + HOURS_AFTER)


def _by_weekday(hours: Sequence[Hours]) -> list[list[tuple[int, int]]]:
    return [[(each.begins, each.ends) for each in hours if weekday in each.weekdays] for weekday in range(7)]


def _phase(on: Ruler) -> int:
    return on.first_on.weekday()


def in_a_row(patterns: Sequence[int], days: int, width: int) -> int:
    """Patterns of so many bits' width day after day, from the first again when they end."""
    times, rest = divmod(days, len(patterns))
    tail = _joined(patterns[:rest], width)
    if not times:
        return tail
    whole, stride, have = _joined(patterns, width), len(patterns) * width, 1
    while have * 2 <= times:
        whole |= whole << have * stride
        have *= 2
    whole |= whole << (times - have) * stride
    return whole | tail << times * stride


def _joined(patterns: Sequence[int], width: int) -> int:
    found = 0
    for at, pattern in enumerate(patterns):
        found |= pattern << at * width
    return found


def _pattern(on: Ruler, hours: Sequence[tuple[int, int]], less: int) -> int:
    """The granules wholly inside some hours, counted from midnight, each less so many at the end."""
    found = 0
    for begins, ends in hours:
        if ends <= begins:
            ends += MINUTES_OF_A_DAY
        found |= bits(-(-begins * 60 // on.granule), ends * 60 // on.granule - less)
    return found


def _resolved(on: Ruler, day: int, begins: int, ends: int) -> tuple[int, int]:
    """The granules wholly inside hours that begin on a day: first, and after the last."""
    if ends <= begins:
        ends += MINUTES_OF_A_DAY
    return -(-on.reading(day, begins) // on.granule), on.reading(day, ends, last=True) // on.granule
