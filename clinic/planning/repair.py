"""Putting a course right with the least change: what still fits stays, what must move moves as little as possible."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date

from clinic.planning.answer import Placement, Plan, Relaxation, Status
from clinic.planning.board import Board
from clinic.planning.local import day_of
from clinic.planning.planner import DEAD_ENDS_OUT_OF_TIME, deadline, why_not
from clinic.planning.problem import Gap, Pin, Problem, Step
from clinic.planning.search import OutOfTime, Search
from clinic.planning.standing import against_standing
from clinic.planning.trace import any_plan, plan_from
from clinic.planning.why_moved import why_moved


@dataclass(frozen=True, slots=True)
class Repair:
    """How a course is put right with the least change.

    `moved` are the steps (from 1) that stood and now stand elsewhere. `plan` is the whole course, its cost told by the
    problem's own costs. Where time ended the search, `bound` is proven: no plan moves fewer sessions than its first
    figure, and none that moves just so many costs less than its second.
    """

    status: Status
    moved: tuple[int, ...]
    plan: Plan | None
    reason: str | None = None
    relaxations: tuple[Relaxation, ...] = ()
    bound: tuple[int, int] | None = None


def repair(problem: Problem, standing: Sequence[Placement], *, seconds: float | None = None) -> Repair:
    """The plan that moves the fewest standing sessions; of those the least costly, and then as `plan` decides.

    `standing` are the appointments that steps without a pin have now: each either stays, at its start and with its
    resources, or moves to any start that the problem allows. Pins never move; all other steps are placed. One that
    stays keeps every rule but the grid of starts, `not_before` and the horizon, and outside the ruler's days it is not
    held against anyone's hours. What standing sessions hold must be left out of what is busy.

    ValueError where a standing session is of no step, of a pinned one, or of one that is named twice.
    """
    asked = _with_standing(problem, standing)
    board, until = Board(asked), deadline(seconds)
    search = Search(board, until)
    try:
        found = next(search.best_first_days(1), None)
        if found is None:
            answer = why_not(asked, until)
            return Repair(Status.INFEASIBLE, (), None, answer.reason, answer.relaxations)
        cost, day = found
        return _repaired(asked, Status.OPTIMAL, plan_from(search, day, cost))
    except OutOfTime:
        bound = divmod(min((cost for cost, _, _ in search.queue), default=0), asked.costs.moved)
    met = any_plan(Search(board), DEAD_ENDS_OUT_OF_TIME)
    if met is None:
        return Repair(Status.FEASIBLE, (), None, "The time was over before a plan was found.", bound=bound)
    return replace(_repaired(asked, Status.FEASIBLE, met), bound=bound)


def fits(problem: Problem, standing: Sequence[Placement]) -> tuple[int, ...]:
    """The steps whose appointments can stay if nothing else is placed: what a desk keeps that leaves the rest undated.

    They are taken in order: each is judged beside the pins and those that stay before it. Sessions between that have
    no date stretch the gap. ValueError as for `repair`.
    """
    asked = _with_standing(problem, standing)
    stays: list[int] = []
    for at, step in enumerate(asked.steps):
        if step.standing is not None:
            kept = [place for place, other in enumerate(asked.steps) if other.pinned or place in (*stays, at)]
            shorter = replace(asked, steps=tuple(_stretched(asked, place, kept) for place in kept))
            placements = [
                Placement(place + 1, stands.start_at, stands.resources)
                for place, other in enumerate(shorter.steps) if (stands := other.standing) is not None
            ]
            if not against_standing(shorter, placements):
                stays.append(at)
    return tuple(at + 1 for at in stays)


def _stretched(problem: Problem, at: int, kept: Sequence[int]) -> Step:
    """A step whose gap counts from the step that is kept before it."""
    before = max((place for place in kept if place < at), default=-1)
    gaps = [step.gap for step in problem.steps[before + 1:at + 1]]
    known = [gap for gap in gaps if gap is not None]
    if len(known) < len(gaps):
        return replace(problem.steps[at], gap=None)
    gap = Gap(sum(each.min for each in known), sum(each.ideal for each in known), sum(each.max for each in known))
    return replace(problem.steps[at], gap=gap)


def _with_standing(problem: Problem, standing: Sequence[Placement]) -> Problem:
    """The problem whose steps know what they have, and to which a session moved outweighs all else."""
    stands = {each.step - 1: Pin(each.start_at.astimezone(UTC), each.resources) for each in standing}
    known = all(0 <= at < len(problem.steps) and problem.steps[at].pinned is None for at in stands)
    if len(stands) != len(standing) or not known:
        raise ValueError("a standing session is of no step, of one that is pinned, or of one that is named twice")
    steps = tuple(replace(step, standing=stands.get(at)) for at, step in enumerate(problem.steps))
    asked = replace(problem, steps=steps, alternatives=1)
    return replace(asked, costs=replace(problem.costs, moved=1 + _most(asked)))


def _most(problem: Problem) -> int:
    """What no plan costs more than."""
    costs = problem.costs
    found = len(problem.steps) * (costs.practitioner_change + costs.other_practitioner + costs.outside_windows)
    before = problem.last_session_on
    if before is None:
        first = problem.steps[0]
        begins = [problem.ruler.day(on) for on in (_pinned_on(problem, first), _standing_on(problem, first)) if on]
        found += costs.wait_day * max(problem.ruler.days, *begins, 0)
    for step in problem.steps:
        on = _pinned_on(problem, step)
        if step.gap is not None:
            far = max(step.gap.ideal - step.gap.min, step.gap.max - step.gap.ideal)
            # Pins need not keep their gaps to each other.
            pinned = abs((on - before).days - step.gap.ideal) if on is not None and before is not None else 0
            found += costs.gap_day * max(far, pinned)
        before = on
    return found


def _pinned_on(problem: Problem, step: Step) -> date | None:
    return None if step.pinned is None else day_of(step.pinned.start_at, problem.ruler.zone)


def _standing_on(problem: Problem, step: Step) -> date | None:
    return None if step.standing is None else day_of(step.standing.start_at, problem.ruler.zone)


def _repaired(asked: Problem, status: Status, plan: Plan) -> Repair:
    moved = tuple(
        each.step for each, step in zip(plan.sessions, asked.steps, strict=True)
        if step.standing is not None and (each.start_at, each.resources) != (
            step.standing.start_at, step.standing.resources)
    )
    return Repair(status, moved, replace(plan, why=why_moved(asked, moved, plan.sessions)))
