"""Pairs of steps that bind each other by more than their gaps."""
from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from clinic.planning.open_days import spacing_between
from clinic.planning.stage import Position, Stage
from clinic.planning.supply import Supply

if TYPE_CHECKING:
    from clinic.planning.board import Board

ENDLESS = 1 << 62
# Two starts this many dates apart cannot meet: a hold ends at most 4320 minutes after its start and begins at most
# 1440 before it, and a date that a zone skips takes one more.
DAYS_THAT_PART = 6


def spaced_pairs(board: Board) -> dict[tuple[int, int], int]:
    """The pairs that a spacing keeps further apart than the gaps between them do, with its days."""
    if not board.problem.spacing:
        return {}
    found = {}
    for then, later in enumerate(board.stages):
        for first, earlier in enumerate(board.stages[:then]):
            if earlier.pin_option is None and later.pin_option is None:
                days = spacing_between(board.problem, earlier.step.treatment, later.step.treatment)
                if days > board.least(first, then):
                    found[first, then] = days
    return found


def near_pairs(board: Board) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """The pairs of sessions that could overlap in order, and those that could at a resource."""
    orders, holds = set(), set()
    for then, later in enumerate(board.stages):
        for first in range(then - 1, -1, -1):
            earlier = board.stages[first]
            if earlier.supply is None or later.supply is None:
                continue
            if board.least(first, then) > DAYS_THAT_PART:
                break
            days = max(board.least(first, then), board.spaced.get((first, then), 0))
            if then == first + 1 and _can_meet(board, earlier, later, days, earlier.ends, 0):
                orders.add((first, then))
            if _share(earlier.supply, later.supply) and _can_meet(
                board, earlier, later, days, reach(earlier.supply)[1], reach(later.supply)[0]
            ):
                holds.add((first, then))
    return orders, holds


def _can_meet(board: Board, earlier: Stage, later: Stage, days: int, ends: int, begins: int) -> bool:
    """Whether some start of the one, `ends` granules on, lies after some start of the other, `begins` on."""
    earliest: Position = ENDLESS
    for day in _days_to_compare(board, earlier, later, days):
        soon = _starts_between(board, later, day + days)
        if soon is not None:
            earliest = min(earliest, soon[0])
        late = _starts_between(board, earlier, day)
        if late is not None and late[1] + ends > earliest + begins:
            return True
    return False


def _days_to_compare(board: Board, earlier: Stage, later: Stage, days: int) -> Iterable[int]:
    """Every day of the earlier, and `days` before every one of the later, from the last; some may be neither."""
    if earlier.stay is None and later.stay is None:
        return range(board.ruler.days - 1, -2, -1)
    kept = earlier.stay_day, later.stay_day - days
    return sorted({*range(-1 - days, board.ruler.days), *kept}, reverse=True)


def _starts_between(board: Board, stage: Stage, day: int) -> tuple[Position, Position] | None:
    """The first and the last start of a step on a day; None where it has none."""
    found: list[Position] = []
    if -1 <= day < board.ruler.days and stage.days >> (day + 1) & 1:
        starts = board.starts_on(stage, day)
        if starts:
            low = board.cuts[day + 1].low
            found = [low + (starts & -starts).bit_length() - 1, low + starts.bit_length() - 1]
    if stage.stay is not None and day == stage.stay_day:
        found.append(stage.stay.start)
    return (min(found), max(found)) if found else None


def _share(one: Supply, other: Supply) -> bool:
    ones = {resource for masks in one.masks for resource in masks}
    return any(resource in ones for masks in other.masks for resource in masks)


def reach(supply: Supply) -> tuple[int, int]:
    """How far a session's holds reach from its start, in granules: the first begins, the last ends."""
    holds = [hold for group in supply.groups for hold in group.holds]
    return min(offset for offset, _ in holds), max(offset + length for offset, length in holds)
