"""The figures of some rows: how sessions lie in their windows, what was missed, who goes on, and who stops."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from clinic.care.figures.happened import DONE, DROPPED, DUE, End, Ended, Given, Visit
from clinic.care.figures.shares import Cell, Count, Middle, Share, Who, middle


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
    who, in_window, drift, next_dated = _given(rows.given)
    no_shows, late = _missed(rows, who)
    completed, days = _completed(rows.ended)
    return {
        Column.GIVEN: Count(len(rows.given), who), Column.IN_WINDOW: in_window, Column.DRIFT: drift,
        Column.NO_SHOW: no_shows, Column.LATE: late, Column.NEXT_DATED: next_dated,
        Column.COMPLETED: completed, Column.TO_COMPLETION: days,
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
    outside = [each.outside for each in given if each.outside is not None]
    early, late = sum(days < 0 for days in outside), sum(days > 0 for days in outside)
    return Placing(early, len(outside) - early - late, late, len(given) - len(outside))


def _given(given: Sequence[Given]) -> tuple[Who, Share, Middle, Share]:
    """Who was given a session, how they lie in their windows, and how many left with their next date.

    In one go, with nothing looked up for each: a year of a large clinic has tens of thousands, counted for each table.
    """
    everybody, placed, asked, days = set[int](), set[int](), set[int](), list[int]()
    windows = inside = nexts = dated = 0
    for _, _, _, _, patient_id, _, _, from_ideal, outside, is_next_dated in given:
        everybody.add(patient_id)
        if outside is not None:
            placed.add(patient_id)
            windows += 1
            inside += not outside
            if from_ideal is not None:
                days.append(from_ideal)
        if is_next_dated is not None:
            asked.add(patient_id)
            nexts += 1
            dated += bool(is_next_dated)
    who = frozenset(placed)
    return (frozenset(everybody), Share(inside, windows, who), middle(days, who),
            Share(dated, nexts, frozenset(asked)))


def _missed(rows: Happened, given: Who) -> tuple[Share, Share]:
    due = [each for each in rows.visits if each.end in DUE]
    who, whole = given | _who(due), len(rows.given) + len(due)
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
