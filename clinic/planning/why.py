"""Why a plan is the one, in a sentence for staff."""
from __future__ import annotations

from collections.abc import Sequence

from clinic.planning.answer import Plan, PlannedSession
from clinic.planning.costs import is_outside, leader_of
from clinic.planning.local import day_of
from clinic.planning.problem import Problem
from clinic.planning.words import day_words, days_words, listed


def why_best(problem: Problem, plan: Plan) -> str:
    """Why the first plan of an answer is the first."""
    departures = departures_of(problem, plan.sessions)
    if not departures:
        return "Every session is just as wished, from the earliest day on."
    return f"No plan departs less from what is wished: {listed(departures)}."


def why_alternative(problem: Problem, plan: Plan) -> str:
    """Why an alternative is offered for its first day."""
    first_on = day_of(plan.sessions[0].start_at, problem.ruler.zone)
    departures = departures_of(problem, plan.sessions)
    rest = listed(departures) if departures else "every session is just as wished"
    return f"The best plan that begins on {day_words(first_on)}: {rest}."


def why_found(problem: Problem, plan: Plan) -> str:
    """Why a plan is offered when time ended the search."""
    departures = departures_of(problem, plan.sessions)
    rest = listed(departures) if departures else "every session is just as wished"
    return f"The best plan that was found in time: {rest}."


def departures_of(problem: Problem, sessions: Sequence[PlannedSession]) -> list[str]:
    """Everything that a plan pays for, said one by one."""
    return [each for say in (_wait, _gaps, _people, _hours) for each in say(problem, sessions)]


def _wait(problem: Problem, sessions: Sequence[PlannedSession]) -> list[str]:
    days = problem.ruler.day(day_of(sessions[0].start_at, problem.ruler.zone))
    if problem.last_session_on is not None or days <= 0 or not problem.costs.wait_day:
        return []
    return [f"it begins {days_words(days)} after the earliest day"]


def _gaps(problem: Problem, sessions: Sequence[PlannedSession]) -> list[str]:
    if not problem.costs.gap_day:
        return []
    found = []
    for step, placed in zip(problem.steps, sessions, strict=True):
        if step.gap is not None and placed.gap_days is not None and placed.gap_days != step.gap.ideal:
            off = placed.gap_days - step.gap.ideal
            found.append(
                f"session {problem.number(placed.step - 1)} comes {days_words(abs(off))} "
                f"{'later' if off > 0 else 'sooner'} than ideal"
            )
    return found


def _people(problem: Problem, sessions: Sequence[PlannedSession]) -> list[str]:
    words = {resource.id: resource.words for resource in problem.resources}
    preferred, found, before, others = problem.preferences.practitioner, [], None, []
    for step, placed in zip(problem.steps, sessions, strict=True):
        leader = leader_of(step, placed.resources)
        if leader is None:
            continue
        if before is not None and leader != before and problem.costs.practitioner_change:
            found.append(f"session {problem.number(placed.step - 1)} changes to {words[leader]}")
        if preferred is not None and leader != preferred and problem.costs.other_practitioner:
            others.append(str(problem.number(placed.step - 1)))
        before = leader
    if others and preferred is not None:
        found.append(f"{_sessions(others)} not with {words[preferred]}")
    return found


def _hours(problem: Problem, sessions: Sequence[PlannedSession]) -> list[str]:
    outside = [
        str(problem.number(placed.step - 1)) for step, placed in zip(problem.steps, sessions, strict=True)
        if is_outside(problem, step, placed.start_at)
    ]
    return [f"{_sessions(outside)} outside the preferred hours"] if outside and problem.costs.outside_windows else []


def _sessions(numbers: Sequence[str]) -> str:
    return f"session {numbers[0]} is" if len(numbers) == 1 else f"sessions {listed(numbers)} are"
