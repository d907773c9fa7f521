"""A day as people type it where anything can be found: "12 June", "friday", "tomorrow", "in 3 weeks"."""
from __future__ import annotations

import re
from datetime import date, timedelta

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_BY_NAME = {"today": 0, "tomorrow": 1, "yesterday": -1}
_FARTHEST_WEEKS = 260

_IN = re.compile(r"(?:in |\+ ?)(\d{1,4}) ?(days?|d|weeks?|w)|(\d{1,4}) ?(weeks?) (?:on|ahead)", re.ASCII)
_NUMBERS = re.compile(r"(\d{1,2})[./](\d{1,2})(?:[./](\d{4})?)?", re.ASCII)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_NAMED = re.compile(r"(?:(\d{1,2})(?:st|nd|rd|th)? ([a-z]{3,9})|([a-z]{3,9}) (\d{1,2})(?:st|nd|rd|th)?)(?:,? (\d{4}))?",
                    re.ASCII)


def day_meant(text: str, *, today: date) -> date | None:
    """The day that the words mean, or none. A weekday is the coming one, and today's own name means a week from today;
    a day without a year is the next one from today on."""
    words = " ".join(text.lower().split())
    if words in _BY_NAME:
        return today + timedelta(days=_BY_NAME[words])
    return _weekday(words, today) or _ahead(words, today) or _by_the_calendar(words, today)


def _weekday(words: str, today: date) -> date | None:
    name = words.removeprefix("next ").removeprefix("on ")
    number = _place(name, WEEKDAYS)
    if number is None:
        return None
    days = (number - today.weekday() - 1) % 7 + 1
    in_next_week = today + timedelta(days=7 - today.weekday() + number)
    return in_next_week if words.startswith("next ") else today + timedelta(days=days)


def _ahead(words: str, today: date) -> date | None:
    found = _IN.fullmatch(words)
    if found is None:
        return None
    number, unit = (found[1], found[2]) if found[1] else (found[3], found[4])
    days = int(number) * (7 if unit.startswith("w") else 1)
    return today + timedelta(days=days) if days <= 7 * _FARTHEST_WEEKS else None


def _by_the_calendar(words: str, today: date) -> date | None:
    if found := _ISO.fullmatch(words):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := _NUMBERS.fullmatch(words):
        return _dated(found[3], int(found[2]), int(found[1]), today)
    if found := _NAMED.fullmatch(words):
        month = _place(found[2] or found[3], MONTHS)
        return None if month is None else _dated(found[5], month + 1, int(found[1] or found[4]), today)
    return None


def _dated(year: str | None, month: int, day: int, today: date) -> date | None:
    if year:
        return _date(int(year), month, day)
    # The 29th of February may be eight years away: 2096 to 2104.
    years = range(today.year, today.year + 9)
    return next((on for each in years if (on := _date(each, month, day)) and on >= today), None)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _place(name: str, names: tuple[str, ...]) -> int | None:
    """Which of the names it is, whole or by its first three letters or more."""
    return next((at for at, each in enumerate(names) if len(name) >= 3 and each.startswith(name)), None)
