"""One entry of a calendar with its repetitions, its exceptions, and the single dates that were changed."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from clinic.interchange.ics_lines import CannotRead, Component, Property
from clinic.interchange.ics_values import Length, Moment, length, length_of, moments
from clinic.interchange.ics_zones import Clock, Zones, utc
from clinic.interchange.recurrence import Budget, Unusable, parse_rule, starts_of
from clinic.planning.local import instant

DAY = timedelta(days=1)
LONGEST = 36_600
"""Days. Nothing that was meant lasts longer, and the window cuts it off long before."""

Span = tuple[datetime, datetime]
Key = date | datetime
"""What tells a date of a series from the others: its day, or its instant."""


@dataclass(frozen=True, slots=True)
class Event:
    """An entry: when it first is and how long, by its own clock, and how it repeats."""

    component: Component
    line: int
    uid: str
    sequence: int
    start: Moment
    clock: Clock
    size: Length
    is_busy: bool
    is_tentative: bool
    zones: Zones
    replaces: Key | None
    from_then_on: bool

    def key_of(self, wall: datetime) -> Key:
        """What tells a date of this series from the others."""
        return wall.date() if self.start.is_day else self.clock(wall)


@dataclass(frozen=True, slots=True)
class Date:
    """One date of a series: when by the clock, and how long."""

    wall: datetime
    clock: Clock
    size: Length
    is_day: bool


def event_of(part: Component, zones: Zones) -> Event:
    """The entry that a component says; raises CannotRead."""
    about = part.one("DTSTART")
    if about is None:
        raise CannotRead("An entry does not say when it begins.", part.line)
    start = moments(about)[0]
    clock = utc if start.is_utc else zones.clock(about)
    start, clock, size = _lasting(part, start, clock, zones)
    status, shown = part.text("STATUS"), part.text("X-MICROSOFT-CDO-BUSYSTATUS")
    # Where the two ways to say it disagree, busy is the safe reading.
    is_free = shown == "FREE" or (part.text("TRANSP") == "TRANSPARENT" and shown == "")
    is_busy = status != "CANCELLED" and not is_free
    uid, again = part.one("UID"), part.one("RECURRENCE-ID")
    reach = again.parameters.get("RANGE", "").upper() if again else ""
    if reach not in ("", "THISANDFUTURE"):
        raise CannotRead(f"A change of the range {reach[:20]} cannot be followed.", part.line)
    return Event(
        part, part.line, uid.value.strip() if uid else "", _sequence(part), start, clock, size, is_busy,
        is_busy and (status == "TENTATIVE" or shown == "TENTATIVE"), zones,
        _key(again, zones) if again else None, bool(reach))


def spans_of(events: Sequence[Event], floating: ZoneInfo, window: Span, budget: Budget) -> Iterator[Span]:
    """When the entries of one identity are busy: the series, and the dates that stand for some of its dates."""
    masters = [event for event in events if event.replaces is None]
    changes = [event for event in events if event.replaces is not None]
    lasting = sorted((each for each in changes if each.from_then_on), key=lambda each: each.line)
    replaced = {is_day: _replaced(changes, is_day, floating) for is_day in {each.start.is_day for each in masters}}
    room = sum(_room(each.size) + abs(_shift(each)) // DAY for each in lasting)
    for master in masters:
        budget.spend()
        dates = _dates(master, replaced[master.start.is_day], floating, _reach(master, room, window), budget)
        for change in lasting:
            budget.spend(len(dates))
            dates = _from_then_on(dates, change, floating)
        if master.is_busy:
            yield from (_span(each, floating) for each in dates.values())
    for change in changes:
        if change.is_busy and not (change.from_then_on and masters):
            yield _span(Date(change.start.wall, change.clock, change.size, change.start.is_day), floating)


class _LeftOut:
    """The dates that a series does not have. Programs name them by their instant or, less exactly, by their day."""

    def __init__(self, is_day: bool, floating: ZoneInfo) -> None:
        self._is_day, self._floating = is_day, floating
        self.keys: set[Key] = set()
        self.days: set[date] = set()

    def add(self, each: Moment, clock: Clock) -> None:
        if each.is_day:
            self.days.add(each.wall.date())
        elif not self._is_day:
            self.keys.add(clock(each.wall))
        elif each.is_utc and (each.wall.hour or each.wall.minute):
            self.days.add(utc(each.wall).astimezone(self._floating).date())
        else:
            self.days.add(each.wall.date())

    def __contains__(self, item: tuple[Key, Date]) -> bool:
        return item[0] in self.keys or item[1].wall.date() in self.days


def _replaced(changes: Sequence[Event], is_day: bool, floating: ZoneInfo) -> _LeftOut:
    """The dates for which another entry stands."""
    found = _LeftOut(is_day, floating)
    for change in changes:
        again = change.component.one("RECURRENCE-ID")
        if again is not None and not change.from_then_on:
            each = moments(again)[0]
            found.add(each, utc if each.is_utc else change.zones.clock(again))
    return found


def _dates(
    event: Event, replaced: _LeftOut, floating: ZoneInfo, reach: tuple[date, date], budget: Budget
) -> dict[Key, Date]:
    """The dates of a series that can meet the window, without its exceptions and without those that were changed."""
    found: dict[Key, Date] = {}
    left_out = _LeftOut(event.start.is_day, floating)
    rules = event.component.all("RRULE")
    for wall in _walls(event, rules, reach, budget) if rules else (event.start.wall,):
        found[event.key_of(wall)] = Date(wall, event.clock, event.size, event.start.is_day)
    for about in event.component.all("RDATE"):
        clock = event.zones.clock(about)
        for each in _spent(moments(about), budget):
            own = utc if each.is_utc else clock
            key: Key = each.wall.date() if event.start.is_day else own(each.wall)
            found[key] = Date(each.wall, own, _period(each, own, about) or event.size, event.start.is_day)
    for about in event.component.all("EXDATE"):
        clock = event.zones.clock(about)
        for each in _spent(moments(about), budget):
            left_out.add(each, utc if each.is_utc else clock)
    left_out.keys.update(event.key_of(wall) for wall in _walls(event, event.component.all("EXRULE"), reach, budget))
    return {key: each for key, each in found.items() if (key, each) not in left_out and (key, each) not in replaced}


def _spent(found: list[Moment], budget: Budget) -> list[Moment]:
    budget.spend(3 * len(found))
    return found


def _room(size: Length) -> int:
    return size.days + size.exact // DAY + 3


def _reach(event: Event, room: int, window: Span) -> tuple[date, date]:
    """The dates on which a date of the series must begin to meet the window, with room for zones and for changes."""
    room = min(room + _room(event.size), 2 * LONGEST)
    low = max(event.start.wall.toordinal(), window[0].toordinal() - room)
    return date.fromordinal(low), date.fromordinal(window[1].toordinal() + room)


def _walls(
    event: Event, rules: Sequence[Property], reach: tuple[date, date], budget: Budget
) -> Iterator[datetime]:
    begins, ends = reach
    for about in rules:
        try:
            rule = parse_rule(about.value)
            until = moments(Property("UNTIL", {}, rule.until, about.line))[0] if rule.until else None
            last = min(ends, (until.wall + DAY).date()) if until else ends
            for wall in starts_of(rule, event.start.wall, begins, last, budget):
                if until is None or _is_until(event, wall, until):
                    yield wall
        except Unusable as why:
            raise CannotRead(str(why), about.line) from why


def _is_until(event: Event, wall: datetime, until: Moment) -> bool:
    if event.start.is_day or until.is_day:
        return wall.date() <= until.wall.date()
    return event.clock(wall) <= utc(until.wall) if until.is_utc else wall <= until.wall


def _from_then_on(dates: dict[Key, Date], change: Event, floating: ZoneInfo) -> dict[Key, Date]:
    """The series whose dates from one on are moved alike; or end, where that change is no busy time."""
    begins = _instant(change.replaces, floating)
    shift = _shift(change)
    found: dict[Key, Date] = {}
    for key, each in dates.items():
        if _instant(key, floating) < begins:
            found[key] = each
        elif change.is_busy:
            found[key] = Date(each.wall + shift, each.clock, change.size, change.start.is_day)
    return found


def _shift(change: Event) -> timedelta:
    """How far a change moves its date, by the clock where both say the same one."""
    again = change.component.one("RECURRENCE-ID")
    assert again is not None
    was = moments(again)[0]
    if was.is_day or was.is_utc == change.start.is_utc:
        return change.start.wall - was.wall
    return change.clock(change.start.wall) - (utc if was.is_utc else change.zones.clock(again))(was.wall)


def _instant(key: Key | None, floating: ZoneInfo) -> datetime:
    if isinstance(key, datetime):
        return key
    assert key is not None
    return instant(key, 0, floating)


def _span(each: Date, floating: ZoneInfo) -> Span:
    if each.is_day:
        day = each.wall.date()
        return instant(day, 0, floating), instant(day + max(1, each.size.days) * DAY, 0, floating)
    starts = each.clock(each.wall)
    ends = (each.clock(each.wall + each.size.days * DAY) if each.size.days else starts) + each.size.exact
    return starts, max(starts, ends)


def _lasting(part: Component, start: Moment, clock: Clock, zones: Zones) -> tuple[Moment, Clock, Length]:
    """When an entry begins and how long it lasts; a whole day where it says neither end nor length."""
    about = part.one("DTEND")
    if about is not None and about.value:
        end = moments(about)[0]
        other = utc if end.is_utc else zones.clock(about)
        if start.is_day and end.is_day:
            size = Length((end.wall - start.wall).days, timedelta())
        elif start.is_day:
            # A day that ends at a time of day begins at its midnight.
            start, clock = Moment(start.wall), other
            size = Length(0, other(end.wall) - other(start.wall))
        else:
            size = Length(0, (clock if end.is_day else other)(end.wall) - clock(start.wall))
            if size.exact < timedelta() < end.wall - start.wall and other is clock:
                size = Length(0, end.wall - start.wall)  # It lies in the hour that a clock change skips.
        if size.days < 0 or size.exact < timedelta():
            raise CannotRead("An entry ends before it begins.", about.line)
    else:
        said = part.one("DURATION")
        size = length(said) if said is not None and said.value else Length(1 if start.is_day else 0, timedelta())
    if start.is_day and size.exact:
        size = Length(size.days - (-size.exact // DAY), timedelta())
    return start, clock, Length(min(size.days, LONGEST), min(size.exact, LONGEST * DAY))


def _period(each: Moment, clock: Clock, about: Property) -> Length | None:
    """How long a date lasts that says so itself."""
    if not each.period:
        return None
    if each.period[:1] in "Pp+":
        return length_of(each.period, about)
    end = moments(Property(about.name, {}, each.period, about.line))[0]
    size = (utc if end.is_utc else clock)(end.wall) - clock(each.wall)
    if size < timedelta():
        raise CannotRead("An entry ends before it begins.", about.line)
    return Length(0, min(size, LONGEST * DAY))


def _key(about: Property, zones: Zones) -> Key:
    each = moments(about)[0]
    if each.is_day:
        return each.wall.date()
    return (utc if each.is_utc else zones.clock(about))(each.wall)


def _sequence(part: Component) -> int:
    text = part.text("SEQUENCE")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
