"""Figures side by side: by month, protocol, practitioner or clinic, and by cause; what is too small is left out."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Any

from clinic.care.figures.counted import Column, Happened, counted
from clinic.care.figures.happened import End, Ended, Visit
from clinic.care.figures.months import Month, Months
from clinic.care.figures.shares import Cell, Count
from clinic.care.figures.small import left_out


class By(StrEnum):
    """What figures are asked for by."""

    MONTH = "month"
    PROTOCOL = "protocol"
    PRACTITIONER = "practitioner"
    CLINIC = "clinic"


Key = int | Month | None
"""A month, or an id; none: not known."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """The figures of one month, protocol, practitioner or clinic; a column without a cell is left out, or one of
    `nothing`: about nobody at all."""

    key: Key
    cells: Mapping[Column, Cell]
    nothing: frozenset[Column] = frozenset()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that the same patients may be in, and the figures of all of them together."""

    by: By
    rows: tuple[TableRow, ...]
    total: Mapping[Column, Cell]
    nothing: frozenset[Column] = frozenset()


@dataclass(frozen=True, slots=True)
class Causes:
    """How often each cause was given; `rest` is the sum of those left out, which are not even named."""

    rows: tuple[tuple[str, int], ...]
    rest: int

    @property
    def total(self) -> int:
        """All together."""
        return sum(number for _, number in self.rows) + self.rest


def table(rows: Happened, by: By, months: Months | None = None, total: Mapping[Column, Cell] | None = None) -> Table:
    """The figures by one thing; by month, every month of `months` has its row. `total` is what `counted` says of all,
    where that is known already."""
    parts: dict[Key, Happened] = dict.fromkeys(months or (), Happened()) if by is By.MONTH else {}
    given, visits, ended = (_parted(each, by) for each in (rows.given, rows.visits, rows.ended))
    for key in (*parts, *given, *visits, *ended):
        parts[key] = Happened(given.get(key, ()), visits.get(key, ()), ended.get(key, ()))
    cells = {key: counted(part) for key, part in parts.items()}
    shown = {column: _shown({key: each[column] for key, each in cells.items()}) for column in Column}
    whole = total or counted(rows)
    return Table(by, tuple(
        TableRow(key, {column: cell for column, cell in each.items() if key in shown[column]}, _nothing(each))
        for key, each in cells.items()), visible(whole), _nothing(whole))


def visible(cells: Mapping[Column, Cell]) -> Mapping[Column, Cell]:
    """Those that are about enough patients."""
    return {column: cell for column, cell in cells.items() if cell.is_shown}


def causes(rows: Iterable[Visit | Ended], ends: Container[StrEnum]) -> Causes:
    """Why those ended that ended so, the commonest cause first."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for each in rows:
        if each.end in ends:
            found[each.cause].append(each.patient_id)
    return _causes(dict(sorted(found.items(), key=lambda each: (-len(each[1]), each[0]))))


NOTICES = (
    ("Less than 24 hours", timedelta(hours=24)), ("1 to 2 days", timedelta(days=2)), ("2 to 3 days", timedelta(days=3)),
    ("3 to 7 days", timedelta(days=7)), ("More than 7 days", timedelta.max),
)
"""How long before the visit it was cancelled: words, and shorter than that."""


def notices(visits: Iterable[Visit]) -> Causes:
    """How much notice patients gave who cancelled, the shortest first."""
    found: dict[str, list[int]] = {words: [] for words, _ in NOTICES}
    for each in visits:
        if each.end in (End.LATE, End.IN_TIME) and each.notice is not None:
            found[next(words for words, limit in NOTICES if each.notice < limit)].append(each.patient_id)
    return _causes(found)


def _causes(found: Mapping[str, Sequence[int]]) -> Causes:
    # Where a single cause is left out, its name beside the total would say everything.
    hidden = left_out({cause: frozenset(patients) for cause, patients in found.items()})
    shown = ((cause, len(patients)) for cause, patients in found.items() if patients and cause not in hidden)
    return Causes(tuple(shown), sum(len(found[cause]) for cause in hidden))


def _parted(rows: Iterable[Any], by: By) -> Mapping[Key, list[Any]]:
    found: defaultdict[Key, list[Any]] = defaultdict(list)
    key = attrgetter(by if by is By.MONTH else f"{by}_id")
    for each in rows:
        found[key(each)].append(each)
    return found


def _nothing(cells: Mapping[Column, Cell]) -> frozenset[Column]:
    """The columns about nobody: not left out, for there is nothing to hide."""
    return frozenset(column for column, cell in cells.items() if not (cell.who or isinstance(cell, Count)))


def _shown(cells: Mapping[Key, Cell]) -> frozenset[Key]:
    """The rows of a column that may be shown beside its total: of a figure about nobody there is nothing to show."""
    hidden = left_out({key: cell.who for key, cell in cells.items()})
    return frozenset(key for key, cell in cells.items() if key not in hidden and (cell.who or isinstance(cell, Count)))
