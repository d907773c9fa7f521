"""What the page of figures draws and lists, made ready for its template: columns by month, steps, hours and weeks."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from clinic.care.figures.counted import Column
from clinic.care.figures.shares import Share
from clinic.care.figures.tables import By
from clinic.care.figures.use import Supply, Used
from clinic.care.parts import ResourceKind
from clinic.queries.figures import Figures
from clinic.web import figure_words as words

Drawn = list[tuple[str, tuple[float, ...] | None]]
"""Columns: a name, and parts in a hundred from the foot up; none where they are left out."""


def drawings(found: Figures) -> dict[str, Any]:
    """What the template is given besides the figures."""
    missed = _months(found, Column.NO_SHOW, Column.LATE)
    return {
        "findings": _findings(found), "missed": missed, "missed_top": _top(missed), "left": _left(found),
        "use": _use(found.used), "weeks_of": _weeks,
        "supplies": sorted(found.coming, key=_urgency),
        "months_of": lambda code: _months(found, Column(code)),
    }


def _findings(found: Figures) -> tuple[tuple[str, str, str], ...]:
    return (
        ("sessions", "Sessions", words.window_finding(found)), ("courses", "Courses", words.course_finding(found)),
        ("visits", "Visits", words.visit_finding(found)), ("hours", "Hours", words.use_finding(found.used)),
        ("coming", "Coming weeks", words.coming_finding(found.coming)),
        ("messages", "Messages", words.post_finding(found.post)),
    )


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
