"""A diary laid on rows of five minutes: where each thing lies, side by side where it must, so that nothing is hidden.

Plain values in, plain values out: no request, no page. Each day begins at the same reading of the clock, and from there
on has as many rows as its clock gives it: more or fewer where the clock is changed within what is shown.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from clinic.care.parts import Part, ResourceKind
from clinic.planning.local import DAY, MINUTE, instant, local_of
from clinic.queries.diary import Diary, DiaryColumn, DiaryDay, DiaryResource, DiaryVisit, Shade

ROW = timedelta(minutes=5)
SHORTEST_GAP = timedelta(minutes=10)
"""Free time shorter than this is not offered for booking: no part of a treatment in our library is shorter."""
HOUR, WHOLE_DAY = 60, 1440
LEAST_HOURS = 8
USUAL = (9 * HOUR, 17 * HOUR)
"""What is shown of a day on which nobody works."""

Rows = tuple[int, int]
"""From a row to before another one."""


# Tuples, for a day has hundreds of each: a frozen dataclass is filled field by field.
class Hour(NamedTuple):
    """A full hour of the clock; `again` where the clock shows it for the second time."""

    row: int
    words: str
    again: bool


class Band(NamedTuple):
    """A stretch of a column: its shade, where it lies, and its words."""

    shade: Shade
    top: int
    rows: int
    words: str
    starts_at: datetime
    ends_at: datetime


class Gap(NamedTuple):
    """Time that can be booked."""

    top: int
    rows: int
    starts_at: datetime
    ends_at: datetime


class Segment(NamedTuple):
    """A part of a block, counted from its top: solid while the patient is treated, light before and after."""

    top: int
    rows: int
    solid: bool
    name: str


class Block(NamedTuple):
    """A visit where it lies: in lane `lane` of `lanes`, over `span` of them."""

    visit: DiaryVisit
    top: int
    rows: int
    lane: int
    lanes: int
    span: int
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class GridColumn:
    """A column as it is drawn, from the instant of its first row. `hours` are its own where its clock is changed within
    what is shown."""

    column: DiaryColumn
    begins_at: datetime
    bands: tuple[Band, ...]
    gaps: tuple[Gap, ...]
    blocks: tuple[Block, ...]
    hours: tuple[Hour, ...]
    now: int | None

    @property
    def lanes(self) -> int:
        """How many blocks lie side by side at most."""
        return max((each.lanes for each in self.blocks), default=1)


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns of one height, with the hours beside them."""

    rows: int
    hours: tuple[Hour, ...]
    columns: tuple[GridColumn, ...]


def grid_of(diary: Diary, columns: Sequence[DiaryColumn], *, now: datetime) -> Grid:
    """These columns of a diary, from the first hour in which anything is to the last."""
    opens, closes = _shown(columns, diary.where)
    days = {each.day.on: _Lines(each.day, opens, closes, diary.where) for each in columns}
    # Days of 24 hours come first: the hours beside the columns are theirs.
    usual = min(days.values(), key=lambda each: (each.day.ends_at - each.day.starts_at != DAY, each.day.on),
                default=None)
    rows = max((each.rows for each in days.values()), default=0)
    hours = usual.hours if usual else ()
    return Grid(rows, hours, tuple(_column(each, days[each.day.on], hours, now) for each in columns))


def lanes_of(spans: Sequence[Rows]) -> list[tuple[int, int, int]]:
    """For each span its lane, how many lanes there are, and over how many it may reach, so that none meets another."""
    order = sorted(range(len(spans)), key=lambda at: (spans[at][0], -spans[at][1], at))
    found: dict[int, tuple[int, int, int]] = {}
    for cluster in _clusters(order, spans):
        lanes: list[list[int]] = []
        lane_of: dict[int, int] = {}
        for at in cluster:
            lane = next((n for n, held in enumerate(lanes) if spans[held[-1]][1] <= spans[at][0]), len(lanes))
            if lane == len(lanes):
                lanes.append([])
            lanes[lane].append(at)
            lane_of[at] = lane
        for at in cluster:
            reach = lane_of[at] + 1
            while reach < len(lanes) and not any(_meet(spans[at], spans[other]) for other in lanes[reach]):
                reach += 1
            found[at] = lane_of[at], len(lanes), reach - lane_of[at]
    return [found[at] for at in range(len(spans))]


def _clusters(order: Iterable[int], spans: Sequence[Rows]) -> Iterator[list[int]]:
    """Those that hang together, so that each lot has lanes of its own."""
    cluster: list[int] = []
    until = 0
    for at in order:
        if cluster and spans[at][0] >= until:
            yield cluster
            cluster = []
        until = max(until, spans[at][1]) if cluster else spans[at][1]
        cluster.append(at)
    if cluster:
        yield cluster


def _meet(one: Rows, other: Rows) -> bool:
    return one[0] < other[1] and other[0] < one[1]


class _Lines:
    """The rows of one day, from one reading of its clock to another."""

    def __init__(self, day: DiaryDay, opens: int, closes: int, where: ZoneInfo) -> None:
        self.day, self._where = day, where
        self.begins_at = instant(day.on, opens, where)
        self.rows = (instant(day.on, closes, where, last=True) - self.begins_at) // ROW
        self.hours = tuple(self._hours())

    def row(self, at: datetime) -> int:
        """The row of an instant, however far away."""
        return (at - self.begins_at) // ROW

    def between(self, starts_at: datetime, ends_at: datetime) -> Rows:
        """The rows from one instant to another, as far as they are shown; both are cut to whole rows alike."""
        return min(max(self.row(starts_at), 0), self.rows), min(max(self.row(ends_at), 0), self.rows)

    def _hours(self) -> Iterator[Hour]:
        """The full hours that the clock shows."""
        # They begin with a full hour, which on a day of 24 hours comes again after as many rows each time.
        is_usual = self.day.ends_at - self.day.starts_at == DAY
        for row in range(0, self.rows, HOUR * MINUTE // ROW if is_usual else 1):
            clock = local_of(self.begins_at + row * ROW, self._where)
            if clock.minute == 0:
                yield Hour(row, f"{clock:%H:%M}", clock.fold == 1)


def _column(column: DiaryColumn, lines: _Lines, hours: tuple[Hour, ...], now: datetime) -> GridColumn:
    bands, gaps = [], []
    # An absence may begin before the work that it lies over.
    for each in sorted(column.stretches, key=lambda stretch: stretch.shade is not Shade.WORK):
        top, end = lines.between(each.starts_at, each.ends_at)
        if end > top:
            bands.append(Band(each.shade, top, end - top, each.words, each.starts_at, each.ends_at))
    for starts_at, ends_at in column.free:
        if ends_at - starts_at < SHORTEST_GAP:
            continue
        top, end = lines.between(starts_at, ends_at)
        gaps.append(Gap(top, end - top, starts_at, ends_at))
    own, row = lines.hours, lines.row(now)
    return GridColumn(column, lines.begins_at, tuple(bands), tuple(gaps), tuple(_blocks(column, lines)),
                      own if own != hours else (), row if 0 <= row < lines.rows else None)


def _blocks(column: DiaryColumn, lines: _Lines) -> Iterator[Block]:
    visits = [(visit, *_hull(visit, column.resource)) for visit in column.visits]
    spans = [_at_least_one(lines.between(begins, ends), lines.rows) for _, begins, ends in visits]
    for (visit, _, _), (top, end), (lane, lanes, span) in zip(visits, spans, lanes_of(spans), strict=True):
        segments = []
        for solid, name, begins, ends in _segments(visit, column.resource):
            low, high = lines.between(begins, ends)
            low, high = max(low, top), min(high, end)
            if high > low:
                segments.append(Segment(low - top, high - low, solid, name))
        yield Block(visit, top, end - top, lane, lanes, span, tuple(segments))


def _hull(visit: DiaryVisit, resource: DiaryResource) -> tuple[datetime, datetime]:
    """From the patient's arrival to their leaving, and as long as the resource is held."""
    own = [each for each in visit.holds if each.resource.id == resource.id]
    return (min(visit.starts_at, *(each.starts_at for each in own)),
            max(visit.ends_at, *(each.ends_at for each in own)))


def _segments(
    visit: DiaryVisit, resource: DiaryResource
) -> Iterator[tuple[bool, str, datetime, datetime]]:
    """What the visit is made of for this resource: solid, name, from and to.

    Solid is what it is held for while somebody treats; where the parts are not known, what it is held for while the
    patient is here.
    """
    own = [(each.starts_at, each.ends_at) for each in visit.holds if each.resource.id == resource.id]
    somebody_treats = any(_is_treated(part) for part in visit.parts)
    for part in visit.parts:
        begins, ends = visit.starts_at + part.offset * MINUTE, visit.starts_at + part.ends * MINUTE
        treats = _is_treated(part) if somebody_treats else ends <= visit.ends_at
        yield treats and any(low <= begins and ends <= high for low, high in own), part.name, begins, ends
    if not visit.parts:
        for begins, ends in own:
            yield True, "", max(begins, visit.starts_at), min(ends, visit.ends_at)


def _is_treated(part: Part) -> bool:
    return any(each.kind is ResourceKind.PRACTITIONER for each in part.holds)


def _shown(columns: Iterable[DiaryColumn], where: ZoneInfo) -> tuple[int, int]:
    """From which reading of the clock to which, in minutes and whole hours: all work and all visits."""
    found: list[tuple[int, int]] = []
    for column in columns:
        spans = [(each.starts_at, each.ends_at) for each in column.stretches if each.shade is Shade.WORK]
        spans += [_hull(visit, column.resource) for visit in column.visits]
        if spans and column.day.ends_at - column.day.starts_at == DAY:
            # Its clock only goes forward: what begins first reads least.
            spans = [(min(begins for begins, _ in spans), max(ends for _, ends in spans))]
        found += [(_reading(column.day, begins, where), _reading(column.day, ends, where)) for begins, ends in spans]
    opens = min((begins for begins, _ in found), default=USUAL[0]) // HOUR * HOUR
    closes = -(-max((ends for _, ends in found), default=USUAL[1]) // HOUR) * HOUR
    closes = min(max(closes, opens + LEAST_HOURS * HOUR), WHOLE_DAY)
    return max(min(opens, closes - LEAST_HOURS * HOUR), 0), closes


def _reading(day: DiaryDay, at: datetime, where: ZoneInfo) -> int:
    """What the clock reads then, in minutes after the day's midnight; the ends of the day for what lies outside it."""
    if not day.starts_at <= at < day.ends_at:
        return 0 if at < day.starts_at else WHOLE_DAY
    clock = local_of(at, where)
    return clock.hour * HOUR + clock.minute


def _at_least_one(span: Rows, rows: int) -> Rows:
    """What takes less than a row takes one, at the end of what is shown at the latest."""
    top = min(span[0], rows - 1)
    return top, max(span[1], top + 1)
