"""The planner's two questions: the best plans of a course, and the starts of one step that leave the rest possible."""
from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from time import monotonic

from clinic.planning.answer import Answer, Plan, Status
from clinic.planning.bits import each_bit, spread
from clinic.planning.board import ENDLESS, Board, Only
from clinic.planning.problem import Costs, Problem
from clinic.planning.search import OutOfTime, Search
from clinic.planning.trace import any_plan, plan_from

# Out of time, a plan is still looked for until so many dead ends are met.
DEAD_ENDS_OUT_OF_TIME = 20_000


def plan(problem: Problem, *, seconds: float | None = None) -> Answer:
    """The least costly plans, proven; or the best found in so many seconds with a bound; or why there is none."""
    board = Board(problem)
    search = Search(board, None if seconds is None else monotonic() + seconds)
    plans: list[Plan] = []
    try:
        for cost, day in search.best_first_days(problem.alternatives):
            plans.append(plan_from(search, day, cost))
    except OutOfTime:
        return _best_so_far(search, plans)
    if plans:
        return Answer(Status.OPTIMAL, tuple(plans))
    return Answer(Status.INFEASIBLE)


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


def is_possible(board: Board) -> bool:
    """Whether the board's steps have a plan at all."""
    search = Search(board)
    return any(search.from_first_day(day, ENDLESS - 1) < ENDLESS for day in board.first_days())


def reached_days(board: Board, upto: int) -> int:
    """The days of a step to which gaps lead from the first step (bit d + 1 is day d); for a pin whether they do."""
    reached = 0
    before = None
    for stage in board.stages[:upto + 1]:
        if stage.pin_option is not None:
            reached = 1 if before is None or reached else 0
        elif before is None or before.pin_option is not None:
            reached = stage.days if before is None or reached else 0
        else:
            assert stage.gap is not None
            reached = stage.days & spread(reached, stage.gap.max - stage.gap.min + 1) << stage.gap.min
        before = stage
    return reached


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


def _best_so_far(search: Search, plans: list[Plan]) -> Answer:
    """What is known when the time is over: a plan if one can be met quickly, and the bound that is proven."""
    if plans:
        return Answer(Status.FEASIBLE, tuple(plans), bound=plans[0].cost)
    bound = min((cost for cost, _, _ in search.queue), default=0)
    found = any_plan(Search(search.board), DEAD_ENDS_OUT_OF_TIME)
    if found is None:
        return Answer(Status.FEASIBLE, bound=bound, reason="The time was over before a plan was found.")
    status = Status.OPTIMAL if found.cost <= bound else Status.FEASIBLE
    return Answer(status, (found,), bound=bound)
