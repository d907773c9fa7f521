"""Files written by hand: what a program does once in a thousand files, with the busy spans that it means.

Each is the inside of a calendar; spans are UTC as "MMDD hhmm MMDD hhmm", of 2027 where no year is said.
"""
from __future__ import annotations

from datetime import UTC, datetime

Span = tuple[datetime, datetime]


def event(*lines: str, uid: str = "u") -> str:
    """One entry."""
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT"])


def file(*parts: str, head: str = "VERSION:2.0") -> bytes:
    """A calendar with these components."""
    return "\r\n".join(("BEGIN:VCALENDAR", head, *"\n".join(parts).split("\n"), "END:VCALENDAR", "")).encode()


def span(text: str) -> Span:
    """Such as "0309 1300 0309 1430"."""
    day, begins, last, ends = text.split()
    return _at(day, begins), _at(last, ends)


def _at(day: str, clock: str) -> datetime:
    year = int(day[:4]) if len(day) == 8 else 2027
    return datetime(year, int(day[-4:-2]), int(day[-2:]), int(clock[:2]), int(clock[2:]), tzinfo=UTC)


_DAILY = ("DTSTART:20270310T100000Z", "DTEND:20270310T110000Z", "RRULE:FREQ=DAILY;COUNT=4")
_WEST = "BEGIN:VTIMEZONE\nTZID:Nowhere\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:-0300\n" \
        "TZOFFSETTO:-0330\nEND:STANDARD\nEND:VTIMEZONE"
_ENDED = "BEGIN:VTIMEZONE\nTZID:Ended\nBEGIN:DAYLIGHT\nDTSTART:19800406T010000\nTZOFFSETFROM:+0100\n" \
         "TZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU;UNTIL=19900401T000000Z\nEND:DAYLIGHT\n" \
         "BEGIN:STANDARD\nDTSTART:19801026T020000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0400\n" \
         "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=19901027T235959Z\nEND:STANDARD\nEND:VTIMEZONE"

READ: dict[str, tuple[bytes, list[str]]] = {
    "an empty calendar": (file(), []),
    "two calendars in one file": (
        file(event("DTSTART:20270310T100000Z", "DTEND:20270310T110000Z"))
        + file(event("DTSTART:20270311T100000Z", "DTEND:20270311T110000Z")),
        ["0310 1000 0310 1100", "0311 1000 0311 1100"]),
    "an entry without an end takes no time": (file(event("DTSTART:20270310T100000Z")), []),
    "a day without an end is that day": (file(event("DTSTART;VALUE=DATE:20270310")), ["0309 2300 0310 2300"]),
    "a day that ends on itself is that day": (
        file(event("DTSTART;VALUE=DATE:20270310", "DTEND;VALUE=DATE:20270310")), ["0309 2300 0310 2300"]),
    "a date without VALUE=DATE": (
        file(event("DTSTART:20270310", "DTEND:20270312")), ["0309 2300 0311 2300"]),
    "the short day of spring": (file(event("DTSTART;VALUE=DATE:20270328")), ["0327 2300 0328 2200"]),
    "the long day of autumn": (file(event("DTSTART;VALUE=DATE:20271031")), ["1030 2200 1031 2300"]),
    "a length of days": (
        file(event("DTSTART;VALUE=DATE:20270310", "DURATION:P1W")), ["0309 2300 0316 2300"]),
    "a length of a day over the clock change goes by the clock": (
        file(event("DTSTART;TZID=Europe/Berlin:20270327T120000", "DURATION:P1D")), ["0327 1100 0328 1000"]),
    "a length of 24 hours over the clock change is exact": (
        file(event("DTSTART;TZID=Europe/Berlin:20270327T120000", "DURATION:PT24H")), ["0327 1100 0328 1100"]),
    "a begin in the skipped hour counts on": (
        file(event("DTSTART;TZID=Europe/Berlin:20270328T023000", "DTEND;TZID=Europe/Berlin:20270328T030000")),
        ["0328 0130 0328 0200"]),
    "a begin in the repeated hour is its first pass": (
        file(event("DTSTART;TZID=Europe/Berlin:20271031T023000", "DTEND;TZID=Europe/Berlin:20271031T033000")),
        ["1031 0030 1031 0230"]),
    "the end in another zone": (
        file(event("DTSTART;TZID=Europe/London:20270310T100000", "DTEND;TZID=America/New_York:20270310T070000")),
        ["0310 1000 0310 1200"]),
    "a zone by its Windows name": (
        file(event("DTSTART;TZID=Eastern Standard Time:20270310T100000", "DURATION:PT1H")), ["0310 1500 0310 1600"]),
    "a zone by UTC's other name": (
        file(event("DTSTART;TZID=Etc/UTC:20270310T100000", "DURATION:PT1H")), ["0310 1000 0310 1100"]),
    "a zone of three parts": (
        file(event("DTSTART;TZID=America/Argentina/Buenos_Aires:20270310T100000", "DURATION:PT1H")),
        ["0310 1300 0310 1400"]),
    "a zone that is only described, half an hour off": (
        file(_WEST, event("DTSTART;TZID=Nowhere:20270310T100000", "DURATION:PT1H")), ["0310 1330 0310 1430"]),
    "a described zone whose changes have ended": (
        file(_ENDED, event("DTSTART;TZID=Ended:20270710T100000", "DURATION:PT1H")), ["0710 0800 0710 0900"]),
    "a described zone after the entry": (
        file(event("DTSTART;TZID=Nowhere:20270310T100000", "DURATION:PT1H"), _WEST), ["0310 1330 0310 1430"]),
    "a zone whose own name is elsewhere": (
        file(_WEST.replace("TZID:Nowhere", "TZID:77\nX-LIC-LOCATION:Asia/Kolkata"),
             event("DTSTART;TZID=77:20270310T100000", "DURATION:PT1H")), ["0310 0430 0310 0530"]),
    "an exception by its instant": (
        file(event(*_DAILY, "EXDATE;TZID=Europe/Berlin:20270311T110000")),
        ["0310 1000 0310 1100", "0312 1000 0312 1100", "0313 1000 0313 1100"]),
    "an exception by its day only": (
        file(event(*_DAILY, "EXDATE;VALUE=DATE:20270311,20270312")), ["0310 1000 0310 1100", "0313 1000 0313 1100"]),
    "an exception of a day by its midnight in UTC": (
        file(event("DTSTART;VALUE=DATE:20270310", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20270310T230000Z")),
        ["0309 2300 0310 2300", "0311 2300 0312 2300"]),
    "an exception that hits nothing": (
        file(event("DTSTART:20270310T100000Z", "DURATION:PT1H", "EXDATE:20270311T100000Z")), ["0310 1000 0310 1100"]),
    "an old kind of exception": (
        file(event("DTSTART:20270310T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4",
                   "EXRULE:FREQ=DAILY;INTERVAL=2;COUNT=2")), ["0311 1000 0311 1100", "0313 1000 0313 1100"]),
    "further dates that say their own length": (
        file(event("DTSTART:20270310T100000Z", "DURATION:PT1H",
                   "RDATE;VALUE=PERIOD:20270312T100000Z/PT3H,20270313T100000Z/20270313T103000Z")),
        ["0310 1000 0310 1100", "0312 1000 0312 1300", "0313 1000 0313 1030"]),
    "one date moved, one called off": (
        file(event(*_DAILY),
             event("RECURRENCE-ID:20270311T100000Z", "DTSTART:20270311T150000Z", "DTEND:20270311T170000Z"),
             event("RECURRENCE-ID:20270312T100000Z", "DTSTART:20270312T100000Z", "STATUS:CANCELLED")),
        ["0310 1000 0310 1100", "0311 1500 0311 1700", "0313 1000 0313 1100"]),
    "a date that is now free": (
        file(event(*_DAILY),
             event("RECURRENCE-ID:20270311T100000Z", "DTSTART:20270311T100000Z", "DURATION:PT1H",
                   "TRANSP:TRANSPARENT")),
        ["0310 1000 0310 1100", "0312 1000 0312 1100", "0313 1000 0313 1100"]),
    "a date moved from outside the time that is read": (
        file(event("DTSTART:20270101T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3"),
             event("RECURRENCE-ID:20270102T100000Z", "DTSTART:20270402T100000Z", "DURATION:PT1H")),
        ["0402 1000 0402 1100"]),
    "a changed date without its series": (
        file(event("RECURRENCE-ID:20270311T100000Z", "DTSTART:20270311T150000Z", "DURATION:PT1H")),
        ["0311 1500 0311 1600"]),
    "all dates from one on moved and longer": (
        file(event(*_DAILY), event("RECURRENCE-ID;RANGE=THISANDFUTURE:20270312T100000Z", "DTSTART:20270312T120000Z",
                                   "DURATION:PT2H")),
        ["0310 1000 0310 1100", "0311 1000 0311 1100", "0312 1200 0312 1400", "0313 1200 0313 1400"]),
    "all dates from one on called off": (
        file(event(*_DAILY), event("RECURRENCE-ID;RANGE=THISANDFUTURE:20270312T100000Z", "DTSTART:20270312T120000Z",
                                   "STATUS:CANCELLED")), ["0310 1000 0310 1100", "0311 1000 0311 1100"]),
    "an older version of the same entry": (
        file(event("SEQUENCE:1", "DTSTART:20270311T100000Z", "DURATION:PT1H"),
             event("SEQUENCE:0", "DTSTART:20270310T100000Z", "DURATION:PT1H")), ["0311 1000 0311 1100"]),
    "many entries with one identity": (
        file(event("DTSTART:20270311T100000Z", "DURATION:PT1H"), event("DTSTART:20270310T100000Z", "DURATION:PT1H")),
        ["0310 1000 0310 1100", "0311 1000 0311 1100"]),
    "a series called off, with one date kept": (
        file(event(*_DAILY, "STATUS:CANCELLED"),
             event("RECURRENCE-ID:20270311T100000Z", "DTSTART:20270311T150000Z", "DURATION:PT1H")),
        ["0311 1500 0311 1600"]),
    "everything called off": (file(event(*_DAILY), head="VERSION:2.0\nMETHOD:CANCEL"), []),
    "busy although it says transparent": (
        file(event("DTSTART:20270311T100000Z", "DURATION:PT1H", "TRANSP:TRANSPARENT",
                   "X-MICROSOFT-CDO-BUSYSTATUS:OOF")),
        ["0311 1000 0311 1100"]),
    "work elsewhere": (
        file(event("DTSTART:20270311T100000Z", "DURATION:PT1H", "X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE")),
        ["0311 1000 0311 1100"]),
    "the 29th of February": (
        file(event("DTSTART;VALUE=DATE:20200229", "RRULE:FREQ=YEARLY")), ["20280228 2300 20280229 2300"]),
    "the 31st of each month, left out where there is none": (
        file(event("DTSTART:20270131T100000Z", "DURATION:PT1H", "RRULE:FREQ=MONTHLY;UNTIL=20270901")),
        ["0331 1000 0331 1100", "0531 1000 0531 1100", "0731 1000 0731 1100", "0831 1000 0831 1100"]),
    "the last working day of the month": (
        file(event("DTSTART:20270129T100000Z", "DURATION:PT1H",
                   "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=5")),
        ["0331 1000 0331 1100", "0430 1000 0430 1100", "0531 1000 0531 1100"]),
    "the second and the last but one of a set": (
        file(event("DTSTART:20270302T100000Z", "DURATION:PT1H", "RRULE:FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2,-2;COUNT=3")),
        ["0302 1000 0302 1100", "0309 1000 0309 1100", "0323 1000 0323 1100"]),
    "week 20 of the year": (
        file(event("DTSTART:20260511T100000Z", "DURATION:PT1H", "RRULE:FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO")),
        ["0517 1000 0517 1100"]),
    "the hundredth day and the last one of the year": (
        file(event("DTSTART:20260410T100000Z", "DURATION:PT1H", "RRULE:FREQ=YEARLY;BYYEARDAY=100,-1")),
        ["0410 1000 0410 1100", "1231 1000 1231 1100"]),
    "Friday the thirteenth": (
        file(event("DTSTART:20260213T100000Z", "DURATION:PT1H", "RRULE:FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR")),
        ["0813 1000 0813 1100"]),
    "every other week by a week that begins on Sunday": (
        file(event("DTSTART:20270302T100000Z", "DURATION:PT1H",
                   "RRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU;COUNT=4")),
        ["0302 1000 0302 1100", "0314 1000 0314 1100", "0316 1000 0316 1100", "0328 1000 0328 1100"]),
    "three times a day": (
        file(event("DTSTART:20270310T080000Z", "DURATION:PT30M", "RRULE:FREQ=DAILY;BYHOUR=8,12,16;COUNT=4")),
        ["0310 0800 0310 0830", "0310 1200 0310 1230", "0310 1600 0310 1630", "0311 0800 0311 0830"]),
    "every sixth hour": (
        file(event("DTSTART:20270310T000000Z", "DURATION:PT1H", "RRULE:FREQ=HOURLY;INTERVAL=6;COUNT=3")),
        ["0310 0000 0310 0100", "0310 0600 0310 0700", "0310 1200 0310 1300"]),
    "an end before the beginning of the series": (
        file(event("DTSTART:20270310T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20270301T000000Z")), []),
    "a last date that says only the day": (
        file(event("DTSTART:20270310T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20270311")),
        ["0310 1000 0310 1100", "0311 1000 0311 1100"]),
    "a first date that its own rule leaves out": (
        file(event("DTSTART:20270310T100000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;BYDAY=TH;COUNT=2")),
        ["0310 1000 0310 1100", "0311 1000 0311 1100"]),
    "a day that never comes": (
        file(event("DTSTART:20270310T100000Z", "DURATION:PT1H", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")),
        ["0310 1000 0310 1100"]),
    "a million dates": (
        file(event("DTSTART:20270310T000000Z", "DURATION:P1D", "RRULE:FREQ=DAILY;COUNT=1000000")),
        ["0310 0000 20280404 0900"]),
    "without end since 1601": (
        file(event("DTSTART:16010101T000000Z", "DURATION:P1D", "RRULE:FREQ=DAILY")), ["0301 0900 20280404 0900"]),
    "until the end of all time": (
        file(event("DTSTART:20270310T000000Z", "DTEND:99991231T235959Z")), ["0310 0000 20280404 0900"]),
    "every hour without end": (
        file(event("DTSTART:20000101T000000Z", "DURATION:PT1H", "RRULE:FREQ=HOURLY")), ["0301 0900 20280404 0900"]),
    "busy times without entries": (
        file("BEGIN:VFREEBUSY\nDTSTART:20270301T000000Z\nDTEND:20270401T000000Z\n"
             "FREEBUSY:20270310T100000Z/20270310T110000Z,20270311T100000Z/PT1H\n"
             "FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20270312T100000Z/PT1H\n"
             "FREEBUSY;FBTYPE=FREE:20270313T100000Z/PT1H\nEND:VFREEBUSY"),
        ["0310 1000 0310 1100", "0311 1000 0311 1100", "0312 1000 0312 1100"]),
    "tasks, notes and unknown things": (
        file("BEGIN:VTODO\nUID:t\nDTSTART:20270310T100000Z\nDUE:20270310T110000Z\nEND:VTODO",
             "BEGIN:VJOURNAL\nUID:j\nDTSTART:20270310T100000Z\nEND:VJOURNAL", "BEGIN:X-LATER\nX-A:1\nEND:X-LATER"), []),
    "alarms in alarms": (
        file(event("DTSTART:20270310T100000Z", "DURATION:PT1H", "BEGIN:VALARM", "DURATION:PT9H", "BEGIN:VALARM",
                   "DTSTART:20270101", "END:VALARM", "END:VALARM")), ["0310 1000 0310 1100"]),
    "a description that was not folded": (
        file(event("DTSTART:20270310T100000Z", "DURATION:PT1H", "DESCRIPTION:one", "two", "", "three, and so on")),
        ["0310 1000 0310 1100"]),
    "carriage returns twice": (
        file(event("DTSTART:20270310T100000Z", "DURATION:PT1H")).replace(b"\r\n", b"\r\r\n"), ["0310 1000 0310 1100"]),
    "another charset": (
        file(event("SUMMARY:Müller", "DTSTART:20270310T100000Z", "DURATION:PT1H")).decode().encode("latin-1"),
        ["0310 1000 0310 1100"]),
    "two bytes a sign": (
        file(event("DTSTART:20270310T100000Z", "DURATION:PT1H")).decode().encode("utf-16"), ["0310 1000 0310 1100"]),
    "a sign cut in two by folding": (
        file(event("SUMMARY:Caf@", "DTSTART:20270310T100000Z", "DURATION:PT1H")).replace(b"@", b"\xc3\r\n \xa9"),
        ["0310 1000 0310 1100"]),
    "groups before names, as in cards": (
        file(event("item1.DTSTART:20270310T100000Z", "item1.DURATION:PT1H")), ["0310 1000 0310 1100"]),
    "dates with strokes": (
        file(event("DTSTART:2027-03-10T10:00:00Z", "DTEND:2027-03-10T11:00Z")), ["0310 1000 0310 1100"]),
    "midnight as the 24th hour": (
        file(event("DTSTART:20270310T230000Z", "DTEND:20270310T240000Z")), ["0310 2300 0311 0000"]),
    "from a day to a time of day": (
        file(event("DTSTART;VALUE=DATE:20270310", "DTEND:20270310T110000Z")), ["0310 0000 0310 1100"]),
    "a week of five nights": (
        file(event("DTSTART;TZID=Europe/Berlin:20270322T220000", "DTEND;TZID=Europe/Berlin:20270323T060000",
                   "RRULE:FREQ=DAILY;COUNT=5")),
        ["0322 2100 0323 0500", "0323 2100 0324 0500", "0324 2100 0325 0500", "0325 2100 0326 0500",
         "0326 2100 0327 0500"]),
}
