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
    in_window, drift = _windows(rows.given)
    no_shows, late = _missed(rows)
    completed, days = _completed(rows.ended)
    return {
        Column.GIVEN: Count(len(rows.given), _who(rows.given)), Column.IN_WINDOW: in_window, Column.DRIFT: drift,
        Column.NO_SHOW: no_shows, Column.LATE: late, Column.NEXT_DATED: _next_dated(rows.given),
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


def _windows(given: Sequence[Given]) -> tuple[Share, Middle]:
    placed = [each for each in given if each.outside is not None]
    days = [each.from_ideal for each in placed if each.from_ideal is not None]
    who = _who(placed)
    return Share(sum(not each.outside for each in placed), len(placed), who), middle(days, who)


def _missed(rows: Happened) -> tuple[Share, Share]:
    due = [each for each in rows.visits if each.end in DUE]
    who, whole = _who(rows.given) | _who(due), len(rows.given) + len(due)
    missed = sum(each.end is End.NO_SHOW for each in due)
    late = sum(each.end is End.LATE for each in due)
    return Share(missed, whole, who), Share(late, whole, who)


def _next_dated(given: Sequence[Given]) -> Share:
    asked = [each for each in given if each.is_next_dated is not None]
    return Share(sum(bool(each.is_next_dated) for each in asked), len(asked), _who(asked))


def _completed(ended: Sequence[Ended]) -> tuple[Share, Middle]:
    begun = [each for each in ended if each.end in DONE or each.end in DROPPED]
    done = [each for each in begun if each.end in DONE]
    whole = [each for each in done if each.end == "completed" and each.given > 1 and each.first_on and each.last_on]
    days = [(each.last_on - each.first_on).days for each in whole if each.first_on and each.last_on]
    return Share(len(done), len(begun), _who(begun)), middle(days, _who(whole))


def _who(rows: Iterable[Given | Visit | Ended]) -> Who:
    return frozenset({each.patient_id for each in rows})
