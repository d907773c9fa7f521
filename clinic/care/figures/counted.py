"""The figures of some rows: how sessions lie in their windows, what was missed, who goes on, and who stops."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from clinic.care.figures.happened import DONE, DROPPED, DUE, End, Ended, Given, Visit
from clinic.care.figures.shares import Cell, Count, Middle, Share, Who, middle

Value = TypeVar("Value")


class Column(StrEnum):
    """A figure that is asked for by month, protocol, practitioner and clinic."""

    GIVEN = "given"
    IN_WINDOW = "in-window"
    DRIFT = "drift"
    NO_SHOW = "no-show"
    LATE = "late"
    NEXT_DATED = "next-dated"
    COMPLETED = "completed"
    TO_COMPLETION = "to-completion"


@dataclass(frozen=True, slots=True)
class Happened:
    """Everything that happened, of which the figures are counted."""

    given: Sequence[Given] = ()
    visits: Sequence[Visit] = ()
    ended: Sequence[Ended] = ()


def counted(rows: Happened) -> Mapping[Column, Cell]:
    """Every figure of these rows, with who stands behind each; whether it may be shown is said by the cell."""
    given, in_window, drift, next_dated = _given(rows.given)
    no_shows, late = _missed(rows.visits, given)
    completed, days = _completed(rows.ended)
    return {
        Column.GIVEN: given, Column.IN_WINDOW: in_window, Column.DRIFT: drift, Column.NO_SHOW: no_shows,
        Column.LATE: late, Column.NEXT_DATED: next_dated, Column.COMPLETED: completed, Column.TO_COMPLETION: days,
    }


@dataclass(frozen=True, slots=True)
class Placing:
    """How the sessions that have a window lie in it."""

    too_early: int
    inside: int
    too_late: int
    without: int


def placing(given: Sequence[Given]) -> Placing:
    """How many sessions lie before, in and after their windows, and how many have none."""
    outside = [days for each in given for days in each.outside]
    windows = [days for days in outside if days is not None]
    early, late = sum(days < 0 for days in windows), sum(days > 0 for days in windows)
    return Placing(early, len(windows) - early - late, late, len(outside) - len(windows))


def _given(given: Sequence[Given]) -> tuple[Count, Share, Middle, Share]:
    """How many sessions were given, how they lie in their windows, and how many left with their next date."""
    everybody, placed, asked, days = set[int](), set[int](), set[int](), list[int]()
    whole = windows = inside = nexts = dated = 0
    for each in given:
        number = len(each.patients)
        whole += number
        windows += number - each.outside.count(None)
        inside += each.outside.count(0)
        nexts += number - each.next_dated.count(None)
        dated += each.next_dated.count(True)
        everybody.update(each.patients)
        placed.update(_known(each.patients, each.outside))
        asked.update(_known(each.patients, each.next_dated))
        days += [day for day in _known(each.from_ideal, each.outside) if day is not None]
    who = frozenset(placed)
    return (Count(whole, frozenset(everybody)), Share(inside, windows, who), middle(days, who),
            Share(dated, nexts, frozenset(asked)))


def _known(values: Sequence[Value], facts: Sequence[object]) -> Iterable[Value]:
    """The values of the sessions of which that is known."""
    return [value for value, fact in zip(values, facts, strict=True) if fact is not None]


def _missed(visits: Sequence[Visit], given: Count) -> tuple[Share, Share]:
    due = [each for each in visits if each.end in DUE]
    who, whole = given.who | _who(due), given.number + len(due)
    missed = sum(each.end is End.NO_SHOW for each in due)
    late = sum(each.end is End.LATE for each in due)
    return Share(missed, whole, who), Share(late, whole, who)


def _completed(ended: Sequence[Ended]) -> tuple[Share, Middle]:
    begun = [each for each in ended if each.end in DONE or each.end in DROPPED]
    done = [each for each in begun if each.end in DONE]
    whole = [each for each in done if each.end == "completed" and each.given > 1 and each.first_on and each.last_on]
    days = [(each.last_on - each.first_on).days for each in whole if each.first_on and each.last_on]
    return Share(len(done), len(begun), _who(begun)), middle(days, _who(whole))


def _who(rows: Iterable[Visit | Ended]) -> Who:
    return frozenset({each.patient_id for each in rows})
