"""What a plan costs, by cause, counted afresh from its sessions."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from clinic.planning.answer import Parts, PlannedSession
from clinic.planning.hours import window_bits
from clinic.planning.local import MINUTE, day_of
from clinic.planning.problem import Kind, Problem, Step


def parts_of(problem: Problem, sessions: Sequence[PlannedSession]) -> Parts:
    """The cost of sessions placed for all the steps, in order."""
    costs, preferred = problem.costs, problem.preferences.practitioner
    days = [day_of(each.start_at, problem.ruler.zone) for each in sessions]
    led = [leader_of(step, each.resources) for step, each in zip(problem.steps, sessions, strict=True)]
    leaders = [leader for leader in led if leader is not None]
    return Parts(
        gap=costs.gap_day * _days_off_ideal(problem, days),
        wait=0 if problem.last_session_on is not None else costs.wait_day * max(problem.ruler.day(days[0]), 0),
        practitioner_change=costs.practitioner_change * sum(
            leader != before for before, leader in zip(leaders, leaders[1:], strict=False)
        ),
        other_practitioner=costs.other_practitioner * sum(
            leader != preferred for leader in leaders if preferred is not None
        ),
        outside_windows=costs.outside_windows * sum(
            is_outside(problem, step, each.start_at) for step, each in zip(problem.steps, sessions, strict=True)
        ),
    )


def leader_of(step: Step, resources: Sequence[str]) -> str | None:
    """Who meets a step's first-listed practitioner need."""
    led = (each for need, each in zip(step.needs, resources, strict=True) if need.kind is Kind.PRACTITIONER)
    return next(led, None)


def gap_before(problem: Problem, at: int, days: Sequence[date]) -> int | None:
    """The days since the session before, or since the one before the course; None for a first session without one."""
    before = days[at - 1] if at else problem.last_session_on
    return None if before is None else (days[at] - before).days


def is_outside(problem: Problem, step: Step, start_at: datetime) -> bool:
    """Whether no single preferred window holds a session; one that is pinned, or outside the ruler, never counts."""
    windows, on = problem.preferences.windows, problem.ruler
    if windows is None or step.pinned is not None or not -1 <= on.day(day_of(start_at, on.zone)) < on.days:
        return False
    first = on.down(start_at)
    held = window_bits(on, windows, on.up(start_at + step.minutes * MINUTE) - first)
    return not held >> first & 1


def _days_off_ideal(problem: Problem, days: Sequence[date]) -> int:
    gaps = ((step.gap, gap_before(problem, at, days)) for at, step in enumerate(problem.steps))
    return sum(abs(days_between - gap.ideal) for gap, days_between in gaps if gap and days_between is not None)
