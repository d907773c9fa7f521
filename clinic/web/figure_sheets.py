"""The tables of the figures as rows of a file: numbers as numbers, what is too small empty, definitions above."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from clinic.care.figures.counted import Column
from clinic.care.figures.definitions import COLUMNS, TOPICS, Definition, Topic, columns_at
from clinic.care.figures.post import Fate
from clinic.care.figures.shares import Cell, Count, Middle, Share
from clinic.care.figures.tables import By, Causes
from clinic.queries.figures import Figures
from clinic.web.figure_words import BY, FATES, KINDS, OTHER_CAUSES, Labels, cause_words, month_words, supply_words

Line = list[str | int | float | None]
Sheet = list[Line]


def _by(by: By) -> Callable[[Figures, Labels], Sheet]:
    def write(found: Figures, labels: Labels) -> Sheet:
        head: Line = [BY[by], *(title for column in Column for title in _titles(column))]
        rows: Sheet = [[name, *_cells(row.cells)] for name, row in labels.sorted(found.tables[by])]
        total: Line = ["All together", *_cells(found.tables[by].total)]
        return [*_defined(columns_at(labels.notice).values()), head, *rows, total]
    return write


def _titles(column: Column) -> Iterator[str]:
    name = COLUMNS[column].name
    if column is Column.GIVEN:
        yield name
    elif column in (Column.DRIFT, Column.TO_COMPLETION):
        yield from (f"{name}: median", f"{name}: lower quarter", f"{name}: upper quarter", f"{name}: of how many")
    else:
        yield from (name, f"{name}: of how many", f"{name}: percent")


def _cells(cells: Mapping[Column, Cell]) -> Iterator[int | float | None]:
    for column in Column:
        cell = cells.get(column)
        if isinstance(cell, Count):
            yield cell.number
        elif isinstance(cell, Share):
            yield from (cell.part, cell.whole, round(cell.percent, 1))
        elif isinstance(cell, Middle):
            yield from (cell.median, cell.low, cell.high, cell.count)
        else:
            yield from [None] * sum(1 for _ in _titles(column))


def _drop_out(found: Figures, _: Labels) -> Sheet:
    head: Line = ["After session", "Had the next", "Stopped", "Stopped: percent", "Left of 100 courses"]
    rows: Sheet = [[step.after, step.went_on, step.stopped, round(step.percent, 1), round(step.left, 1)]
                   for step in found.steps]
    return [*_defined([TOPICS[Topic.DROP_OUT]]), head, *rows]


def _causes(found: Figures, labels: Labels) -> Sheet:
    why = found.why
    kinds = (("Did not come", why.no_shows), ("Cancelled late", why.late),
             ("Came and was not treated", why.not_treated), ("Course ended early", why.stopped),
             ("Notice of those who cancelled", why.notices))
    late = columns_at(labels.notice)[Column.LATE]
    return [*_defined([late, TOPICS[Topic.CAUSES], TOPICS[Topic.NOTICE]]), ["What", "Cause", "How many"],
            *(row for what, causes in kinds for row in _of_kind(what, causes))]


def _of_kind(what: str, causes: Causes) -> Iterator[Line]:
    for cause, number in causes.rows:
        yield [what, cause_words(cause), number]
    if causes.rest:
        yield [what, OTHER_CAUSES, causes.rest]
    yield [what, "All together", causes.total]


def _use(found: Figures, labels: Labels) -> Sheet:
    head: Line = ["Kind", "Name", "Clinic", "Month", "Hours", "Hours used", "Percent"]
    rows: Sheet = [[KINDS[each.kind], each.name, labels.of(By.CLINIC, each.clinic_id), month_words(month),
                    round(hours.there / 60, 2), round(hours.used / 60, 2),
                    None if hours.percent is None else round(hours.percent, 1)]
                   for each in found.used for month, hours in each.months.items()]
    return [*_defined([TOPICS[Topic.USE]]), head, *rows]


def _coming(found: Figures, _: Labels) -> Sheet:
    head: Line = ["What is needed", "Week from", "Free hours", "Hours owed", "Hours without a place until then"]
    rows: Sheet = [[supply_words(supply), week.from_on.isoformat(), round(week.free / 60, 2), round(week.owed / 60, 2),
                    round(week.left_over / 60, 2)] for supply in found.coming for week in supply.weeks]
    return [*_defined([TOPICS[Topic.COMING]]), head, *rows]


def _messages(found: Figures, _: Labels) -> Sheet:
    head: Line = ["Month", *(FATES[fate] for fate in Fate)]
    rows: Sheet = [[month_words(month), *((post.fates.get(fate, 0) if post.is_shown else None) for fate in Fate)]
                   for month, post in found.post_by_month.items()]
    return [*_defined([TOPICS[Topic.MESSAGES]]), head, *rows]


def _defined(definitions: Iterable[Definition]) -> Sheet:
    lines: Sheet = [[f"{each.name}: {each.text}"] for each in (*definitions, TOPICS[Topic.SMALL])]
    return [*lines, []]


SHEETS: Mapping[str, Callable[[Figures, Labels], Sheet]] = {
    **{f"figures-by-{by.value}": _by(by) for by in By},
    "drop-out": _drop_out, "causes": _causes, "hours-used": _use, "coming-weeks": _coming, "messages": _messages,
}
