"""How calendar programs write a file: line ends, folding, names of zones, order, and what they add of their own."""
from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from tests.interchange.calendars.scenarios import BERLIN, Entry, Scenario

_BERLIN_RULES = """BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD"""
_WINDOWS_RULES = """BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT"""


def google(scenario: Scenario) -> bytes:
    """Google Calendar: CRLF, the zone's name and a VTIMEZONE."""
    head = "PRODID:-//Google Inc//Google Calendar 70.9054//EN\nVERSION:2.0\nCALSCALE:GREGORIAN\nMETHOD:PUBLISH\n" \
           "X-WR-CALNAME:praxis@example.org\nX-WR-TIMEZONE:Europe/Berlin"
    zone = _zone("Europe/Berlin", "X-LIC-LOCATION:Europe/Berlin\n" + _BERLIN_RULES)
    return _file(head, zone, scenario, "Europe/Berlin",
                 "CREATED:20260101T000000Z\nDESCRIPTION:Mit \\n Umbruch\\, und Komma\nSUMMARY:Zahnarzt 🦷")


def exchange(scenario: Scenario) -> bytes:
    """Exchange: Windows names, its own busy state, an alarm in each entry."""
    head = "METHOD:PUBLISH\nPRODID:Microsoft Exchange Server 2010\nVERSION:2.0\nX-WR-CALNAME:Kalender"
    return _file(head, _zone("W. Europe Standard Time", _WINDOWS_RULES), scenario, "W. Europe Standard Time",
                 "CLASS:PUBLIC\nPRIORITY:5\nX-MICROSOFT-CDO-APPT-SEQUENCE:0\nBEGIN:VALARM\nDESCRIPTION:REMINDER\n"
                 "TRIGGER;RELATED=START:-PT15M\nACTION:DISPLAY\nDURATION:PT5M\nEND:VALARM", shown=True)


def outlook(scenario: Scenario) -> bytes:
    """Outlook's own export: a described zone of no known name, in quotes."""
    head = "PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN\nVERSION:2.0\nMETHOD:PUBLISH\n" \
           "X-MS-OLK-FORCEINSPECTOROPEN:TRUE"
    return _file(head, _zone("Customized Time Zone", _WINDOWS_RULES), scenario, '"Customized Time Zone"',
                 "X-ALT-DESC;FMTTYPE=text/html:<html><body>x: y; z</body></html>", shown=True)


def apple(scenario: Scenario) -> bytes:
    """Apple's calendar: the zone's changes since the empire, and properties of its own."""
    old = "BEGIN:STANDARD\nTZOFFSETFROM:+005328\nDTSTART:18930401T000000\nTZNAME:CET\nTZOFFSETTO:+0100\n" \
          "RDATE:18930401T000000\nEND:STANDARD\n"
    head = "CALSCALE:GREGORIAN\nPRODID:-//Apple Inc.//macOS 15.3//EN\nVERSION:2.0\nX-APPLE-CALENDAR-COLOR:#CC73E1"
    return _file(head, _zone("Europe/Berlin", old + _BERLIN_RULES), scenario, "Europe/Berlin",
                 "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC\nBEGIN:VALARM\nUID:A1\nX-WR-ALARMUID:A1\n"
                 "TRIGGER;VALUE=DATE-TIME:19760401T005545Z\nACTION:NONE\nEND:VALARM")


def thunderbird(scenario: Scenario) -> bytes:
    """Thunderbird: plain line feeds."""
    head = "PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN\nVERSION:2.0"
    return _file(head, _zone("Europe/Berlin", _BERLIN_RULES), scenario, "Europe/Berlin",
                 "X-MOZ-GENERATION:4\nX-MOZ-LASTACK:20270101T000000Z").replace(b"\r\n", b"\n")


def old_mozilla(scenario: Scenario) -> bytes:
    """Sunbird: a zone by its path."""
    name = "/mozilla.org/20050126_1/Europe/Berlin"
    return _file("PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V0.9//EN\nVERSION:2.0", "", scenario, name, "")


def nextcloud(scenario: Scenario) -> bytes:
    """Nextcloud: lengths instead of ends."""
    head = "VERSION:2.0\nCALSCALE:GREGORIAN\nPRODID:-//SabreDAV//SabreDAV//EN\nREFRESH-INTERVAL;VALUE=DURATION:PT4H"
    return _file(head, _zone("Europe/Berlin", _BERLIN_RULES), scenario, "Europe/Berlin",
                 "CATEGORIES:privat", lasting=True)


def zimbra(scenario: Scenario) -> bytes:
    """Zimbra: a zone that only its description explains, with a name full of signs, and a status of its own."""
    name = "(GMT+01.00) Berlin / Rom: Wien; Bern"
    return _file("PRODID:Zimbra-Calendar-Provider\nVERSION:2.0\nMETHOD:PUBLISH", _zone(name, _BERLIN_RULES), scenario,
                 f'"{name}"', "X-ZIMBRA-DISCARD-EXCEPTIONS:TRUE", shown=True)


def notes(scenario: Scenario) -> bytes:
    """Lotus Notes: the zone after the entries, a charset in each line, lower case."""
    head = "X-LOTUS-CHARSET:UTF-8\nVERSION:2.0\nPRODID:-//Lotus Development Corporation//NONSGML Notes 9.0//EN_C"
    plain = _file(head, "", scenario, '"Mitteleuropa"', "", )
    zone = _lines(_zone("Mitteleuropa", _BERLIN_RULES))
    text = plain.replace(b"END:VCALENDAR\r\n", zone + b"END:VCALENDAR\r\n")
    return text.replace(b"BEGIN:VEVENT", b"begin:vevent").replace(b"DTSTART", b"dtstart")


def evolution(scenario: Scenario) -> bytes:
    """Evolution: a path of its own, and folded at every few signs."""
    name = "/freeassociation.sourceforge.net/Europe/Berlin"
    data = _file("PRODID:-//Ximian//NONSGML Evolution Calendar//EN\nVERSION:2.0", _zone(name, _BERLIN_RULES), scenario,
                 name, "X-EVOLUTION-CALDAV-HREF:/dav/x.ics")
    lines = data.decode().split("\r\n")
    return "\r\n".join("\r\n\t".join(line[place:place + 30] for place in range(0, max(1, len(line)), 30))
                       for line in lines).encode()


def booking_system(scenario: Scenario) -> bytes:
    """A booking system: every date by itself, in UTC, without a zone."""
    head = "VERSION:2.0\nPRODID:-//Bookings//iCal Feed 1.0//EN\nX-PUBLISHED-TTL:PT15M"
    if not scenario.has_series:
        return _file(head, "", scenario, "UTC", "URL:https://bookings.example/x")
    events = [
        ["BEGIN:VEVENT", f"UID:{number}@bookings", f"DTSTART:{_instant(starts)}", f"DTEND:{_instant(ends)}",
         "SUMMARY:Booked", "END:VEVENT"] for number, (starts, ends) in enumerate(scenario.busy)]
    return _lines("\n".join(["BEGIN:VCALENDAR", head, *(line for event in events for line in event), "END:VCALENDAR"]))


def handheld(scenario: Scenario) -> bytes:
    """An old organizer: no zones at all, carriage returns only, a mark at the beginning."""
    data = _file("VERSION:2.0\nPRODID:-//Palm//Desktop//DE", "", scenario, "", "")
    return b"\xef\xbb\xbf" + data.replace(b"\r\n", b"\r")


DIALECTS: dict[str, Callable[[Scenario], bytes]] = {
    each.__name__: each for each in (
        google, exchange, outlook, apple, thunderbird, old_mozilla, nextcloud, zimbra, notes, evolution,
        booking_system, handheld)}


def _file(
    head: str, zone: str, scenario: Scenario, name: str, more: str, *, shown: bool = False, lasting: bool = False
) -> bytes:
    parts = ["BEGIN:VCALENDAR", head]
    if zone:
        parts.append(zone)
    parts += [_event(entry, name, more, shown, lasting) for entry in scenario.entries]
    return _lines("\n".join([*parts, "END:VCALENDAR"]))


def _event(entry: Entry, name: str, more: str, shown: bool, lasting: bool) -> str:
    lines = ["BEGIN:VEVENT", f"UID:{entry.uid}@example.org", "DTSTAMP:20270101T000000Z",
             _time("DTSTART", entry.starts, entry, name)]
    if lasting and not entry.is_day:
        seconds = int((_moment(entry.ends) - _moment(entry.starts)).total_seconds())
        lines.append(f"DURATION:PT{seconds // 3600}H{seconds % 3600 // 60}M")
    else:
        lines.append(_time("DTEND", entry.ends, entry, name))
    if entry.rule:
        rule = entry.rule.replace("UNTIL=20270617T150000Z", "UNTIL=20270617T170000") if not name else entry.rule
        lines.append(f"RRULE:{rule}")
    lines += [_time("EXDATE", each, entry, name) for each in entry.exceptions]
    if entry.further:
        lines.append(_time("RDATE", entry.further[0], entry, name)
                     + "".join("," + _value(each, name) for each in entry.further[1:]))
    if entry.replaces:
        lines.append(_time("RECURRENCE-ID", entry.replaces, entry, name))
    lines += [f"STATUS:{entry.status}", f"TRANSP:{'TRANSPARENT' if entry.shown == 'FREE' else 'OPAQUE'}"]
    if shown:
        lines.append(f"X-MICROSOFT-CDO-BUSYSTATUS:{entry.shown}")
    if more:
        lines.append(more)
    return "\n".join([*lines, "END:VEVENT"])


def _time(code: str, wall: datetime, entry: Entry, name: str) -> str:
    if entry.is_day:
        return f"{code};VALUE=DATE:{wall:%Y%m%d}"
    zone = "" if name in ("", "UTC") else f";TZID={name}"
    return f"{code}{zone}:{_value(wall, name)}"


def _value(wall: datetime, name: str) -> str:
    return _instant(_moment(wall)) if name == "UTC" else f"{wall:%Y%m%dT%H%M%S}"


def _moment(wall: datetime) -> datetime:
    return wall.replace(tzinfo=BERLIN).astimezone(UTC)


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _zone(name: str, rules: str) -> str:
    return f"BEGIN:VTIMEZONE\nTZID:{name}\n{rules}\nEND:VTIMEZONE"


def _lines(text: str) -> bytes:
    """The lines with CRLF, folded after 75 octets where no sign is cut in two."""
    return "".join(_folded(line) + "\r\n" for line in text.split("\n")).encode()


def _folded(line: str) -> str:
    found, room = "", 75
    for sign in line:
        size = len(sign.encode())
        if room < size:
            found, room = found + "\r\n ", 74
        found, room = found + sign, room - size
    return found


