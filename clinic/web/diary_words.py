"""A diary in words: its visits, its shading and its columns, as the templates of the grid and the list show them."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flask import url_for

from clinic.care.parts import ResourceKind
from clinic.care.states import AppointmentState
from clinic.planning.local import MINUTE, local_of
from clinic.queries.away import Away, away_words
from clinic.queries.diary import Diary, DiaryResource, DiaryVisit, Shade
from clinic.web.addresses import address_of
from clinic.web.course_words import FITS
from clinic.web.diary_choices import Choices, Colour
from clinic.web.diary_filter import stands_back, treatment_number
from clinic.web.diary_grid import Band, Block, Gap, GridColumn, Hour
from clinic.web.words import clock, plural, short_day, spaced

KINDS = {
    ResourceKind.PRACTITIONER: ("Practitioners", "practitioner"), ResourceKind.ROOM: ("Rooms", "room"),
    ResourceKind.DEVICE: ("Devices", "device"),
}
"""A kind of column: several of them, and one."""
HUES = 8
SIZES = ((4, "block-short"), (8, "block-low"), (11, "block-tight"))
"""Blocks of so few rows have room for one line of words, for two, or for three and nothing below them."""
NAMELESS = "Booked"
MOVABLE = (AppointmentState.BOOKED, AppointmentState.PROPOSED)
"""The states of a visit that can be given another time."""
LEAST_NAMED, OF_WORDS = 4, 11
"""A segment of fewer rows has no room for its name, nor has one that ends beside the words of its block."""

_TONES = {
    AppointmentState.PROPOSED: "info", AppointmentState.BOOKED: "accent", AppointmentState.ARRIVED: "warn",
    AppointmentState.FULFILLED: "ok", AppointmentState.CANCELLED: "neutral", AppointmentState.NOSHOW: "bad",
}


# Tuples, for a day has hundreds of each: a frozen dataclass is filled field by field.
class VisitCard(NamedTuple):
    """A visit in words. `state` is the code of its badge; without names `name` says only that somebody comes."""

    id: int
    day: str
    parts: str
    lock_version: int
    href: str
    time: str
    ends: str
    expected: str
    away: str
    away_mark: str
    name: str
    what: str
    mark: str
    fit: tuple[str, str, str] | None
    state: str
    is_confirmed: bool
    pinned: bool
    held_until: str
    alert: str
    tone: str
    practitioner: str
    room: str
    device: str
    starts_at: datetime


class BandWords(NamedTuple):
    """A stretch of a column that is not simply time at work."""

    band: Band
    words: str
    span: str


class BlockWords(NamedTuple):
    """A visit where it lies: the classes of its place and its looks, where it is besides this column, and its segments
    that are to be seen, each as its classes and its name.

    `pick_up` leads to the diary with the visit in hand; it is empty where it cannot be moved.
    """

    block: Block
    card: VisitCard
    place: str
    look: str
    elsewhere: str
    segments: tuple[tuple[str, str], ...]
    ident: str
    pick_up: str


class GapWords(NamedTuple):
    """Time that can be booked, and where that leads; `place` are the classes of where it lies."""

    gap: Gap
    place: str
    span: str
    href: str


Item = BlockWords | GapWords


@dataclass(frozen=True, slots=True)
class Head:
    """What a column is called, and where its name leads."""

    title: str
    href: str = ""
    is_today: bool = False


@dataclass(frozen=True, slots=True)
class ColumnWords:
    """A column with everything in it in order of time."""

    ident: str
    resource: DiaryResource
    head: Head
    below: str
    late: str
    lanes: int
    hours: tuple[Hour, ...]
    now: int | None
    bands: tuple[BandWords, ...]
    items: tuple[Item, ...]


def card(visit: DiaryVisit, chosen: Choices, *, with_parts: bool = False) -> VisitCard:
    """A visit in words, without a name where none is to be seen; what it is made of only where that is asked for."""
    held = f"held until {short_day(visit.held_until)}" if visit.held_until and visit.holds else ""
    alert = visit.alerts if chosen.names else "Has an alert" if visit.alerts else ""
    practitioner, room, device = (" + ".join(visit.names(kind)) for kind in ResourceKind)
    return VisitCard(
        id=visit.id, day=short_day(visit.local_start.date()), parts=_parts(visit) if with_parts else "",
        lock_version=visit.lock_version,
        href=_href(visit), time=clock(visit.local_start), ends=clock(visit.local_end), expected=_expected(visit),
        away=away_words(visit.away), away_mark=_away_mark(visit.away),
        name=visit.patient if chosen.names else NAMELESS, what=visit.treatment,
        mark=visit.mark, fit=FITS[visit.fit] if visit.fit else None, state=_state(visit),
        is_confirmed=visit.is_confirmed, pinned=visit.pinned, held_until=held, alert=alert,
        tone=_tone(visit, chosen.colour), practitioner=practitioner, room=room, device=device,
        starts_at=visit.starts_at)


def column(
    drawn: GridColumn, chosen: Choices, where: ZoneInfo, *, may_book: bool, head: Head | None = None,
    late: int | None = None, pick_up: str = "",
) -> ColumnWords:
    """A column of the grid in words, under its own name or that head; free time leads to a booking for who may.

    `pick_up` and the id of a visit lead to the diary with it in hand.
    """
    its = drawn.column
    bands = tuple(_band(each, its.resource.kind, where) for each in drawn.bands)
    blocks: list[Item] = [_block(each, its.resource, chosen, pick_up) for each in drawn.blocks]
    to = url_for("diary.book")
    gaps: list[Item] = [_gap(each, its.resource, where, to) for each in drawn.gaps] if may_book else []
    items = sorted(blocks + gaps, key=_top)
    ident = f"column-{its.resource.id}-{its.day.on:%m%d}" if head else f"column-{its.resource.id}"
    return ColumnWords(
        ident=ident, resource=its.resource, head=head or Head(its.resource.name),
        below=below(len(blocks), its.free if may_book else ()), late=f"{late} min late" if late else "",
        lanes=drawn.lanes,
        hours=drawn.hours, now=drawn.now, bands=bands, items=tuple(items))


def _away_mark(away: Sequence[Away]) -> str:
    """What a block has room for beside its time; whoever opens or hears it is told all."""
    if any(each.kind is ResourceKind.PRACTITIONER for each in away):
        return "away"
    return "out of service" if away else ""


def in_no_column(diary: Diary, by: ResourceKind) -> Sequence[DiaryVisit]:
    """The visits that hold nothing of that kind: over before they took place, or in need of none."""
    return [visit for visit in diary.visits if not any(each.resource.kind is by for each in visit.holds)]


def shade_words(shade: Shade, about: str, kind: ResourceKind) -> str:
    """What a stretch of a column is. Why somebody is away is nobody's business at the desk; why a device is, is."""
    away = "Away" if kind is ResourceKind.PRACTITIONER else f"Out of service: {about}"
    return {Shade.WORK: "", Shade.BREAK: "Break", Shade.TRAVEL: "On the way", Shade.ELSEWHERE: f"At {about}",
            Shade.AWAY: away}[shade]


def span_words(starts_at: datetime, ends_at: datetime, where: ZoneInfo) -> str:
    """Such as "09:00 – 10:15", by the clock of the clinic."""
    until = clock(local_of(ends_at, where))
    return f"{clock(local_of(starts_at, where))} – {'24:00' if until == '00:00' else until}"


def below(visits: int, free: Sequence[tuple[datetime, datetime]]) -> str:
    """How many come, and how much time is left."""
    minutes = sum(((ends - starts).total_seconds() for starts, ends in free), 0.0) // 60
    told = [plural(visits, "visit")] if visits or not minutes else []
    return " · ".join([*told, f"{_length(int(minutes))} free"] if minutes else told)


def _length(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return " ".join([f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest))


def _top(item: Item) -> tuple[int, int]:
    return (item.block.top, item.block.lane) if isinstance(item, BlockWords) else (item.gap.top, 0)


def _block(
    block: Block, resource: DiaryResource, chosen: Choices, pick_up: str
) -> BlockWords:
    visit, its = block.visit, card(block.visit, chosen)
    size = next((name for most, name in SIZES if block.rows <= most), "")
    marks = bool(its.alert) + bool(its.away) + its.is_confirmed + (visit.state is not AppointmentState.BOOKED)
    names = {ResourceKind.PRACTITIONER: its.practitioner, ResourceKind.ROOM: its.room, ResourceKind.DEVICE: its.device}
    elsewhere = " · ".join(name for kind, name in names.items() if name and kind is not resource.kind)
    place = f"slot t{block.top} d{block.rows} n{block.lanes} l{block.lane} w{block.span}"
    back = " block-back" if stands_back(visit, chosen) else ""
    look = f"block {its.tone} block-{its.state} {size} marks-{marks}{back}"
    return BlockWords(block, its, f"{place} slot-end" if block.lane else place, look, elsewhere,
                      tuple(_segments(block)), f"visit-{visit.id}-{resource.id}",
                      f"{pick_up}{visit.id}" if pick_up and visit.state in MOVABLE else "")


def _segments(block: Block) -> Iterator[tuple[str, str]]:
    for each in block.segments:
        is_named = not each.solid and each.rows >= LEAST_NAMED and each.top + each.rows >= OF_WORDS
        if each.solid or is_named:
            solid = " segment-solid" if each.solid else ""
            yield f"segment{solid} t{each.top} d{each.rows}", spaced(each.name).capitalize() if is_named else ""


def _band(band: Band, kind: ResourceKind, where: ZoneInfo) -> BandWords:
    return BandWords(band, shade_words(band.shade, band.words, kind), span_words(band.starts_at, band.ends_at, where))


def _gap(gap: Gap, resource: DiaryResource, where: ZoneInfo, to: str) -> GapWords:
    at = local_of(gap.starts_at, where)
    return GapWords(gap, f"slot gap t{gap.top} d{gap.rows}", span_words(gap.starts_at, gap.ends_at, where),
                    f"{to}?at={at.isoformat()[:16]}&with={resource.id}")


def _parts(visit: DiaryVisit) -> str:
    """What the visit is made of, from when on."""
    named = (f"{clock(visit.local_start + part.offset * MINUTE)} {spaced(part.name)}" for part in visit.parts)
    return ", ".join(named)


def _expected(visit: DiaryVisit) -> str:
    """When it is likely to begin, where that is later than planned."""
    if visit.expected is None:
        return ""
    return clock(visit.expected.begins_at.astimezone(visit.local_start.tzinfo))


def _href(visit: DiaryVisit) -> str:
    if visit.course_id is not None:
        return address_of("courses.show", course_id=visit.course_id)
    return address_of("patients.show", patient_id=visit.patient_id)


def _state(visit: DiaryVisit) -> str:
    if visit.state is AppointmentState.CANCELLED and visit.ended_cause:
        return "not-treated"
    return "in-treatment" if visit.begun_at and visit.is_here else visit.state


def _tone(visit: DiaryVisit, colour: Colour) -> str:
    if colour is Colour.TREATMENT:
        return f"hue-{treatment_number(visit) % HUES}"
    return f"tone-{_TONES[visit.state]}"
