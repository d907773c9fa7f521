"""Calendar files read three times: by the grammar of RFC 5545 alone, by `icalendar`, which writes them, and by `ical`.

And the rules of RFC 5546 and of this house for each METHOD, as a table.
"""
from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dateutil import tz
from ical.calendar_stream import IcsCalendarStream
from icalendar import Calendar

LONGEST_LINE = 75


@dataclass(frozen=True)
class Line:
    """One property as RFC 5545 writes it: name, parameters, value still escaped."""

    name: str
    parameters: dict[str, str]
    value: str


@dataclass(frozen=True)
class Reading:
    """What a calendar program reads of one event."""

    uid: str
    sequence: int
    status: str
    starts_at: datetime
    ends_at: datetime
    stamped_at: datetime
    summary: str
    location: str
    description: str
    organizer: tuple[str, str]
    attendees: tuple[tuple[str, str], ...]


def lines_of(file: bytes) -> list[Line]:
    """The file by the grammar of RFC 5545, and by nothing of any library."""
    unfolded = re.sub(rb"\r\n[ \t]", b"", file).decode("utf-8")
    return [_line(text) for text in unfolded.split("\r\n") if text]


def _line(text: str) -> Line:
    found = re.fullmatch(r'([A-Z-]+)((?:;[A-Z-]+=(?:"[^"]*"|[^";:,]*))*):(.*)', text, re.DOTALL)
    assert found is not None, text
    parameters = re.findall(r';([A-Z-]+)=("[^"]*"|[^";:,]*)', found[2])
    return Line(found[1], {name: value.strip('"') for name, value in parameters}, found[3])


def components(file: bytes, wanted: str) -> list[dict[str, list[Line]]]:
    """The properties of each component of that name, those of components inside it left out."""
    found: list[dict[str, list[Line]]] = []
    nesting: list[str] = []
    for line in lines_of(file):
        if line.name == "BEGIN":
            nesting.append(line.value)
            if line.value == wanted:
                found.append({})
        elif line.name == "END":
            assert nesting.pop() == line.value
        elif nesting[-1] == wanted:
            found[-1].setdefault(line.name, []).append(line)
    assert nesting == []
    return found


def unescaped(value: str) -> str:
    """A TEXT value as it is read."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


def read_alike(file: bytes) -> list[Reading]:
    """What is read of the file's events; three readings that differ, or a second METHOD, are an error."""
    by_grammar, by_writer, by_other = _by_grammar(file), _by_icalendar(file), _by_ical(file)
    assert by_grammar == by_writer
    assert by_grammar == by_other
    return by_grammar


def method_of(file: bytes) -> str:
    """The METHOD, as all three readings have it."""
    [calendar] = components(file, "VCALENDAR")
    [line] = calendar["METHOD"]
    other = IcsCalendarStream.calendar_from_ics(file.decode()).method
    assert line.value == str(Calendar.from_ical(file)["METHOD"]) == other
    return line.value


def _by_grammar(file: bytes) -> list[Reading]:
    def one(event: dict[str, list[Line]], name: str) -> str:
        return unescaped(event[name][0].value) if name in event else ""

    return [Reading(
        one(event, "UID"), int(one(event, "SEQUENCE")), one(event, "STATUS"), instant_of(event["DTSTART"][0], file),
        instant_of(event["DTEND"][0], file), instant_of(event["DTSTAMP"][0], file), one(event, "SUMMARY"),
        one(event, "LOCATION"), one(event, "DESCRIPTION"), _party(event["ORGANIZER"][0]),
        tuple(map(_party, event.get("ATTENDEE", ())))) for event in components(file, "VEVENT")]


def _party(line: Line) -> tuple[str, str]:
    # RFC 6868: what a parameter cannot hold is written with a caret.
    name = re.sub(r"\^([n'^])", lambda found: {"n": "\n", "'": '"', "^": "^"}[found[1]], line.parameters.get("CN", ""))
    return name, line.value


def _by_icalendar(file: bytes) -> list[Reading]:
    def texts(event: object, name: str) -> str:
        return str(event.get(name, ""))  # type: ignore[attr-defined]  # an Event

    def party(address: object) -> tuple[str, str]:
        return str(address.params.get("CN", "")), str(address)  # type: ignore[attr-defined]  # a vCalAddress

    found = []
    for event in Calendar.from_ical(file).walk("VEVENT"):
        attendees = event.get("ATTENDEE", [])
        found.append(Reading(
            texts(event, "UID"), int(event["SEQUENCE"]), texts(event, "STATUS"),
            event["DTSTART"].dt.astimezone(UTC), event["DTEND"].dt.astimezone(UTC), event["DTSTAMP"].dt,
            texts(event, "SUMMARY"), texts(event, "LOCATION"), texts(event, "DESCRIPTION"), party(event["ORGANIZER"]),
            tuple(map(party, attendees if isinstance(attendees, list) else [attendees]))))
    return found


def _by_ical(file: bytes) -> list[Reading]:
    return [Reading(
        each.uid or "", each.sequence or 0, each.status.value if each.status else "", _utc(each.dtstart),
        _utc(each.dtend), _utc(each.dtstamp), each.summary or "", each.location or "", each.description or "",
        (each.organizer.common_name or "", str(each.organizer.uri)) if each.organizer else ("", ""),
        tuple((party.common_name or "", str(party.uri)) for party in each.attendees))
        for each in IcsCalendarStream.calendar_from_ics(file.decode()).events]


def _utc(at: object) -> datetime:
    assert isinstance(at, datetime)
    return at.astimezone(UTC)


def instant_of(line: Line, file: bytes) -> datetime:
    """The instant that a calendar program finds by the VTIMEZONE of the file, as RFC 5545 3.6.5 tells it to."""
    wall = datetime.strptime(line.value.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - a wall time has no zone
    if line.value.endswith("Z"):
        return wall.replace(tzinfo=UTC)
    changes = [
        (datetime.strptime(each["DTSTART"][0].value, "%Y%m%dT%H%M%S"), each)  # noqa: DTZ007 - likewise
        for kind in ("STANDARD", "DAYLIGHT") for each in components(file, kind)
    ]
    _, observance = max((change for change in changes if change[0] <= wall), key=lambda change: change[0])
    return (wall - _offset(observance["TZOFFSETTO"][0].value)).replace(tzinfo=UTC)


def instant_by_dateutil(line: Line, file: bytes) -> datetime:
    """The same by dateutil, which knows nothing of the zone but the VTIMEZONE."""
    wall = datetime.strptime(line.value.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - a wall time has no zone
    if line.value.endswith("Z"):
        return wall.replace(tzinfo=UTC)
    zones = tz.tzical(io.StringIO(file.decode().replace("\r\n", "\n")))
    return wall.replace(tzinfo=zones.get(line.parameters["TZID"])).astimezone(UTC)


def _offset(text: str) -> timedelta:
    sign = -1 if text[0] == "-" else 1
    return sign * timedelta(hours=int(text[1:3]), minutes=int(text[3:5]), seconds=int(text[5:7] or 0))


_ALWAYS = {"DTSTAMP": (1, 1), "UID": (1, 1), "ORGANIZER": (1, 1), "CLASS": (1, 1), "STATUS": (1, 1), "SEQUENCE": (1, 1),
           "LOCATION": (0, 1), "DESCRIPTION": (0, 1), "TRANSP": (0, 1)}
RULES: dict[str, dict[str, tuple[int, int]]] = {
    "PUBLISH": {**_ALWAYS, "DTSTART": (1, 1), "DTEND": (1, 1), "SUMMARY": (1, 1)},
    "REQUEST": {**_ALWAYS, "DTSTART": (1, 1), "DTEND": (1, 1), "SUMMARY": (1, 1), "ATTENDEE": (1, 1)},
    "CANCEL": {**_ALWAYS, "DTSTART": (0, 1), "DTEND": (0, 1), "SUMMARY": (0, 1), "ATTENDEE": (1, 1)},
}
"""How often a property stands in a VEVENT of each method; what is not named stands in none.

RFC 5546, 3.2.1, 3.2.2 and 3.2.5, and stricter where this house is: a PUBLISH has no ATTENDEE; a CANCEL of a whole event
names all of them; no RRULE, RECURRENCE-ID, REQUEST-STATUS or VALARM; one event in a REQUEST or CANCEL; always CLASS,
STATUS and SEQUENCE.
"""
STATUS = {"PUBLISH": "CONFIRMED", "REQUEST": "CONFIRMED", "CANCEL": "CANCELLED"}
_AROUND = {"VERSION": ["2.0"], "CALSCALE": ["GREGORIAN"], "PRODID": ["-//clinic//appointments//EN"]}
_KINDS = {"VCALENDAR", "VTIMEZONE", "STANDARD", "DAYLIGHT", "VEVENT"}


def faults_of(file: bytes) -> Iterator[str]:
    """What breaks a rule, each in a few words."""
    [calendar] = components(file, "VCALENDAR")
    events, method = components(file, "VEVENT"), method_of(file)
    around = {name: [line.value for line in lines] for name, lines in calendar.items() if name != "METHOD"}
    if around != _AROUND:
        yield f"around it: {around}"
    for event in events:
        yield from _event_faults(event, method)
    if len({event["UID"][0].value for event in events}) != len(events) or (method != "PUBLISH" and len(events) != 1):
        yield "one event twice, or several in a file about one"
    yield from (f"a {line.value}" for line in lines_of(file) if line.name == "BEGIN" and line.value not in _KINDS)
    yield from _zone_faults(file, events)
    yield from _shape_faults(file)


def _event_faults(event: dict[str, list[Line]], method: str) -> Iterator[str]:
    allowed = RULES[method]
    yield from (f"{name} in a {method}" for name in event if name not in allowed)
    for name, (least, most) in allowed.items():
        if not least <= len(event.get(name, [])) <= most:
            yield f"{name} {len(event.get(name, []))} times in a {method}"
    if [line.value for line in event["STATUS"]] != [STATUS[method]] or event["CLASS"][0].value != "PRIVATE":
        yield "status or class"
    if not event["DTSTAMP"][0].value.endswith("Z"):
        yield "DTSTAMP is not in UTC"
    for line in (*event["ORGANIZER"], *event.get("ATTENDEE", ())):
        if not re.fullmatch(r"mailto:[A-Za-z0-9!$'*+._~%-]+@[a-z0-9.-]+", line.value):
            yield f"{line.name} {line.value}"


def _zone_faults(file: bytes, events: list[dict[str, list[Line]]]) -> Iterator[str]:
    zones = [line.value for zone in components(file, "VTIMEZONE") for line in zone["TZID"]]
    wanted = {line.parameters["TZID"] for event in events for name in ("DTSTART", "DTEND")
              for line in event.get(name, ()) if "TZID" in line.parameters}
    if len(set(zones)) != len(zones) or not wanted <= set(zones):
        yield f"zones {zones} for {wanted}"
    for event in events:
        for name in ("DTSTART", "DTEND"):
            for line in event.get(name, ()):
                if instant_of(line, file) != instant_by_dateutil(line, file):
                    yield f"{name} {line.value} is two instants"


def _shape_faults(file: bytes) -> Iterator[str]:
    lines = file.split(b"\r\n")
    if lines[-1] != b"" or any(b"\n" in line or b"\r" in line for line in lines):
        yield "line ends"
    for line in lines:
        if len(line) > LONGEST_LINE:
            yield f"a line of {len(line)} octets"
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            yield "a line cut inside a sign"
