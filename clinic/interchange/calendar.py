"""Calendar files (RFC 5545) that say what became of an appointment (RFC 5546).

Each appointment is an event of its own with one UID for life, never a recurrence rule; its revision is the
SEQUENCE. The files name no treatment: a calendar is often shared with a family or an employer.
"""
from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import quote
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard, vCalAddress, vText

from clinic.care.directions import undirected
from clinic.planning.local import zone as zone_named

_PRODUCT = "-//clinic//appointments//EN"
_SECOND = timedelta(seconds=1)
_STEP = timedelta(days=7)
_PLAIN_IN_URI = "!$'*+-._~"
_LINE_END = re.compile("\r\n|[\r\x85\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}]")


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One appointment as a calendar shows it. `summary` and `description` must stay neutral."""

    uid: str
    revision: int
    starts_at: datetime
    ends_at: datetime
    zone: str
    summary: str
    location: str
    description: str = ""

    def __post_init__(self) -> None:
        if not self.uid or not self.summary:
            raise ValueError("a calendar entry needs a UID and a summary")
        if self.revision < 0:
            raise ValueError(f"a revision counts from 0: {self.revision}")
        if self.starts_at.utcoffset() is None or self.ends_at.utcoffset() is None:
            raise ValueError("a calendar entry's times need their zone")
        if self.ends_at <= self.starts_at:
            raise ValueError(f"an entry ends before it starts: {self.starts_at} to {self.ends_at}")


@dataclass(frozen=True, slots=True)
class Party:
    """Who organises or attends. Programs know a change by its organiser, who stays while the sender's address does."""

    name: str
    email: str


def series_file(entries: Sequence[CalendarEntry], *, organizer: Party, stamped_at: datetime) -> bytes:
    """One file with all dates of a course, to be added to a calendar as they are (PUBLISH)."""
    if len({entry.uid for entry in entries}) != len(entries) or not entries:
        raise ValueError("a series needs entries, each with a UID of its own")
    events = [_event(entry, "CONFIRMED", organizer, None, stamped_at) for entry in entries]
    return _file("PUBLISH", events, entries)


def request_file(entry: CalendarEntry, *, organizer: Party, attendee: Party, stamped_at: datetime) -> bytes:
    """The file that puts one appointment into a calendar, or moves it there (REQUEST)."""
    return _file("REQUEST", [_event(entry, "CONFIRMED", organizer, attendee, stamped_at)], [entry])


def cancel_file(entry: CalendarEntry, *, organizer: Party, attendee: Party, stamped_at: datetime) -> bytes:
    """The file that takes one appointment out of a calendar (CANCEL)."""
    return _file("CANCEL", [_event(entry, "CANCELLED", organizer, attendee, stamped_at)], [entry])


def _file(method: str, events: Iterable[Event], entries: Sequence[CalendarEntry]) -> bytes:
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", _PRODUCT)
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", method)
    head, end, _ = calendar.to_ical().partition(b"END:VCALENDAR\r\n")
    # A zone is many lines and the same in every file: it goes in as it was written the first time.
    return b"".join((head, *_zones(entries), *(event.to_ical() for event in events), end))


def _zones(entries: Sequence[CalendarEntry]) -> Iterable[bytes]:
    for name in sorted({entry.zone for entry in entries}):
        dated = [entry for entry in entries if entry.zone == name]
        first = min(entry.starts_at for entry in dated).year - 1
        last = max(entry.ends_at for entry in dated).year + 1
        yield _zone_component(name, first, last)


def _event(
    entry: CalendarEntry, status: str, organizer: Party, attendee: Party | None, stamped_at: datetime
) -> Event:
    where = zone_named(entry.zone)
    event = Event()
    event.add("UID", _clean(entry.uid))
    event.add("DTSTAMP", stamped_at.astimezone(UTC).replace(microsecond=0))
    event.add("DTSTART", _wall_time(entry.starts_at, where))
    event.add("DTEND", _wall_time(entry.ends_at, where))
    event.add("SEQUENCE", entry.revision)
    event.add("STATUS", status)
    event.add("SUMMARY", _clean(entry.summary))
    if entry.location:
        event.add("LOCATION", _clean(entry.location))
    if entry.description:
        event.add("DESCRIPTION", _clean(entry.description))
    event.add("CLASS", "PRIVATE")
    event.add("TRANSP", "TRANSPARENT" if status == "CANCELLED" else "OPAQUE")
    event.add("ORGANIZER", _address(organizer), encode=False)
    if attendee is not None:
        event.add("ATTENDEE", _attending(attendee), encode=False)
    return event


def _wall_time(at: datetime, where: ZoneInfo) -> datetime:
    """The local reading; in UTC where it would be read as the first pass of a repeated hour and is the second."""
    local = at.astimezone(where)
    return at.astimezone(UTC) if local.fold else local


def _address(party: Party) -> vCalAddress:
    local, _, domain = party.email.rpartition("@")
    # What an address may hold and its URI may not (RFC 6068, 2).
    address = vCalAddress(f"mailto:{quote(local, safe=_PLAIN_IN_URI)}@{domain}")
    if party.name:
        # A parameter cannot hold a double quote, not even escaped (RFC 5545 3.2).
        address.params["CN"] = vText(_clean(party.name).replace('"', "'").replace("\n", " "))
    return address


def _attending(party: Party) -> vCalAddress:
    address = _address(party)
    address.params["CUTYPE"] = vText("INDIVIDUAL")
    address.params["ROLE"] = vText("REQ-PARTICIPANT")
    address.params["PARTSTAT"] = vText("ACCEPTED")
    address.params["RSVP"] = vText("FALSE")
    return address


def _clean(text: str) -> str:
    """Text without the control characters that no calendar value may hold, and without turns of direction; line ends
    become one kind, also those that only some programs take for one."""
    lines = _LINE_END.sub("\n", undirected(text))
    return "".join(sign for sign in lines if sign == "\n" or unicodedata.category(sign) != "Cc")


@lru_cache(maxsize=128)
def _zone_component(name: str, first_year: int, last_year: int) -> bytes:
    """The zone's clock changes over these years, each exactly as the zone data has it."""
    where = zone_named(name)
    component = Timezone()
    component.add("TZID", name)
    begin = datetime(first_year, 1, 1, tzinfo=UTC)
    component.add_component(_observance(begin, begin, where))
    for at in _changes(where, begin, datetime(last_year + 1, 1, 1, tzinfo=UTC)):
        component.add_component(_observance(at - _SECOND, at, where))
    return bytes(component.to_ical())


def _observance(before: datetime, at: datetime, where: ZoneInfo) -> TimezoneStandard | TimezoneDaylight:
    old, new = before.astimezone(where), at.astimezone(where)
    part = TimezoneDaylight() if new.dst() else TimezoneStandard()
    offset = old.utcoffset() or timedelta()
    part.add("DTSTART", (at + offset).replace(tzinfo=None))
    part.add("TZOFFSETFROM", offset)
    part.add("TZOFFSETTO", new.utcoffset() or timedelta())
    part.add("TZNAME", new.tzname() or new.strftime("%z"))
    return part


def _changes(where: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    """The instants (UTC) at which the offset or the name of the zone's time changes."""
    changes, at = [], begin
    while at < end:
        if _reading(at, where) != _reading(at + _STEP, where):
            changes.append(_change_between(at, at + _STEP, where))
        at += _STEP
    return changes


def _change_between(low: datetime, high: datetime, where: ZoneInfo) -> datetime:
    before = _reading(low, where)
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        if _reading(middle, where) == before:
            low = middle
        else:
            high = middle
    return high


def _reading(at: datetime, where: ZoneInfo) -> tuple[timedelta | None, str | None]:
    local = at.astimezone(where)
    return local.utcoffset(), local.tzname()
