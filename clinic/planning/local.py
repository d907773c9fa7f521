"""Wall-clock time and instants: the only place that turns one into the other.

A wall-clock reading that a clock change skips means the first instant after the gap;
one that happens twice means its first pass, or its second where `last` is asked for
(the end of a span).
"""
from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name; ValueError where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone: {name!r}") from error


def instant(day: date, minute: int, where: ZoneInfo, *, last: bool = False) -> datetime:
    """The instant (aware UTC) at which the clock of `where` reads `minute` minutes after midnight of `day`.

    `minute` may run past 1440 into the dates that follow.
    """
    days, rest = divmod(minute, 1440)
    wall = datetime.combine(day + days * DAY, time(rest // 60, rest % 60))
    return resolve(wall, where, last=last)


def resolve(wall: datetime, where: ZoneInfo, *, last: bool = False) -> datetime:
    """The instant (aware UTC) of a naive wall-clock reading; see the module for the two odd hours."""
    first = wall.replace(tzinfo=where, fold=0).astimezone(UTC)
    second = wall.replace(tzinfo=where, fold=1).astimezone(UTC)
    if first == second:
        return first
    if first < second:
        return second if last else first
    return _end_of_gap(wall, where)


def readings(wall: datetime, where: ZoneInfo) -> int:
    """How often the clock of `where` reads so: not at all in what a clock change skips, twice in what it repeats."""
    first = wall.replace(tzinfo=where, fold=0).astimezone(UTC)
    second = wall.replace(tzinfo=where, fold=1).astimezone(UTC)
    return 1 if first == second else 2 if first < second else 0


def local_of(at: datetime, where: ZoneInfo) -> datetime:
    """The wall-clock reading (aware, fold set) of an instant."""
    return at.astimezone(where)


def day_of(at: datetime, where: ZoneInfo) -> date:
    """The local date of an instant."""
    return at.astimezone(where).date()


def _end_of_gap(wall: datetime, where: ZoneInfo) -> datetime:
    """The first instant after the gap that skips `wall`: found by halving, to the second."""
    low = wall.replace(tzinfo=where, fold=1).astimezone(UTC)
    high = wall.replace(tzinfo=where, fold=0).astimezone(UTC)
    before = low.astimezone(where).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(where).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
