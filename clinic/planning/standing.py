"""Keeping an appointment that a session has: when that is possible, and as what the search sees it.

A standing session is judged like any other, except that it need not lie on the grid of starts, after `not_before` or
within the horizon: it was booked by other rules, or long ago. Outside the ruler's days nothing is known of hours,
bookings and wishes, so that there it simply stands.
"""
from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from clinic.planning.answer import Placement
from clinic.planning.costs import is_outside
from clinic.planning.findings import Finding
from clinic.planning.judge import judge
from clinic.planning.local import day_of
from clinic.planning.problem import Kind, Problem
from clinic.planning.stage import Option, Stage, position
from clinic.planning.supply import NOBODY

if TYPE_CHECKING:
    from clinic.planning.board import Board

BY_OTHER_RULES = frozenset({"not-before", "horizon", "off-grid"})


def against_standing(problem: Problem, placements: Sequence[Placement]) -> tuple[Finding, ...]:
    """What `judge` says against sessions, where a standing one is among them."""
    return tuple(finding for finding in judge(problem, placements) if finding.code not in BY_OTHER_RULES)


def let_stay(board: Board, problem: Problem, stage: Stage) -> None:
    """Let a step keep its appointment, unless that itself or a pin speaks against it.

    `problem` has the board's steps only. What other sessions say is the search's matter.
    """
    standing = stage.step.standing
    if standing is None or stage.pin_option is not None:
        return
    if against_standing(problem, [Placement(stage.at + 1, standing.start_at, standing.resources)]):
        return
    resources = tuple(board.index[name] for name in standing.resources)
    needs = zip(stage.step.needs, resources, strict=True)
    leader = next((each for need, each in needs if need.kind is Kind.PRACTITIONER), NOBODY)
    outside = board.costs.outside_windows if is_outside(problem, stage.step, standing.start_at) else 0
    stage.stay_day = problem.ruler.day(day_of(standing.start_at, problem.ruler.zone))
    stage.may_stay = True
    stage.stay = Option(
        board.other_cost(leader) + outside, position(problem.ruler, standing.start_at), leader, resources
    )


class AtLeast:
    """What the rest of a course costs at least from a day of a step on: in moves, and in gaps to what can be kept.

    It never falls by more along a gap than that gap costs, so the board adds what it gains to the cost of a gap: the
    search then meets first what keeps the most appointments, and the sum over a whole course is the same.
    """

    def __init__(self, board: Board) -> None:
        self._board, self._costs = board, board.costs
        self._stays = [stage for stage in board.stages if stage.stay is not None]
        self._ideal = list(accumulate(stage.gap.ideal if stage.gap and stage.at else 0 for stage in board.stages))
        self._known: dict[tuple[int, int], int] = {}
        self._after: dict[int, int] = {}
        for stage in reversed(self._stays):
            self._after[stage.at] = self.after(stage.at, stage.stay_day)

    def after(self, at: int, day: int) -> int:
        """What comes after a step that is on a day costs at least."""
        known = self._known.get((at, day))
        if known is not None:
            return known
        board, moved, gap_day = self._board, self._costs.moved, self._costs.gap_day
        later = [stage for stage in self._stays if stage.at > at]
        found = len(later) * moved
        for passed, stage in enumerate(later):
            days = stage.stay_day - day
            if board.least(at, stage.at) <= days <= board.most(at, stage.at):
                off = abs(days - self._ideal[stage.at] + self._ideal[at])
                found = min(found, passed * moved + off * gap_day + self._after[stage.at])
        self._known[at, day] = found
        return found
