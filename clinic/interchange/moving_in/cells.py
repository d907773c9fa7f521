"""One row's cells by the names of our columns, read as what they should be; what is wrong with one is said at once."""
from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from hashlib import blake2b
from typing import TypeVar

from clinic.interchange.moving_in.dates import Dates, Unreadable
from clinic.interchange.moving_in.faults import Listed

T = TypeVar("T")

_YES = frozenset({"yes", "y", "true", "1", "x", "ja", "oui", "si", "sí", "sim", "wahr"})
_NO = frozenset({"no", "n", "false", "0", "nein", "non", "não", "falsch"})
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([A-Za-z, -]+?)\s+(\d{1,2}[:.]\d{2})\s*-\s*(\d{1,2}[:.]\d{2})")

Hours = tuple[tuple[int, ...], int, int]
"""Weekdays (Monday 0), and from when to when in minutes after midnight."""


class Cells:
    """The cells of one row; `is_good` until one of them was found wrong."""

    __slots__ = ("_dates", "_faults", "_file", "_headings", "_places", "_texts", "is_good", "line")

    def __init__(
        self, file: str, headings: Sequence[str], places: Mapping[str, int], dates: Dates, faults: Listed
    ) -> None:
        """`places` says in which cell each of our columns stands; one that is not there is empty."""
        self._file, self._headings, self._places, self._dates, self._faults = file, headings, places, dates, faults
        self._texts: Sequence[str] = ()
        self.line, self.is_good = 0, True

    def turn_to(self, line: int, texts: Sequence[str]) -> None:
        """The next row."""
        self.line, self._texts, self.is_good = line, texts, True

    def wrong(self, column: str, text: str) -> None:
        """Says what is wrong with that cell."""
        self.is_good = False
        self._faults.add(self._file, self.line, self.heading(column), text)

    def heading(self, column: str) -> str:
        """What the file calls our column."""
        place = self._places.get(column)
        return column if place is None else self._headings[place]

    @property
    def digest(self) -> str:
        """A short proof of what our columns say."""
        text = "\x1f".join([f"{name}\x1e{self._texts[place]}" for name, place in self._places.items()
                            if self._texts[place]])
        return blake2b(text.encode(), digest_size=16).hexdigest()

    def text(self, column: str) -> str:
        """What the cell says; empty where it is, or where there is no such column."""
        place = self._places.get(column)
        return "" if place is None else self._texts[place]

    def needed(self, column: str) -> str:
        """What the cell says; a fault where it is empty."""
        found = self.text(column)
        if not found:
            self.wrong(column, "is empty, and must not be")
        return found

    def one_of(self, column: str, codes: Collection[str], default: str) -> str:
        """One of these codes."""
        found = self.text(column).casefold() or default
        if found and found not in codes:
            self.wrong(column, f"{found!r} is not one of {', '.join(codes)}")
        return found

    def yes(self, column: str, *, default: bool) -> bool:
        """Yes or no."""
        found = self.text(column).casefold()
        if not found:
            return default
        if found not in _YES and found not in _NO:
            self.wrong(column, f"{self.text(column)!r} is neither yes nor no")
        return found in _YES

    def number(self, column: str, least: int, most: int) -> int | None:
        """A whole number in these bounds; none where the cell is empty."""
        found = self.text(column)
        if not found:
            return None
        if not (found.isascii() and found.isdigit() and len(found) < 9) or not least <= int(found) <= most:
            self.wrong(column, f"{found!r} is not a whole number from {least} to {most}")
            return None
        return int(found)

    def day(self, column: str) -> date | None:
        """A date; none where the cell is empty."""
        return self._read(column, self._dates.day)

    def days(self, column: str) -> tuple[date, ...]:
        """Dates with spaces, commas or semicolons between."""
        found = re.split(r"[;,\s]+", self.text(column).strip("; ,"))
        try:
            return tuple(self._dates.day(each) for each in found if each)
        except Unreadable as error:
            self.wrong(column, str(error))
            return ()

    def moment(self, column: str) -> datetime | None:
        """A local date and time; none where the cell is empty."""
        return self._read(column, self._dates.moment)

    def minute(self, column: str) -> int | None:
        """A time of day in minutes after midnight; 24:00 ends a day."""
        if self.text(column) == "24:00":
            return 1440
        found = self._read(column, self._dates.clock)
        return None if found is None else found.hour * 60 + found.minute

    def codes(self, column: str) -> tuple[str, ...]:
        """Words with commas, semicolons or bars between."""
        text = self.text(column)
        return tuple(each.strip() for each in re.split(r"[;,|]", text) if each.strip()) if text else ()

    def spans(self, column: str) -> tuple[tuple[str, date | None, date | None], ...]:
        """Entries with semicolons between, each a text that may end with its dates: `ipl 2025-01-01..2027-12-31`."""
        found: list[tuple[str, date | None, date | None]] = []
        for entry in re.split(r"[;|]", self.text(column)):
            if not entry.strip():
                continue
            words, _, last = entry.strip().rpartition(" ")
            if not (words and re.search(r"\d\.\.|\.\.\d|^\d{4}-\d\d-\d\d$", last)):
                found.append((entry.strip(), None, None))
                continue
            begins, _, ends = last.partition("..")
            try:
                first, until = (self._dates.day(each) if each else None for each in (begins, ends))
            except Unreadable as error:
                self.wrong(column, str(error))
                continue
            if first and until and until < first:
                self.wrong(column, f"{entry.strip()!r} ends before it begins")
            found.append((words.strip(), first, until))
        return tuple(found)

    def weekdays(self, column: str) -> tuple[int, ...]:
        """Days of the week such as `Mon-Thu, Sat`."""
        text = self.text(column)
        found = weekdays_of(text) if text else ()
        if text and not found:
            self.wrong(column, f"{text!r} are no days of the week: write them as Mon-Thu, Sat")
        return found

    def hours(self, column: str) -> tuple[Hours, ...]:
        """Hours such as `Mon-Fri 09:00-18:00; Sat 10:00-14:00`."""
        found = []
        for entry in filter(str.strip, self.text(column).split(";")):
            match = _HOURS.fullmatch(entry.strip())
            days = weekdays_of(match[1]) if match else ()
            if match is None or not days:
                self.wrong(column, f"{entry.strip()!r} are no hours: write them as Mon-Fri 09:00-18:00; "
                           "Sat 10:00-14:00")
                continue
            try:
                opens, closes = (self._dates.clock(each) for each in (match[2], match[3]))
            except Unreadable as error:
                self.wrong(column, str(error))
                continue
            span = (opens.hour * 60 + opens.minute, closes.hour * 60 + closes.minute)
            if span[0] >= span[1]:
                self.wrong(column, f"{entry.strip()!r} ends before it begins")
            found.append((days, *span))
        return tuple(found)

    def _read(self, column: str, read: Callable[[str], T]) -> T | None:
        text = self.text(column)
        if not text:
            return None
        try:
            return read(text)
        except Unreadable as error:
            self.wrong(column, str(error))
            return None


def weekdays_of(text: str) -> tuple[int, ...]:
    """The days of the week that a text such as `Mon-Thu, Sat` names, Monday 0; none where it does not name any."""
    found: list[int] = []
    for entry in filter(str.strip, text.split(",")):
        ends = [_weekday(each) for each in entry.strip().split("-")]
        if None in ends or len(ends) > 2:
            return ()
        first, last = ends[0] or 0, ends[-1] or 0
        found += [(first + each) % 7 for each in range((last - first) % 7 + 1)]
    return tuple(dict.fromkeys(found))


def _weekday(text: str) -> int | None:
    short = text.strip().casefold()[:3]
    return _DAYS.index(short) if short in _DAYS and text.strip().isalpha() else None
