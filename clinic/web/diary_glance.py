"""A diary at a glance: of each column and day a bar with what is taken, and hours in words."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from clinic.queries.diary import Diary, DiaryColumn, DiaryResource, Shade
from clinic.web.diary_words import below, shade_words, span_words


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a bar, in percent of its width."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a day: its bar, its words, and the way there."""

    on: date
    href: str
    words: str
    is_here: bool
    closed: str | None
    bar: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody or something with the days of a week."""

    resource: DiaryResource
    href: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class HoursLine:
    """One column in words: its hours, and whatever takes away from them."""

    resource: DiaryResource
    work: tuple[str, ...]
    besides: tuple[tuple[str, str], ...]
    free: tuple[str, ...]


def glance(found: Diary, columns: Sequence[DiaryColumn], to: Callable[..., str]) -> list[Row]:
    """A row for each resource that is there on any of the days."""
    rows: dict[int, list[DiaryColumn]] = {}
    for each in columns:
        rows.setdefault(each.resource.id, []).append(each)
    first, last = _hours(columns, found.where)
    return [
        Row(its[0].resource, to(its[0].day.on, show="week", of=its[0].resource.id),
            tuple(_cell(each, found.where, first, last, to) for each in its))
        for its in rows.values() if any(each.is_here for each in its)]


def hours_lines(columns: Iterable[DiaryColumn], where: ZoneInfo) -> list[HoursLine]:
    """Who and what is there when, in words."""
    return [
        HoursLine(
            each.resource,
            tuple(span_words(one.starts_at, one.ends_at, where) for one in each.stretches if one.shade is Shade.WORK),
            tuple((shade_words(one.shade, one.words, each.resource.kind), span_words(one.starts_at, one.ends_at, where))
                  for one in each.stretches if one.shade is not Shade.WORK),
            tuple(span_words(starts, ends, where) for starts, ends in each.free))
        for each in columns if each.stretches or each.visits]


def _cell(column: DiaryColumn, where: ZoneInfo, first: int, last: int, to: Callable[..., str]) -> Cell:
    day, whose = column.day, column.resource.id
    held = [(each.starts_at, each.ends_at) for visit in column.visits for each in visit.holds
            if each.resource.id == whose]
    pieces = [_piece("work", each.starts_at, each.ends_at, where, first, last)
              for each in column.stretches if each.shade is Shade.WORK]
    pieces += [_piece("off", each.starts_at, each.ends_at, where, first, last)
               for each in column.stretches if each.shade in (Shade.BREAK, Shade.AWAY)]
    pieces += [_piece("taken", starts, ends, where, first, last) for starts, ends in held]
    return Cell(day.on, to(day.on, show="day") + f"#column-{whose}", below(len(column.visits), column.free),
                column.is_here, day.closed, tuple(pieces))


def _piece(kind: str, starts_at: datetime, ends_at: datetime, where: ZoneInfo, first: int, last: int) -> Piece:
    low, high = (min(max(_minute(at, where), first), last) for at in (starts_at, ends_at))
    wide = last - first
    return Piece(kind, round((low - first) * 100 / wide, 2), round(max(high - low, 0) * 100 / wide, 2))


def _hours(columns: Iterable[DiaryColumn], where: ZoneInfo) -> tuple[int, int]:
    """From which minute of the day to which somebody works."""
    spans = [(_minute(each.starts_at, where), _minute(each.ends_at, where) or 1440)
             for column in columns for each in column.stretches if each.shade is Shade.WORK]
    return min((low for low, _ in spans), default=540), max((high for _, high in spans), default=1080)


def _minute(at: datetime, where: ZoneInfo) -> int:
    local = at.astimezone(where)
    return local.hour * 60 + local.minute
