"""The days that are open to a step: what its dates, the patient's history and the pins around it leave."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from clinic.planning.problem import Past, Problem
from clinic.planning.ruler import Ruler, bits
from clinic.planning.stage import Stage

MINUTE = timedelta(minutes=1)


def days_allowed(problem: Problem, at: int) -> int:
    """The days that dates, the session before the course and history leave to a step; bit d + 1 is day d."""
    step, on = problem.steps[at], problem.ruler
    low = -1 if step.from_on is None else on.day(step.from_on)
    high = on.days - 1 if step.to_on is None else on.day(step.to_on)
    if at == 0 and problem.last_session_on is not None and step.gap is not None:
        last = on.day(problem.last_session_on)
        low, high = max(low, last + step.gap.min), min(high, last + step.gap.max)
    allowed = bits(max(low, -1) + 1, min(high, on.days - 1) + 2)
    for past in problem.history:
        allowed &= ~days_near(problem, step.treatment, past)
    return allowed


def days_near(problem: Problem, treatment: str, past: Past) -> int:
    """The days that are too near to a treatment of the patient's history; bit d + 1 is day d."""
    day = problem.ruler.day(past.on)
    before = spacing_between(problem, treatment, past.treatment)
    after = spacing_between(problem, past.treatment, treatment)
    if not (before or after):
        return 0
    # On one date the spacing holds in both directions, so that either forbids the date itself.
    lowest, highest = min(day - before + 1, day), max(day + after - 1, day)
    return bits(max(lowest, -1) + 1, max(highest, -2) + 2)


def spacing_between(problem: Problem, first: str, then: str) -> int:
    """The days asked for between a session of one treatment and a later one of another."""
    return max((each.days for each in problem.spacing if each.first == first and each.then == then), default=0)


def bound_by_pins(problem: Problem, stages: Sequence[Stage]) -> None:
    """Leaves to every other step the days and starts that keep gaps, order and spacing to the pins."""
    for before, after in pairwise(stages):
        gap = after.gap
        assert gap is not None
        if before.step.pinned is not None and after.step.pinned is None:
            _bound_days(problem.ruler, after, before.pin_day + gap.min, before.pin_day + gap.max)
            ends = before.step.pinned.start_at + before.step.minutes * MINUTE
            after.first_bit = max(after.first_bit, problem.ruler.up(ends))
        if after.step.pinned is not None and before.step.pinned is None:
            _bound_days(problem.ruler, before, after.pin_day - gap.max, after.pin_day - gap.min)
            latest = problem.ruler.down(after.step.pinned.start_at) - before.ends
            before.last_bit = min(before.last_bit, latest)
    if problem.spacing:
        for pin in stages:
            if pin.pin_option is not None:
                _space_from_pin(problem, stages, pin)


def _space_from_pin(problem: Problem, stages: Sequence[Stage], pin: Stage) -> None:
    for stage in stages:
        if stage.pin_option is not None:
            continue
        if stage.at > pin.at:
            days = spacing_between(problem, pin.step.treatment, stage.step.treatment)
            _bound_days(problem.ruler, stage, pin.pin_day + days, None)
        else:
            days = spacing_between(problem, stage.step.treatment, pin.step.treatment)
            _bound_days(problem.ruler, stage, None, pin.pin_day - days)


def _bound_days(on: Ruler, stage: Stage, low: int | None, high: int | None) -> None:
    low = -1 if low is None else max(low, -1)
    high = on.days - 1 if high is None else min(high, on.days - 1)
    stage.days &= bits(low + 1, high + 2)
