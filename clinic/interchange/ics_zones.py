"""The zones of a calendar file: known by their IANA name, by the name that Windows gives them, or only described."""
from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from clinic.interchange.ics_lines import CannotRead, Component, Property
from clinic.interchange.ics_values import moments
from clinic.interchange.recurrence import Budget, Unusable, parse_rule, starts_of
from clinic.planning.local import zone as zone_named

Clock = Callable[[datetime], datetime]
"""The instant (aware UTC) of a wall-clock reading; one that is skipped counts on by the offset before the gap."""

_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2}):?(\d{2})?", re.ASCII)
_YEAR = timedelta(days=366)
_UTC_NAMES = ("UTC", "GMT", "Z", "ETC/UTC", "ETC/GMT", "COORDINATED UNIVERSAL TIME")


def utc(wall: datetime) -> datetime:
    """The clock of the times that end in Z."""
    return wall.replace(tzinfo=UTC)


def clock_of(where: ZoneInfo) -> Clock:
    """The clock of a zone that is known here."""
    # With fold 0 a skipped time takes the offset before the gap, and one that happens twice is its first pass: as
    # the format wants it.
    return lambda wall: wall.replace(tzinfo=where, fold=0).astimezone(UTC)


class Zones:
    """The zones that a calendar's times may name; those that it describes itself are worked out when asked for."""

    def __init__(self, described: Iterable[Component], floating: ZoneInfo, window: tuple[datetime, datetime],
                 budget: Budget) -> None:
        self._described = {found.value.strip(): each for each in described if (found := each.one("TZID"))}
        self._floating, self._window, self._budget = clock_of(floating), window, budget
        self._known: dict[str, Clock] = {}

    def clock(self, about: Property) -> Clock:
        """The clock that a property's times are read by, where they do not say UTC themselves."""
        name = about.parameters.get("TZID", "").strip()
        if not name:
            return self._floating
        if name not in self._known:
            self._known[name] = self._found(name, about.line)
        return self._known[name]

    def _found(self, name: str, line: int) -> Clock:
        known = _known_zone(name)
        described = self._described.get(name)
        if known is None and described is not None:
            location = described.one("X-LIC-LOCATION")
            known = _known_zone(location.value) if location else None
        if known is not None:
            return known
        if described is not None:
            return _described_clock(described, self._window, self._budget)
        if (plain := _iana(name)) is not None:
            return clock_of(plain)
        raise CannotRead(f"The time zone {name[:60]} is not known, and the file does not describe it.", line)


def _known_zone(name: str) -> Clock | None:
    """By the last parts of a path (/vendor/version/Europe/Berlin), or by the Windows name."""
    bare = name.strip().strip('"')
    if bare.upper() in _UTC_NAMES:
        return utc
    if bare in WINDOWS_TO_OLSON:
        return clock_of(zone_named(WINDOWS_TO_OLSON[bare]))
    parts = bare.strip("/").split("/")
    for size in (3, 2):
        if len(parts) >= size and (found := _iana("/".join(parts[-size:]))) is not None:
            return clock_of(found)
    return None


def _iana(name: str) -> ZoneInfo | None:
    try:
        return zone_named(name)
    except ValueError:
        return None


def _described_clock(described: Component, window: tuple[datetime, datetime], budget: Budget) -> Clock:
    """The clock that a VTIMEZONE describes, around the window; before its first change the offset that stood then."""
    changes = sorted(
        change for part in described.parts if part.name in ("STANDARD", "DAYLIGHT")
        for change in _changes(part, window, budget))
    if not changes:
        raise CannotRead("The time zone is described without any offset.", described.line)
    onsets = [(at, before, after) for at, before, after in changes]
    # A reading belongs to the new offset from the change on; within a gap, and in the first pass of an hour that
    # happens twice, to the old one.
    walls = [max(at + before, at + after) for at, before, after in onsets]
    offsets = [onsets[0][1], *(after for _, _, after in onsets)]

    def clock(wall: datetime) -> datetime:
        return (wall - offsets[bisect_right(walls, wall)]).replace(tzinfo=UTC)

    return clock


def _changes(
    part: Component, window: tuple[datetime, datetime], budget: Budget
) -> list[tuple[datetime, timedelta, timedelta]]:
    """When this offset begins (UTC without saying so), the one before, and this one."""
    starts = part.one("DTSTART")
    if starts is None:
        raise CannotRead("A time zone is described without the beginning of its offset.", part.line)
    before, after = _offset(part, "TZOFFSETFROM"), _offset(part, "TZOFFSETTO")
    first = moments(starts)[0].wall
    found = {first}
    for about in part.all("RDATE"):
        found.update(each.wall for each in moments(about))
    rule = part.one("RRULE")
    if rule is not None:
        found.update(_onsets(rule, first, before, window, budget))
    return [(wall - before, before, after) for wall in found]


def _onsets(
    about: Property, first: datetime, before: timedelta, window: tuple[datetime, datetime], budget: Budget
) -> list[datetime]:
    try:
        rule = parse_rule(about.value)
        # Two years before the window, for the offset that still holds when it begins.
        begins, ends = (window[0] - 2 * _YEAR).date(), (window[1] + _YEAR).date()
        if rule.until:
            # Also the last change of a rule that ended long ago may be the one that holds.
            last = moments(Property("UNTIL", {}, rule.until, about.line))[0]
            until = last.wall + before if last.is_utc else last.wall
            begins = min(begins, (max(first, until) - 2 * _YEAR).date())
            found = [each for each in starts_of(rule, first, begins, ends, budget) if each <= until or each == first]
        else:
            found = list(starts_of(rule, first, begins, ends, budget))
    except Unusable as why:
        raise CannotRead(str(why), about.line) from why
    return found


def _offset(part: Component, name: str) -> timedelta:
    about = part.one(name)
    found = _OFFSET.fullmatch(about.value.strip()) if about else None
    if found is None:
        raise CannotRead(f"A time zone is described without a usable {name}.", about.line if about else part.line)
    size = timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
    if size >= timedelta(hours=24):
        raise CannotRead(f"A time zone is described with {name} {about.value[:20] if about else ''}.", part.line)
    return -size if found[1] == "-" else size
