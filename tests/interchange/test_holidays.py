"""Files of public holidays: calendars and tables as offices and programs write them; a fault is named by its line."""
from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.interchange.holidays import MOST, CannotRead, read_holidays

TODAY = date(2027, 3, 1)
XMAS, BOXING = date(2027, 12, 25), date(2027, 12, 26)


def event(*lines: str) -> bytes:
    told = ("BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR")
    return "\r\n".join(told).encode()


def read(data: bytes) -> list[tuple[date, date, str]]:
    return [(each.from_on, each.to_on, each.name) for each in read_holidays(data, today=TODAY)]


@pytest.mark.parametrize("data", [
    b"2027-12-25,Christmas Day", b"2027-12-25;Christmas Day\r\n", b"date,name\n2027-12-25,Christmas Day\n",
    b"\xef\xbb\xbfDate;Name\n2027-12-25;Christmas Day\n\n", b'"2027-12-25","Christmas Day"\n',
    b"20271225,Christmas Day,Public\n", b"2027-12-25,Christmas Day\n2027-12-25,Christmas Day\n",
    event("DTSTART;VALUE=DATE:20271225", "DTEND;VALUE=DATE:20271226", "SUMMARY:Christmas Day"),
    event("DTSTART;VALUE=DATE:20271225", "SUMMARY:Christmas", "  Day"),
    event("SUMMARY:Christmas Day", "DTSTART:20271225"),
    event("DTSTART;VALUE=DATE:20271225", "DTEND;VALUE=DATE:20271225", "SUMMARY:Christmas Day"),
    event("DTSTART;VALUE=DATE:20271225", "BEGIN:VALARM", "SUMMARY:Wake up", "END:VALARM",
          "SUMMARY;LANGUAGE=en:Christmas Day"),
])
def test_one_holiday_is_read_however_it_is_written(data: bytes) -> None:
    assert read(data) == [(XMAS, XMAS, "Christmas Day")]


def test_holidays_of_several_days_and_with_signs_are_read() -> None:
    data = event("DTSTART;VALUE=DATE:20271225", "DTEND;VALUE=DATE:20271227", "SUMMARY:Christmas\\, both days\\; really")

    assert read(data) == [(XMAS, BOXING, "Christmas, both days; really")]
    assert read(b'2027-12-25,"Christmas, ""both"" days"') == [(XMAS, XMAS, 'Christmas, "both" days')]


def test_what_comes_every_year_is_taken_for_three_years() -> None:
    found = read(event("DTSTART;VALUE=DATE:20151225", "SUMMARY:Christmas Day", "RRULE:FREQ=YEARLY"))
    leap = read(event("DTSTART;VALUE=DATE:20240229", "SUMMARY:Leap day", "RRULE:FREQ=YEARLY") + b"\n")

    assert [on.year for on, _, _ in found] == [2027, 2028, 2029]
    assert [on for on, _, _ in leap] == [date(2028, 2, 29)]


def test_a_cancelled_event_is_no_holiday() -> None:
    data = event("DTSTART;VALUE=DATE:20271224", "SUMMARY:x", "STATUS:CANCELLED", "END:VEVENT", "BEGIN:VEVENT",
                 "DTSTART;VALUE=DATE:20271225", "SUMMARY:Christmas Day")

    assert read(data) == [(XMAS, XMAS, "Christmas Day")]


@pytest.mark.parametrize("data, line, words", [
    (b"", 1, "names no holiday"), (b"date,name\n", 1, "names no holiday"), (b"x", 1, "is no date"),
    (b"2027-12-25,a\n25.12.2027,b", 2, "is no date"), (b"2027-12-25,a\n2027-02-30,b", 2, "is no date"),
    (b"2027-12-25", 1, "has no name"), (b"2027-12-25,a\n\n2027-12-26,\n", 3, "has no name"),
    (b"2027-12-25,a\n2027-12-26,\xe9", 2, "UTF-8"), (b"2027-12-25,\x00", 1, "cannot be kept"),
    (b"2027-12-25," + b"x" * 201, 1, "200"), (b"\x89PNG\r\n\x1a\n", 1, "UTF-8"), (b"<html>", 1, "is no date"),
    (b"9999-12-25,a", 1, "is no date"), (b"=1+1,a", 1, "is no date"),
    (event("DTSTART:20271225T090000", "SUMMARY:x"), 4, "time of day"), (event("SUMMARY:x"), 3, "is no date"),
    (event("DTSTART;VALUE=DATE:20271225"), 4, "has no name"),
    (event("DTSTART;VALUE=DATE:20271225", "SUMMARY:x", "RRULE:FREQ=DAILY"), 6, "repeats"),
    (event("DTSTART;VALUE=DATE:20271225", "DTEND;VALUE=DATE:20301225", "SUMMARY:x"), 4, "longer than a year"),
    (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20271225\nSUMMARY:x\n", 2, "no end"),
    (b"".join(f"{date(2027, 1, 1) + timedelta(n)},x\n".encode() for n in range(MOST + 1)), MOST + 1, "at most"),
])
def test_what_cannot_be_taken_is_refused_with_its_line(data: bytes, line: int, words: str) -> None:
    with pytest.raises(CannotRead, match=words) as told:
        read(data)

    assert told.value.line == line
    assert str(told.value).startswith(f"Line {line}: ")


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode) | st.lists(st.sampled_from([
    b"BEGIN:VCALENDAR", b"BEGIN:VEVENT", b"END:VEVENT", b"DTSTART:20271225", b"DTEND:20271224", b"SUMMARY:x", b" y",
    b'"', b"RRULE:FREQ=YEARLY", b"DTSTART:", b"END:VCALENDAR", b":", b";"])).map(b"\n".join))
def test_no_file_ever_does_more_than_be_refused(data: bytes) -> None:
    try:
        found = read_holidays(data, today=TODAY)
    except CannotRead as error:
        assert error.line >= 1
    else:
        assert all(each.from_on <= each.to_on and each.name for each in found)


@given(st.dictionaries(st.dates(date(2026, 1, 1), date(2029, 1, 1)), st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=40), min_size=1, max_size=60))
def test_what_is_written_is_read(holidays: dict[date, str]) -> None:
    data = "\n".join(f'{on},"{name.replace(chr(34), chr(34) * 2)}"' for on, name in holidays.items()).encode()

    assert read(data) == sorted((on, on, name) for on, name in holidays.items())
