"""The planner's two questions: the best plans of a course, and the starts of one step that leave the rest possible."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from time import monotonic

from clinic.planning.answer import Answer, Plan, PlannedSession, Status
from clinic.planning.bits import each_bit
from clinic.planning.board import MINUTE, Board
from clinic.planning.bonds import ENDLESS
from clinic.planning.costs import gap_before
from clinic.planning.local import day_of
from clinic.planning.problem import Costs, Kind, Problem
from clinic.planning.reason import first_unplaceable, is_possible, reached_days, reason_of
from clinic.planning.relaxations import relaxations_of
from clinic.planning.search import Looks, OutOfTime, Search
from clinic.planning.stage import Only
from clinic.planning.trace import any_plan, plan_from
from clinic.planning.why import why_alternative, why_best, why_found

# Out of time, a plan is still looked for until so many dead ends are met.
DEAD_ENDS_OUT_OF_TIME = 20_000
# How much is searched for a reason and for what would help, where a course fits nowhere.
LOOKS_FOR_REASONS = 20_000
NOT_FOUND_IN_TIME = "No plan fits; the time was over before it was found which session stands in the way."


def plan(problem: Problem, *, seconds: float | None = None) -> Answer:
    """The least costly plans, proven; or the best found in so many seconds with a bound; or why there is none."""
    until = deadline(seconds)
    board = Board(problem)
    search = Search(board, until)
    plans: list[Plan] = []
    try:
        for cost, day in search.best_first_days(problem.alternatives):
            plans.append(plan_from(search, day, cost))
    except OutOfTime:
        return _best_so_far(search, plans)
    if not plans:
        return why_not(problem, until)
    best, *others = plans
    told = [replace(best, why=why_best(problem, best))]
    told += [replace(each, why=why_alternative(problem, each)) for each in others]
    return Answer(Status.OPTIMAL, tuple(told))


def best_plan(problem: Problem) -> Plan | None:
    """The least costly plan, as `plan` finds it; none where nothing fits, and no reason is looked for."""
    search = Search(Board(problem), None)
    return next((plan_from(search, day, cost) for cost, day in search.best_first_days(1)), None)


def starts(problem: Problem, step: int = 1) -> Answer:
    """Every start of a step (from 1) for which a whole plan exists, in order; ValueError for a step there is not."""
    if not 1 <= step <= len(problem.steps):
        raise ValueError(f"the course has no step {step}")
    free = replace(problem, costs=Costs(0, 0, 0, 0, 0), alternatives=1)
    board = Board(free)
    pinned = problem.steps[step - 1].pinned
    found: tuple[datetime, ...]
    if pinned is not None:
        found = (pinned.start_at,) if is_possible(board) else ()
    elif board.hard_until < 0:
        found = tuple(problem.ruler.instant(start) for start in _starts_by_gaps(board, step - 1))
    else:
        found = tuple(problem.ruler.instant(start) for start in _starts_one_by_one(free, board, step - 1))
    return Answer(Status.OPTIMAL if found else Status.INFEASIBLE, starts=found)


def placed_at(problem: Problem, step: int, at: Sequence[datetime]) -> tuple[PlannedSession, ...]:
    """A step at each of some of its `starts`, with the first-listed resources that are free then; those before it are
    wherever a plan has them, those after it only where they are pinned."""
    asked = replace(problem, costs=Costs(0, 0, 0, 0, 0), alternatives=1, steps=tuple(
        each for place, each in enumerate(problem.steps, 1) if place <= step or each.pinned))
    board = Board(asked)
    around = [each for place, each in enumerate(asked.steps, 1) if place != step]
    if board.hard_until < 0 and asked.steps[step - 1].standing is None and all(each.pinned for each in around):
        return tuple(_alone_at(board, step - 1, each) for each in at)
    # With no costs the earliest start is taken, which is the one asked for.
    return tuple(plan(replace(asked, not_before=each)).plans[0].sessions[step - 1] for each in at)


def _alone_at(board: Board, at: int, start_at: datetime) -> PlannedSession:
    """A step that nothing but pins are around at one of its starts."""
    problem, stage = board.problem, board.stages[at]
    if stage.supply is None:
        assert stage.pin_option is not None and stage.pin_option.resources is not None
        resources = stage.pin_option.resources
    else:
        start = problem.ruler.down(start_at)
        led = [leader for leader, packed in stage.supply.packed() if packed[start >> 3] >> (start & 7) & 1]
        resources = min(found for leader in led if (found := stage.supply.assign(start, leader, frozenset())))
    days = [day_of(each.pinned.start_at if each.pinned else start_at, problem.ruler.zone) for each in problem.steps]
    return PlannedSession(
        step=at + 1, treatment=stage.step.treatment, start_at=start_at, end_at=start_at + stage.step.minutes * MINUTE,
        gap_days=gap_before(problem, at, days), resources=tuple(problem.resources[each].id for each in resources))


def starts_by(problem: Problem, kind: Kind, step: int = 1) -> Mapping[str, tuple[datetime, ...]]:
    """For each resource of a kind, by its id, those of the step's `starts` that it could serve, in order."""
    found = starts(problem, step).starts or ()
    supply = Board(problem).stages[step - 1].supply if found else None
    if supply is None:
        return {}
    marks = [(problem.ruler.down(at), at) for at in found]
    served = {problem.resources[place].id: mask for place, mask in supply.by_resource(kind).items()}
    return {name: tuple(at for mark, at in marks if mask >> mark & 1) for name, mask in served.items()}


def _starts_by_gaps(board: Board, at: int) -> list[int]:
    """The starts where nothing but gaps binds the steps: each start of each day that gaps connect to both ends."""
    days = reached_days(board, at) & board.alive[at]
    stage = board.stages[at]
    return sorted(
        board.cuts[place].low + start
        for place in each_bit(days) for start in each_bit(board.starts_on(stage, place - 1))
    )


def _starts_one_by_one(problem: Problem, board: Board, at: int) -> list[int]:
    """The starts where sessions bind each other further: a whole plan is looked for, by day where that is enough."""
    stage = board.stages[at]
    candidates = reached_days(board, at) & board.alive[at]
    by_start = any(at in pair for pair in (*board.orders, *board.holds))
    found: list[int] = []
    for place in each_bit(candidates):
        cut = board.cuts[place]
        on_day = [cut.low + start for start in each_bit(board.starts_on(stage, place - 1))]
        if by_start:
            found += [
                start for start in on_day if is_possible(Board(problem, only=Only(at, place - 1, start, start)))
            ]
        elif on_day and is_possible(Board(problem, only=Only(at, place - 1, on_day[0], on_day[-1]))):
            found += on_day
    return sorted(found)


def deadline(seconds: float | None) -> float | None:
    """When a search that may take so many seconds from now ends; None where it may take its time."""
    return None if seconds is None else monotonic() + seconds


def why_not(problem: Problem, until: float | None = None) -> Answer:
    """The reason why a problem has no plan, and what would help; nothing is looked for after `until`.

    The session that is named is always the first that cannot be placed; what would help is looked for in bounds.
    """
    try:
        unplaceable = first_unplaceable(problem, None if until is None else Looks(ENDLESS, until))
    except OutOfTime:
        return Answer(Status.INFEASIBLE, reason=NOT_FOUND_IN_TIME)
    found = relaxations_of(problem, unplaceable, Looks(LOOKS_FOR_REASONS, until))
    return Answer(Status.INFEASIBLE, reason=reason_of(problem, unplaceable), relaxations=found)


def why_none(problem: Problem) -> str:
    """The reason alone, of a problem that has no plan."""
    try:
        return reason_of(problem, first_unplaceable(problem, Looks(LOOKS_FOR_REASONS)))
    except OutOfTime:
        return NOT_FOUND_IN_TIME


def _best_so_far(search: Search, plans: list[Plan]) -> Answer:
    """What is known when the time is over: a plan if one can be met quickly, and the bound that is proven."""
    problem = search.board.problem
    if plans:
        told = tuple(replace(each, why=why_found(problem, each)) for each in plans)
        return Answer(Status.FEASIBLE, told, bound=plans[0].cost)
    bound = min((cost for cost, _, _ in search.queue), default=0)
    found = any_plan(Search(search.board), DEAD_ENDS_OUT_OF_TIME)
    if found is None:
        return Answer(Status.FEASIBLE, bound=bound, reason="The time was over before a plan was found.")
    status = Status.OPTIMAL if found.cost <= bound else Status.FEASIBLE
    return Answer(status, (replace(found, why=why_found(problem, found)),), bound=bound)
