"""Repetitions of a calendar (RFC 5545, 3.3.10), worked out inside a window only.

A rule without end costs no more than the window: its periods begin where the window does. Only one with a count has
to be followed from its beginning. Each day that is looked at takes a step from a budget that the whole file shares.
"""
from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice

from clinic.interchange.ics_lines import CannotRead

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MOST_STEPS = 150_000

_WEEKDAYS = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
_TOO_OFTEN = ("SECONDLY", "MINUTELY")
_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY")
_BYDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_RANGES = {
    "BYMONTH": (1, 12), "BYWEEKNO": (-53, 53), "BYYEARDAY": (-366, 366), "BYMONTHDAY": (-31, 31), "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59), "BYSECOND": (0, 60), "BYSETPOS": (-366, 366),
}
_SIGNED = ("BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYSETPOS")


class Unusable(CannotRead):
    """Why a repetition cannot be followed, in words."""


class Budget:
    """How many steps the repetitions of a file may still take."""

    def __init__(self, steps: int = MOST_STEPS) -> None:
        self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Takes steps; raises Unusable when none are left."""
        self._left -= steps
        if self._left < 0:
            raise Unusable("The repetitions of this calendar are too many to work out. Export fewer of them.")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of repetition. `until` is the raw text, which only the reader of the event can compare."""

    frequency: str
    interval: int = 1
    count: int | None = None
    until: str | None = None
    week_starts: int = 0
    months: frozenset[int] = frozenset()
    weeks: frozenset[int] = frozenset()
    year_days: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    counted_weekdays: frozenset[tuple[int, int]] = frozenset()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    seconds: tuple[int, ...] = ()
    places: tuple[int, ...] = ()


def parse_rule(text: str) -> Rule:
    """The rule that the text says; raises Unusable."""
    said = _parts(text)
    frequency = said.pop("FREQ", "").upper()
    if frequency in _TOO_OFTEN:
        raise Unusable("It repeats every minute or second, which no diary can hold.")
    if frequency not in _FREQUENCIES:
        raise Unusable(f"Its repetition FREQ={frequency[:20]} is not known.")
    if said.pop("RSCALE", "GREGORIAN").upper() != "GREGORIAN" or said.pop("SKIP", "OMIT").upper() != "OMIT":
        raise Unusable("It repeats by another calendar than the Gregorian one.")
    if "COUNT" in said and "UNTIL" in said and not said["COUNT"].strip():
        del said["COUNT"]
    plain, counted = _weekdays(said.pop("BYDAY", ""), frequency)
    rule = Rule(
        frequency, _whole("INTERVAL", said.pop("INTERVAL", "1"), 1, 999_999_999),
        _whole("COUNT", said.pop("COUNT"), 1, 999_999_999) if "COUNT" in said else None, said.pop("UNTIL", None),
        _weekday(said.pop("WKST", "MO")), frozenset(_numbers(said, "BYMONTH")), frozenset(_numbers(said, "BYWEEKNO")),
        frozenset(_numbers(said, "BYYEARDAY")), frozenset(_numbers(said, "BYMONTHDAY")), plain, counted,
        _numbers(said, "BYHOUR"), _numbers(said, "BYMINUTE"),
        tuple(min(each, 59) for each in _numbers(said, "BYSECOND")), _numbers(said, "BYSETPOS"))
    unknown = [name for name in said if not name.startswith("X-")]
    if unknown:
        raise Unusable(f"Its repetition has a part {unknown[0][:20]} that is not known.")
    return rule


def starts_of(rule: Rule, first: datetime, begins: date, ends: date, budget: Budget) -> Iterator[datetime]:
    """The wall-clock starts of a repetition whose first is `first`, that fall on the dates from `begins` to `ends`.

    The first one always belongs to it, also where its own rule leaves it out.
    """
    if rule.count is None:
        found = _from_first(rule, first, max(begins, first.date()), ends, budget)
        head = (first,) if begins <= first.date() <= ends else ()
    else:
        every = (each for each in _from_first(rule, first, first.date(), ends, budget) if each != first)
        found = (each for each in islice(every, rule.count - 1) if each.date() >= begins)
        head = (first,) if begins <= first.date() <= ends else ()
    yield from head
    yield from (each for each in found if each != first)


def _from_first(rule: Rule, first: datetime, begins: date, ends: date, budget: Budget) -> Iterator[datetime]:
    """What the rule says on these dates, not before its first."""
    for days, times in _periods(rule, first, begins, ends):
        fitting = [day for day in days if _fits(rule, first, day)]
        budget.spend(1 + len(days) + len(fitting) * len(times))
        chosen = [datetime.combine(day, at) for day in fitting for at in times]
        for each in _placed(rule, chosen):
            if each >= first and begins <= each.date() <= ends:
                yield each


def _periods(rule: Rule, first: datetime, begins: date, ends: date) -> Iterator[tuple[list[date], list[time]]]:
    """The days and the times of day of each period that meets these dates."""
    times = _times(rule, first)
    if rule.frequency == "HOURLY":
        yield from _hours(rule, first, begins, ends)
    elif rule.frequency == "DAILY":
        number = _skipped((begins - first.date()).days, rule.interval)
        while number <= (ends - first.date()).days:
            yield [first.date() + number * DAY], times
            number += rule.interval
    elif rule.frequency == "WEEKLY":
        monday = _week_of(first.date(), rule.week_starts)
        step = 7 * rule.interval
        number = _skipped((begins - monday).days - 6, step)
        while number <= (ends - monday).days:
            yield _days(monday + number * DAY, 7), times
            number += step
    elif rule.frequency == "MONTHLY":
        base = first.year * 12 + first.month - 1
        month = base + _skipped(begins.year * 12 + begins.month - 1 - base, rule.interval)
        while month <= ends.year * 12 + ends.month - 1:
            yield _month(month // 12, month % 12 + 1), times
            month += rule.interval
    else:
        year = first.year + _skipped(begins.year - first.year, rule.interval)
        while year <= ends.year:
            yield _year(rule, first, year), times
            year += rule.interval


def _hours(rule: Rule, first: datetime, begins: date, ends: date) -> Iterator[tuple[list[date], list[time]]]:
    base = first.replace(minute=0, second=0)
    last = (datetime.combine(ends, time(23)) - base) // HOUR
    number = _skipped((datetime.combine(begins, time()) - base) // HOUR, rule.interval)
    while number <= last:
        hour = base + number * HOUR
        fits = not rule.hours or hour.hour in rule.hours
        yield [hour.date()] if fits else [], [
            time(hour.hour, minute, second) for minute in sorted(set(rule.minutes)) or [first.minute]
            for second in sorted(set(rule.seconds)) or [first.second]]
        number += rule.interval


def _skipped(distance: int, step: int) -> int:
    """The first multiple of the step that is at least the distance; none where it lies behind."""
    return max(0, -(-distance // step)) * step


def _times(rule: Rule, first: datetime) -> list[time]:
    return [
        time(hour, minute, second)
        for hour in sorted(set(rule.hours)) or [first.hour] for minute in sorted(set(rule.minutes)) or [first.minute]
        for second in sorted(set(rule.seconds)) or [first.second]]


def _year(rule: Rule, first: datetime, year: int) -> list[date]:
    months = rule.months
    if not (months or rule.weeks or rule.year_days or rule.month_days or rule.weekdays or rule.counted_weekdays):
        months = frozenset({first.month})
    elif not months:
        months = frozenset(range(1, 13))
    return [day for month in sorted(months) for day in _month(year, month)]


def _month(year: int, month: int) -> list[date]:
    if not 1 <= year <= 9998:
        return []
    return _days(date(year, month, 1), calendar.monthrange(year, month)[1])


def _days(begins: date, count: int) -> list[date]:
    number = begins.toordinal()
    return [date.fromordinal(each) for each in range(number, number + count)]


def _week_of(day: date, week_starts: int) -> date:
    return day - (day.weekday() - week_starts) % 7 * DAY


def _fits(rule: Rule, first: datetime, day: date) -> bool:
    if rule.months and day.month not in rule.months:
        return False
    by_week = rule.weekdays or rule.counted_weekdays
    if rule.weeks and not _in_weeks(rule, day):
        return False
    if rule.year_days and not _in_year_days(rule, day):
        return False
    if rule.month_days and not _in_month_days(rule.month_days, day):
        return False
    if by_week:
        return day.weekday() in rule.weekdays or _is_counted(rule, day)
    return bool(rule.year_days or rule.month_days) or _is_like_first(rule, first, day)


def _is_like_first(rule: Rule, first: datetime, day: date) -> bool:
    """Where the rule names no day, the first one does."""
    if rule.frequency == "WEEKLY" or rule.weeks:
        return day.weekday() == first.weekday()
    if rule.frequency in ("MONTHLY", "YEARLY"):
        return day.day == first.day
    return True


def _in_month_days(wanted: frozenset[int], day: date) -> bool:
    return day.day in wanted or day.day - calendar.monthrange(day.year, day.month)[1] - 1 in wanted


def _in_year_days(rule: Rule, day: date) -> bool:
    number = day.timetuple().tm_yday
    return number in rule.year_days or number - (366 if calendar.isleap(day.year) else 365) - 1 in rule.year_days


def _in_weeks(rule: Rule, day: date) -> bool:
    """Weeks begin on `week_starts`; the first of a year has at least four of its days."""
    middle = _week_of(day, rule.week_starts) + 3 * DAY
    number = (middle.timetuple().tm_yday + 6) // 7
    # The week that holds the fourth day before the year's last week is over is the last one.
    last_middle = _week_of(date(middle.year, 12, 28), rule.week_starts) + 3 * DAY
    last = (last_middle.timetuple().tm_yday + 6) // 7
    return number in rule.weeks or number - last - 1 in rule.weeks


def _is_counted(rule: Rule, day: date) -> bool:
    """Whether it is such as the second Tuesday, or the last Friday, of its month or year."""
    if not rule.counted_weekdays:
        return False
    if rule.frequency == "MONTHLY" or rule.months:
        number, size = day.day, calendar.monthrange(day.year, day.month)[1]
    else:
        number, size = day.timetuple().tm_yday, 366 if calendar.isleap(day.year) else 365
    forth, back = (number - 1) // 7 + 1, -((size - number) // 7 + 1)
    return (forth, day.weekday()) in rule.counted_weekdays or (back, day.weekday()) in rule.counted_weekdays


def _placed(rule: Rule, chosen: list[datetime]) -> list[datetime]:
    if not rule.places:
        return chosen
    places = {place - 1 if place > 0 else len(chosen) + place for place in rule.places}
    return [each for number, each in enumerate(chosen) if number in places]


def _parts(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.strip().rstrip(";").split(";"):
        name, sign, value = part.partition("=")
        name = name.strip().upper()
        if not sign or not name:
            raise Unusable("Its repetition cannot be read.")
        if name in found:
            raise Unusable(f"Its repetition says {name[:20]} twice.")
        found[name] = value.strip()
    return found


def _weekdays(text: str, frequency: str) -> tuple[frozenset[int], frozenset[tuple[int, int]]]:
    plain, counted = set(), set()
    for part in text.upper().replace(" ", "").split(",") if text else ():
        found = _BYDAY.fullmatch(part)
        if found is None:
            raise Unusable(f"Its repetition names a weekday {part[:20]} that is not known.")
        number = int(found[1] or 0)
        if number and frequency in ("MONTHLY", "YEARLY"):
            counted.add((number, _WEEKDAYS[found[2]]))
        else:
            plain.add(_WEEKDAYS[found[2]])
    return frozenset(plain), frozenset(counted)


def _weekday(text: str) -> int:
    if text.upper() not in _WEEKDAYS:
        raise Unusable(f"Its week begins on {text[:20]}, which is no weekday.")
    return _WEEKDAYS[text.upper()]


def _numbers(said: dict[str, str], name: str) -> tuple[int, ...]:
    text = said.pop(name, "")
    if not text:
        return ()
    low, high = _RANGES[name]
    found = tuple(_whole(name, part, low, high) for part in text.split(","))
    if name in _SIGNED and 0 in found:
        raise Unusable(f"Its repetition says {name}=0, which means nothing.")
    return found


def _whole(name: str, text: str, low: int, high: int) -> int:
    if _WHOLE.fullmatch(text.strip()) is None or not low <= int(text) <= high:
        raise Unusable(f"Its repetition says {name}={text[:20]}, which means nothing.")
    return int(text)
