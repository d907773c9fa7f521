"""What the page of figures draws and lists, made ready for its template: columns by month, steps, hours and weeks."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from clinic.care.figures.counted import Column
from clinic.care.figures.shares import Count, Share
from clinic.care.figures.tables import By
from clinic.care.figures.use import Supply, Used, together
from clinic.care.parts import ResourceKind
from clinic.queries.figures import Figures
from clinic.web import figure_words as words

Drawn = list[tuple[str, tuple[float, ...] | None]]
"""Columns: a name, and parts in a hundred from the foot up; none where they are left out."""


@dataclass(frozen=True, slots=True)
class Tile:
    """What a section comes to: its number, how that was before, and what it found; `place` is the id of the section."""

    place: str
    name: str
    number: str
    before: str
    text: str
    is_number: bool = True


def drawings(found: Figures) -> dict[str, Any]:
    """What the template is given besides the figures."""
    missed = _months(found, Column.NO_SHOW, Column.LATE)
    given = _given(found)
    return {
        "tiles": _tiles(found), "given": given, "given_top": _count_top(given),
        "used_by_month": [(words.KINDS[kind], drawn, max(100.0, _top(drawn))) for kind, drawn in _used(found)],
        "reached": [(words.labels_of_month(month), None if post.percent is None else (post.percent,))
                    for month, post in found.post_by_month.items()],
        "missed": missed, "missed_top": _top(missed), "left": _left(found),
        "use": _use(found.used), "weeks_of": _weeks,
        "supplies": sorted(found.coming, key=_urgency),
        "months_of": lambda code: _months(found, Column(code)),
    }


def _tiles(found: Figures) -> tuple[Tile, ...]:
    people, full = ResourceKind.PRACTITIONER, [each for each in found.coming if each.full_from]
    return (
        _tile(found, "sessions", Column.IN_WINDOW, "Sessions in their window", words.window_finding(found)),
        _tile(found, "courses", Column.COMPLETED, "Courses completed", words.course_finding(found)),
        _tile(found, "visits", Column.NO_SHOW, "Visits missed", words.visit_finding(found)),
        _share("hours", "Hours used of practitioners", found.hours[people].percent, found.hours_before[people].percent,
               words.use_finding(found.used)),
        Tile("coming", "Coming 12 weeks", f"{len(full)} full" if full else "None full", "",
             words.coming_finding(found.coming)),
        _share("messages", "Messages that reached the mail server", found.post.percent, found.post_before.percent,
               words.post_finding(found.post), words.post_words(found.post)),
    )


def _tile(found: Figures, place: str, column: Column, name: str, text: str) -> Tile:
    now, before = found.total.get(column), found.before.get(column)
    return Tile(place, name, words.total_words(found, column), words.before_words(column, now, before), text,
                now is not None)


def _share(
    place: str, name: str, now: float | None, before: float | None, text: str, otherwise: str = words.NOTHING
) -> Tile:
    told = f"Before: {words.percent(before)}" if now is not None and before is not None else ""
    return Tile(place, name, otherwise if now is None else words.percent(now), told, text, now is not None)


def _given(found: Figures) -> Drawn:
    cells = [(row.key, row.cells.get(Column.GIVEN)) for row in found.tables[By.MONTH].rows]
    return [(words.labels_of_month(key), (float(cell.number),) if isinstance(cell, Count) else None)
            for key, cell in cells]


def _used(found: Figures) -> list[tuple[ResourceKind, Drawn]]:
    by_month = [(kind, together(found.used, kind)) for kind in ResourceKind]
    return [(kind, [(words.labels_of_month(month), None if hours.percent is None else (hours.percent,))
                    for month, hours in months.items()]) for kind, months in by_month if months]


def _months(found: Figures, *columns: Column) -> Drawn:
    drawn: Drawn = []
    for row in found.tables[By.MONTH].rows:
        shares = [row.cells.get(column) for column in columns]
        parts = tuple(share.percent for share in shares if isinstance(share, Share))
        drawn.append((words.labels_of_month(row.key), parts if len(parts) == len(columns) else None))
    return drawn


def _top(drawn: Drawn) -> float:
    """What the height stands for: a round number above the highest column."""
    most = max((sum(parts) for _, parts in drawn if parts), default=0.0)
    return next(step for step in (5.0, 10.0, 20.0, 40.0, 60.0, 100.0, 200.0) if most <= step)


def _count_top(drawn: Drawn) -> float:
    """The same for numbers of any size."""
    most = max((sum(parts) for _, parts in drawn if parts), default=0.0)
    unit = 10.0 ** max(0, len(str(int(most))) - 1)
    return next(step * unit for step in (1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0) if most <= step * unit)


def _left(found: Figures) -> Drawn:
    return [("1", (100.0,)), *((str(step.after + 1), (step.left,)) for step in found.steps)]


def _use(used: Sequence[Used]) -> list[tuple[ResourceKind, str, list[Used]]]:
    """Everybody and everything by kind, the most used first."""
    listed = [(kind, [each for each in used if each.kind is kind]) for kind in ResourceKind]
    return [(kind, words.KINDS[kind], sorted(some, key=lambda each: (-(each.total.percent or 0.0), each.name)))
            for kind, some in listed if some]


def _urgency(supply: Supply) -> tuple[date, str]:
    """What is full first comes first."""
    return (week.from_on if (week := supply.full_from) else date.max, words.supply_words(supply))


def _weeks(supply: Supply) -> list[tuple[int, int, bool]]:
    return [(week.free, week.owed, week.is_full) for week in supply.weeks]
