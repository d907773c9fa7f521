"""Public holidays from a file: whole-day events of a calendar file, or lines of a date and a name."""
from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

MOST = 400
MOST_SIGNS = 200
YEARS = 3
"""A holiday that comes every year on one date is taken for so many years."""

_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_ESCAPED = re.compile(r"\\([\\;,nN])")
_YEARLY = re.compile(r"FREQ=YEARLY(;(INTERVAL=1|BYMONTH=\d{1,2}|BYMONTHDAY=\d{1,2}|UNTIL=\d{8}\w*|COUNT=\d+))*")


class CannotRead(ValueError):
    """Why a file cannot be taken, in words, with its line."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"Line {line}: {text}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Holiday:
    """Dates, both included, and what they are called; `line` is where the file says so."""

    from_on: date
    to_on: date
    name: str
    line: int


def read_holidays(data: bytes, *, today: date) -> tuple[Holiday, ...]:
    """The holidays of a file in their order, each once; raises CannotRead for the first line that is none.

    What comes every year is taken for this year and the next ones.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[:error.start].count(b"\n") + 1
        raise CannotRead(
            line, "this is no text in UTF-8. Save the file as “CSV UTF-8” or as a calendar (.ics).") from None
    begins = text.lstrip()[:15].upper()
    found = list(_of_calendar(text, today) if begins == "BEGIN:VCALENDAR" else _of_lines(text))
    if not found:
        raise CannotRead(1, "the file names no holiday.")
    by_dates = {(each.from_on, each.to_on): each for each in reversed(found)}
    return tuple(sorted(by_dates.values(), key=lambda each: (each.from_on, each.to_on)))


def _of_lines(text: str) -> Iterator[Holiday]:
    first = text.partition("\n")[0]
    separator = ";" if first.count(";") > first.count(",") else ","
    rows = csv.reader(text.splitlines(), delimiter=separator)
    try:
        for count, cells in enumerate(rows, 1):
            told, number = [cell.strip() for cell in cells], rows.line_num
            if not any(told) or (count == 1 and told[0].casefold() in ("date", "day", "datum", "from")):
                continue
            on = _date(told[0], number)
            yield _holiday(on, on, told[1] if len(told) > 1 else "", number)
            _check_count(count, number)
    except csv.Error as error:
        raise CannotRead(rows.line_num, f"the quotes of this line cannot be read ({error}).") from None


def _of_calendar(text: str, today: date) -> Iterator[Holiday]:
    event: dict[str, tuple[str, int]] | None = None
    count = nested = 0
    for number, line in _unfolded(text):
        name, _, value = line.partition(":")
        code = name.partition(";")[0].strip().upper()
        if event is not None and (code == "BEGIN" or nested):
            # What stands inside an event, such as an alarm, has properties of its own.
            nested += {"BEGIN": 1, "END": -1}.get(code, 0)
        elif code == "BEGIN" and value.strip().upper() == "VEVENT":
            event = {"BEGIN": ("", number)}
        elif code == "END" and value.strip().upper() == "VEVENT" and event is not None:
            for holiday in _of_event(event, today):
                count += 1
                _check_count(count, holiday.line)
                yield holiday
            event = None
        elif event is not None:
            event.setdefault(code, (value.strip(), number))
    if event is not None:
        raise CannotRead(event["BEGIN"][1], "this event has no end: the file breaks off.")


def _of_event(event: dict[str, tuple[str, int]], today: date) -> Iterator[Holiday]:
    if event.get("STATUS", ("", 0))[0].upper() == "CANCELLED":
        return
    value, number = event.get("DTSTART", ("", event["BEGIN"][1]))
    if "T" in value:
        raise CannotRead(number, "this event has a time of day. Holidays are whole days: enter a half day as it is, "
                         "under the opening hours or an absence.")
    first = _date(value, number)
    ends, at = event.get("DTEND", ("", number))
    last = _date(ends, at) - timedelta(days=1) if ends else first
    name = _ESCAPED.sub(lambda sign: " " if sign[1] in "nN" else sign[1], event.get("SUMMARY", ("", number))[0])
    holiday = _holiday(first, max(first, last), name, number)
    rule, at = event.get("RRULE", ("", number))
    if not rule:
        yield holiday
        return
    if _YEARLY.fullmatch(rule.upper()) is None:
        raise CannotRead(at, "this event repeats in a way that is no yearly date. Export the single dates instead.")
    for year in range(max(today.year, first.year), today.year + YEARS):
        moved = _in_year(holiday, year)
        if moved is not None:
            yield moved


def _in_year(holiday: Holiday, year: int) -> Holiday | None:
    try:
        first = holiday.from_on.replace(year=year)
    except ValueError:  # 29 February
        return None
    return Holiday(first, first + (holiday.to_on - holiday.from_on), holiday.name, holiday.line)


def _holiday(first: date, last: date, name: str, line: int) -> Holiday:
    if not name:
        raise CannotRead(line, f"{first.isoformat()} has no name. Write it after the date, such as "
                         f"{first.isoformat()},New Year’s Day.")
    if _CONTROL.search(name) or len(name) > MOST_SIGNS:
        raise CannotRead(line, "the name has characters that cannot be kept, or more than 200 of them.")
    if (last - first).days > 366:
        raise CannotRead(line, "this is longer than a year.")
    return Holiday(first, last, name, line)


def _date(told: str, line: int) -> date:
    found = _DATE.fullmatch(told)
    try:
        read = date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        read = None
    if read is None or not 1900 <= read.year <= 2200:
        shown = _CONTROL.sub(" ", told)[:40]
        raise CannotRead(line, f"“{shown}” is no date. Write it as year, month and day, such as 2027-12-25.")
    return read


def _check_count(count: int, line: int) -> None:
    if count > MOST:
        raise CannotRead(line, f"a file may name {MOST} holidays at most.")


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    begun, parts = 0, [""]
    for number, line in enumerate(text.splitlines(), 1):
        if line[:1] in (" ", "\t") and begun:
            parts.append(line[1:])
        elif line.strip():
            if begun:
                yield begun, "".join(parts)
            begun, parts = number, [line]
    if begun:
        yield begun, "".join(parts)
