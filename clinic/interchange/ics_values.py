"""The values of a calendar's properties: dates, moments, lengths of time."""
from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from clinic.interchange.ics_lines import CannotRead, Property

FIRST_YEAR, LAST_YEAR = 1583, 9998

_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})", re.ASCII)
_MOMENT = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})[Tt ](\d{2}):?(\d{2}):?(\d{2})?(?:\.\d+)?([Zz]?)", re.ASCII)
_LENGTH = re.compile(
    r"([+-]?)P(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?", re.ASCII | re.I)


@dataclass(frozen=True, slots=True)
class Moment:
    """A wall-clock reading, or a whole day; `period` is what follows it in a list of periods."""

    wall: datetime
    is_day: bool = False
    is_utc: bool = False
    period: str = ""


@dataclass(frozen=True, slots=True)
class Length:
    """How long: days by the calendar, then an exact time."""

    days: int
    exact: timedelta


def moments(about: Property) -> list[Moment]:
    """What a property says: one moment, or a list of them."""
    return [_moment(part.strip(), about) for part in about.value.split(",") if part.strip()] or _nothing(about)


def length(about: Property) -> Length:
    """How long a property says."""
    return length_of(about.value, about)


def length_of(text: str, about: Property) -> Length:
    """How long this text of a property says."""
    found = _LENGTH.fullmatch(text.strip())
    if found is None or not any(found.groups()[1:]):
        raise CannotRead(f"{about.name} says {text[:40]}, which is no length of time.", about.line)
    if found[1] == "-":
        raise CannotRead(f"{about.name} says {text[:40]}: nothing lasts less than nothing.", about.line)
    weeks, days, hours, minutes, seconds = (int(found[number] or 0) for number in range(2, 7))
    return Length(7 * weeks + days, timedelta(hours=hours, minutes=minutes, seconds=seconds))


def _moment(text: str, about: Property) -> Moment:
    starts, _, period = text.partition("/")
    try:
        if found := _DATE.fullmatch(starts):
            return Moment(datetime.combine(_day(found), time()), is_day=True)
        if found := _MOMENT.fullmatch(starts):
            hour, minute, second = int(found[4]), int(found[5]), min(int(found[6] or 0), 59)
            # 24:00 is midnight at the end of the day.
            later = timedelta(days=1) if (hour, minute, second) == (24, 0, 0) else timedelta()
            wall = datetime.combine(_day(found), time(0 if later else hour, minute, second)) + later
            return Moment(wall, is_utc=bool(found[7]), period=period)
    except ValueError:
        pass
    raise CannotRead(f"{about.name} says {text[:40]}, which is no date or time.", about.line)


def _day(found: re.Match[str]) -> date:
    year = int(found[1])
    if year < FIRST_YEAR:
        raise ValueError("before the calendar")
    return date(min(year, LAST_YEAR), int(found[2]), int(found[3]))


def _nothing(about: Property) -> list[Moment]:
    raise CannotRead(f"{about.name} says nothing.", about.line)
