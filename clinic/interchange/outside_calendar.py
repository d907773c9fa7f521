"""A calendar that somebody keeps elsewhere, read as the times at which they are busy, and nothing else.

Busy is what is not marked free or cancelled; tentative times and work elsewhere count as busy, for who is asked to be
in two places cannot treat. A file is taken whole or refused with the line at fault: half a calendar would let the desk
book over the other half.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from clinic.interchange.ics_lines import CannotRead, Component, calendars
from clinic.interchange.ics_series import Event, Span, event_of, spans_of
from clinic.interchange.ics_values import length_of, moments
from clinic.interchange.ics_zones import Zones, utc
from clinic.interchange.recurrence import Budget
from clinic.planning.local import zone as zone_named

MOST_SPANS = 5_000
_FREE_PERIODS = ("FREE",)
_COST = 8
"""Of reading one entry, in steps of a repetition."""


@dataclass(frozen=True, slots=True)
class Busy:
    """A time at which somebody is busy: whole seconds, aware UTC."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class OutsideCalendar:
    """What a file says: the busy times, in order and apart from each other, and how many of its entries count how."""

    spans: tuple[Busy, ...]
    entries: int
    left_out: int
    tentative: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a file was not taken, and the line where it shows."""

    text: str
    line: int | None

    @property
    def words(self) -> str:
        """The reason as a person reads it."""
        return f"Line {self.line}: {self.text}" if self.line else self.text


def read_calendar(data: bytes, *, zone: str, from_at: datetime, to_at: datetime) -> OutsideCalendar | Unreadable:
    """The busy times of a calendar file from one instant to another.

    Times without a zone, and whole days, are those of `zone`.
    """
    try:
        return _read(calendars(data), zone_named(zone), from_at, to_at)
    except CannotRead as why:
        return Unreadable(why.text, why.line)


def _read(found: Sequence[Component], floating: ZoneInfo, from_at: datetime, to_at: datetime) -> OutsideCalendar:
    window, budget = (from_at.astimezone(UTC), to_at.astimezone(UTC)), Budget()
    spans: list[Span] = []
    entries = left_out = tentative = 0
    for calendar in found:
        _check_scale(calendar)
        zones = Zones((each for each in calendar.parts if each.name == "VTIMEZONE"), floating,
                      (window[0].replace(tzinfo=None), window[1].replace(tzinfo=None)), budget)
        parts = [part for part in calendar.parts if part.name == "VEVENT"]
        budget.spend(_COST * len(parts))
        events = [event_of(part, zones) for part in parts]
        is_off = calendar.text("METHOD") == "CANCEL"
        entries += len(events)
        left_out += sum(1 for event in events if is_off or not event.is_busy)
        tentative += sum(1 for event in events if not is_off and event.is_tentative)
        if not is_off:
            for series in _series(events):
                spans += spans_of(series, floating, window, budget)
            spans += chain.from_iterable(_periods(part) for part in calendar.parts if part.name == "VFREEBUSY")
    return OutsideCalendar(_merged(spans, *window), entries, left_out, tentative)


def _check_scale(calendar: Component) -> None:
    if calendar.text("CALSCALE") not in ("", "GREGORIAN"):
        raise CannotRead("The calendar counts by another calendar than the Gregorian one.", calendar.line)


def _series(events: Iterable[Event]) -> Iterable[list[Event]]:
    """The events by their identity, each in its newest version only."""
    alone: list[list[Event]] = []
    of: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.uid:
            of[event.uid].append(event)
        else:
            alone.append([event])
    return chain(alone, (_newest(each) for each in of.values()))


def _newest(events: list[Event]) -> list[Event]:
    """Without what a later sequence replaced. Programs that give many events one UID keep them all."""
    newest: dict[object, int] = {}
    for event in events:
        newest[event.replaces] = max(newest.get(event.replaces, 0), event.sequence)
    return [event for event in events if event.sequence == newest[event.replaces]]


def _periods(part: Component) -> Iterable[Span]:
    """The busy times of a component that holds nothing else."""
    for about in part.all("FREEBUSY"):
        if about.parameters.get("FBTYPE", "BUSY").upper() in _FREE_PERIODS or not about.value.strip():
            continue
        for each in moments(about):
            if not each.period:
                raise CannotRead("FREEBUSY says a time that does not end.", about.line)
            if each.period[:1] in "Pp+":
                size = length_of(each.period, about)
                ends = each.wall + size.days * timedelta(days=1) + size.exact
            else:
                ends = moments(type(about)(about.name, {}, each.period, about.line))[0].wall
            yield utc(each.wall), utc(ends)


def _merged(spans: Iterable[Span], from_at: datetime, to_at: datetime) -> tuple[Busy, ...]:
    """In order, inside the window, those that meet or touch as one."""
    found: list[list[datetime]] = []
    for starts, ends in sorted((max(starts, from_at), min(ends, to_at)) for starts, ends in spans):
        if ends <= starts:
            continue
        if found and starts <= found[-1][1]:
            found[-1][1] = max(found[-1][1], ends)
        else:
            found.append([starts, ends])
    if len(found) > MOST_SPANS:
        raise CannotRead(f"The calendar has more than {MOST_SPANS:,} busy times until the end of the diary. "
                         "Export only what keeps the practitioner from treating.")
    return tuple(Busy(starts, ends) for starts, ends in found)
