"""Files that cannot be taken, each with a part of the reason that a person is given."""
from __future__ import annotations

from tests.interchange.calendars.written import event, file

_GOOD = ("DTSTART:20270310T100000Z", "DTEND:20270310T110000Z")


def _ruled(rule: str) -> bytes:
    return file(event(*_GOOD, f"RRULE:{rule}"))


def _zoned(zone: str) -> bytes:
    return file(f"BEGIN:VTIMEZONE\nTZID:Odd\n{zone}\nEND:VTIMEZONE", event("DTSTART;TZID=Odd:20270310T100000"))


def _many(count: int, *lines: str) -> bytes:
    return file(*(event(*lines, uid=str(number)) for number in range(count)))


REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "empty"),
    "blanks": (b"  \r\n \r\n", "empty"),
    "a web page": (b"<!DOCTYPE html><html><title>Sign in</title></html>", "web page"),
    "a web page after a mark": (b"\xef\xbb\xbf\n<html></html>", "web page"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x04\x00", "no calendar file"),
    "a packed file": (b"PK\x03\x04\x14\x00\x08\x00\x08\x00calendar.ics", "no calendar file"),
    "random bytes": (bytes(range(255, 0, -1)) * 20, "no calendar file"),
    "an address book": (b"BEGIN:VCARD\r\nVERSION:3.0\r\nN:A;B\r\nEND:VCARD\r\n", "does not begin with BEGIN:VCALENDAR"),
    "a table": (b"date,name\n2027-03-10,Leave\n", "does not begin"),
    "JSON": (b'{"items": []}', "does not begin"),
    "an entry without its calendar": (event(*_GOOD).encode(), "does not begin"),
    "words before": (b"Here is the calendar:\r\n" + file(), "does not begin"),
    "broken off in an entry": (file(event(*_GOOD)).partition(b"END:VEVENT")[0], "breaks off"),
    "broken off in a line": (file(event(*_GOOD))[:-40], "breaks off"),
    "no end of the calendar": (file(event(*_GOOD)).replace(b"END:VCALENDAR", b""), "breaks off"),
    "ends in the wrong order": (
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\nEND:VEVENT\r\n", "stands where END:VEVENT should"),
    "an end too many": (file() + b"END:VCALENDAR\r\n", "does not begin"),
    "a rule folded without its blank": (
        file(event(*_GOOD, "RRULE:FREQ=WEEKLY;", "BYDAY=MO")), "folded wrongly"),
    "no beginning": (file(event("DTEND:20270310T110000Z")), "does not say when it begins"),
    "an empty beginning": (file(event("DTSTART:")), "says nothing"),
    "the 31st of February": (file(event("DTSTART:20270231T100000Z")), "no date or time"),
    "the 13th month": (file(event("DTSTART;VALUE=DATE:20271301")), "no date or time"),
    "25 o'clock": (file(event("DTSTART:20270310T250000Z")), "no date or time"),
    "a date in words": (file(event("DTSTART:10 March 2027")), "no date or time"),
    "the year nought": (file(event("DTSTART:00000101T000000Z")), "no date or time"),
    "the first of all years": (file(event("DTSTART:00010101T000000Z")), "no date or time"),
    "digits of another script": (file(event("DTSTART:٢٠٢٧٠٣١٠T100000Z")), "no date or time"),
    "an end before the beginning": (
        file(event("DTSTART:20270310T100000Z", "DTEND:20270310T090000Z")), "ends before it begins"),
    "a day that ends before it begins": (
        file(event("DTSTART;VALUE=DATE:20270310", "DTEND;VALUE=DATE:20270308")), "ends before it begins"),
    "a length below nothing": (file(event("DTSTART:20270310T100000Z", "DURATION:-PT1H")), "nothing lasts less"),
    "a length of nothing known": (file(event("DTSTART:20270310T100000Z", "DURATION:1 hour")), "no length of time"),
    "a length of no parts": (file(event("DTSTART:20270310T100000Z", "DURATION:P")), "no length of time"),
    "an unknown zone": (file(event("DTSTART;TZID=Middle-earth/Shire:20270310T100000")), "not known"),
    "a zone that is a way out": (file(event("DTSTART;TZID=../../etc/passwd:20270310T100000")), "not known"),
    "a zone without offsets": (_zoned("X-A:1"), "without any offset"),
    "a zone without its beginning": (
        _zoned("BEGIN:STANDARD\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD"), "without the beginning"),
    "a zone with an offset in words": (
        _zoned("BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:one\nTZOFFSETTO:+0100\nEND:STANDARD"),
        "TZOFFSETFROM"),
    "a zone that is days off": (
        _zoned("BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+9900\nEND:STANDARD"),
        "TZOFFSETTO"),
    "every second": (_ruled("FREQ=SECONDLY"), "every minute or second"),
    "every minute": (_ruled("FREQ=MINUTELY;COUNT=2"), "every minute or second"),
    "every fortnight in its own word": (_ruled("FREQ=FORTNIGHTLY"), "FREQ=FORTNIGHTLY"),
    "a rule without a frequency": (_ruled("INTERVAL=2"), "FREQ="),
    "an empty rule": (_ruled(""), "cannot be read"),
    "a rule of the first format": (_ruled("D1 #10"), "cannot be read"),
    "an interval of nothing": (_ruled("FREQ=DAILY;INTERVAL=0"), "INTERVAL=0"),
    "a count in words": (_ruled("FREQ=DAILY;COUNT=ten"), "COUNT=ten"),
    "a count of nothing": (_ruled("FREQ=DAILY;COUNT=0"), "COUNT=0"),
    "a count beyond all numbers": (_ruled("FREQ=DAILY;COUNT=" + "9" * 5000), "COUNT=9999"),
    "an unknown weekday": (_ruled("FREQ=WEEKLY;BYDAY=XX"), "weekday XX"),
    "the nought place": (_ruled("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0"), "BYSETPOS=0"),
    "the 32nd of a month": (_ruled("FREQ=MONTHLY;BYMONTHDAY=32"), "BYMONTHDAY=32"),
    "a last date in words": (_ruled("FREQ=DAILY;UNTIL=forever"), "UNTIL says forever"),
    "a part that is not known": (_ruled("FREQ=DAILY;BYMOON=FULL"), "BYMOON"),
    "a part twice": (_ruled("FREQ=DAILY;COUNT=2;COUNT=3"), "twice"),
    "a rule of the lunar year": (_ruled("RSCALE=CHINESE;FREQ=YEARLY"), "Gregorian"),
    "a calendar of another reckoning": (file(head="VERSION:2.0\nCALSCALE:HEBREW"), "Gregorian"),
    "a change of all dates before": (
        file(event(*_GOOD, "RECURRENCE-ID;RANGE=THISANDPRIOR:20270310T100000Z")), "THISANDPRIOR"),
    "an exception in words": (file(event(*_GOOD, "EXDATE:never")), "EXDATE says never"),
    "a busy time without an end": (
        file("BEGIN:VFREEBUSY\nFREEBUSY:20270310T100000Z\nEND:VFREEBUSY"), "does not end"),
    "nested without end": (
        b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 5000, "nested too deep"),
    "too many entries": (b"BEGIN:VCALENDAR\r\n" + b"BEGIN:A\r\nEND:A\r\n" * 60_000, "more than can be read"),
    "too many lines": (b"BEGIN:VCALENDAR\r\n" + b"A:1\r\n" * 900_000, "more than can be read"),
    "too many further dates": (
        file(event(*_GOOD, *("RDATE:" + ",".join(["20270310T100000Z"] * 5_000) for _ in range(50)))),
        "too many to work out"),
    "too much that counts": (b"BEGIN:VCALENDAR\r\n" + b"UID:1\r\n" * 190_000, "more than can be read"),
    "too large": (b"BEGIN:VCALENDAR\r\n" + b"X-A:" + b"a" * 5_000_000, "larger than 5 MB"),
    "a line beyond all measure": (file(event(*_GOOD, "EXDATE:" + "20270310T100000Z," * 20_000)), "longer than 100,000"),
    "too many busy times": (
        file(event("DTSTART:20270301T000000Z", "DURATION:PT1M", "RRULE:FREQ=DAILY;BYHOUR="
                   + ",".join(map(str, range(24))) + ";BYMINUTE=0,15,30,45")), "more than 5,000 busy times"),
    "too many repetitions": (
        _many(3000, "DTSTART:20200101T000000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"), "too many to work out"),
    "a long way from its first date": (
        _many(200, "DTSTART:16010101T000000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=999999999"),
        "too many to work out"),
    "a set as large as can be": (
        file(event("DTSTART:20200101T000000Z", "DURATION:PT1S", "RRULE:FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR="
                   + ",".join(map(str, range(24))) + ";BYMINUTE=" + ",".join(map(str, range(60))) + ";BYSECOND="
                   + ",".join(map(str, range(60))) + ";BYSETPOS=1")), "too many to work out"),
}
