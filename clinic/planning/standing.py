"""Keeping an appointment that a session has: when that is possible, and as what the search sees it.

A standing session is judged like any other, except that it need not lie on the grid of starts, after `not_before` or
within the horizon: it was booked by other rules, or long ago. Outside the ruler's days nothing is known of hours,
bookings and wishes, so that there it simply stands.
"""
from __future__ import annotations

from collections.abc import Sequence
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
    stage.stay = Option(
        board.other_cost(leader) + outside, position(problem.ruler, standing.start_at), leader, resources
    )
