"""Dates and local times as other programs write them: the order of a file's dates is found once, for all of them."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from typing import Final

_NATIONAL: Final = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})", re.ASCII)
_YEAR_FIRST: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII)
_ISO_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d", re.ASCII)
_TIME: Final = re.compile(r"(\d{1,2})[:.](\d{2})(?::00)?", re.ASCII)
_SERIAL: Final = re.compile(r"\d{5}(\.\d+)?", re.ASCII)
_FIRST, _LAST = date(1900, 1, 1), date(2100, 12, 31)

DAY_FIRST: Final = "day-first"
MONTH_FIRST: Final = "month-first"
AMBIGUOUS: Final = "ambiguous"
MIXED: Final = "mixed"


class Unreadable(ValueError):
    """A cell does not say what it should; the text says what to do."""


def order_of(texts: Iterable[str]) -> str:
    """In which order the national dates among these texts stand; 31.12. can only be one, 1/2/ may be both.

    Dates with dots begin with the day wherever they are used.
    """
    found = set()
    for text in texts:
        for match in _NATIONAL.finditer(text):
            first, second = int(match[1]), int(match[3])
            if match[2] == "." or first > 12:
                found.add(DAY_FIRST)
            elif second > 12:
                found.add(MONTH_FIRST)
    if len(found) > 1:
        return MIXED
    return found.pop() if found else AMBIGUOUS


class Dates:
    """Reads the dates of one file. `all_texts` reads all its date cells, should their order have to be found."""

    def __init__(self, all_texts: Callable[[], Iterable[str]]) -> None:
        """Nothing is read until a date is met that is not written with its year first."""
        self._all_texts = all_texts
        self._order: str | None = None

    def day(self, text: str) -> date:
        """The date that a cell says; raises Unreadable."""
        if len(text) == 10 and text[4] == text[7] == "-":
            return _date(text, text[:4], text[5:7], text[8:])
        match = _YEAR_FIRST.fullmatch(text)
        if match:
            return _date(text, *match.groups())
        match = _NATIONAL.fullmatch(text)
        if match is None:
            raise Unreadable(_no_date(text))
        month, day = (match[3], match[1]) if self._begins_with_day(text, match[2]) else (match[1], match[3])
        return _date(text, match[4], month, day)

    def moment(self, text: str) -> datetime:
        """The local date and time that a cell says, naive; raises Unreadable."""
        if _ISO_MOMENT.fullmatch(text):
            try:
                return datetime.fromisoformat(text)
            except ValueError:
                raise Unreadable(f"{text!r} is not a date and time of the calendar") from None
        day, _, clock = re.sub(r"[T\s]+", " ", text.strip(), count=1).partition(" ")
        if not clock:
            raise Unreadable(f"{text!r} has no time: write it as 2027-03-01 09:30")
        return datetime.combine(self.day(day), self.clock(clock))

    @staticmethod
    def clock(text: str) -> time:
        """The time of day that a cell says; raises Unreadable."""
        if re.search(r"[zZ]$|[+-]\d", text):
            raise Unreadable(f"{text!r} names a zone: write the time that the clinic's own clock shows")
        match = _TIME.fullmatch(text.strip())
        if match is None or int(match[1]) > 23 or int(match[2]) > 59:
            raise Unreadable(f"{text!r} is not a time: write it as 09:30")
        return time(int(match[1]), int(match[2]))

    def _begins_with_day(self, text: str, separator: str) -> bool:
        if self._order is None:
            self._order = order_of(self._all_texts())
        if self._order == MIXED:
            raise Unreadable(f"{text!r} may begin with the day or the month, as other dates of this file begin with "
                             "one and the other: write all as 2026-12-31")
        if self._order == AMBIGUOUS:
            raise Unreadable(f"{text!r} may begin with the day or the month: write it as 2026-12-31, or 31.12.2026")
        if separator == "." and self._order == MONTH_FIRST:
            raise Unreadable(f"{text!r} is not written as the other dates of this file: write all as 2026-12-31")
        return self._order == DAY_FIRST


def _date(text: str, year: str, month: str, day: str) -> date:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        raise Unreadable(f"{text!r} is not a date of the calendar") from None
    if not _FIRST <= found <= _LAST:
        raise Unreadable(f"{text!r} lies outside the years 1900 to 2100")
    return found


def _no_date(text: str) -> str:
    if _SERIAL.fullmatch(text):
        return f"{text!r} is the number that a spreadsheet keeps for a date: format the column as a date"
    if re.fullmatch(r"\d{1,2}[./-]\d{1,2}[./-]\d{2}", text):
        return f"{text!r} has no whole year: write it as 2026-12-31"
    return f"{text!r} is not a date: write it as 2026-12-31"
