"""The plans a desk offers side by side: the best, the soonest to finish, and one with a single practitioner."""
from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from clinic.planning.answer import Plan
from clinic.planning.costs import leader_of, parts_of
from clinic.planning.planner import best_plan
from clinic.planning.problem import Costs, Gap, Problem, Step
from clinic.planning.why import departures_of
from clinic.planning.words import listed

BEST, SOONEST, SAME_PRACTITIONER = "best", "soonest", "same-practitioner"
WHY = {
    BEST: "No plan departs less from what is wished",
    SOONEST: "No plan finishes sooner",
    SAME_PRACTITIONER: "The best plan with one practitioner throughout",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A plan and what it is the best at; its cost is told by the problem's own costs."""

    labels: tuple[str, ...]
    plan: Plan


def choices(problem: Problem) -> tuple[Choice, ...]:
    """The best plan, the one that finishes soonest and the one that keeps one practitioner, equal ones once."""
    found: list[Choice] = []
    for label, variant in (
        (BEST, problem), (SOONEST, soonest(problem)), (SAME_PRACTITIONER, _same_practitioner(problem))
    ):
        best = best_plan(variant)
        if best is None:
            return ()
        told = _told(problem, best, WHY[label])
        if label == SAME_PRACTITIONER and _practitioners(problem, told) > 1:
            continue
        same = next((at for at, choice in enumerate(found) if choice.plan.sessions == told.sessions), None)
        if same is None:
            found.append(Choice((label,), told))
        else:
            found[same] = Choice((*found[same].labels, label), found[same].plan)
    return tuple(found)


def soonest_choice(problem: Problem) -> Choice | None:
    """The plan that finishes soonest, told by the problem's own costs; none where nothing fits."""
    found = best_plan(soonest(problem))
    return None if found is None else Choice((SOONEST,), _told(problem, found, WHY[SOONEST]))


def soonest(problem: Problem) -> Problem:
    """The problem with costs by which the date of the last session decides, and the patient's other wishes after it."""
    steps = tuple(_as_soon_as_possible(step) for step in problem.steps)
    day = _more_than_all_else(problem)
    first = steps[0]
    if problem.last_session_on is not None and first.gap is not None and first.pinned is None:
        # The wait then counts like any gap, from the date that the last session allows.
        last = problem.last_session_on.toordinal()
        earliest = date.fromordinal(last + first.gap.min)
        latest = date.fromordinal(last + first.gap.max)
        first = replace(
            first, from_on=max(earliest, first.from_on or earliest), to_on=min(latest, first.to_on or latest)
        )
    return replace(
        problem, steps=(first, *steps[1:]), last_session_on=None,
        costs=replace(problem.costs, gap_day=day, wait_day=day),
    )


def _as_soon_as_possible(step: Step) -> Step:
    return step if step.gap is None else replace(step, gap=Gap(step.gap.min, step.gap.min, step.gap.max))


def _same_practitioner(problem: Problem) -> Problem:
    costs = problem.costs
    days = problem.ruler.days
    most = (costs.gap_day + costs.wait_day) * days * (len(problem.steps) + 1) + _more_than_all_else(problem)
    return replace(problem, costs=replace(costs, practitioner_change=most))


def _more_than_all_else(problem: Problem) -> int:
    costs: Costs = problem.costs
    return 1 + len(problem.steps) * (costs.practitioner_change + costs.other_practitioner + costs.outside_windows)


def _told(problem: Problem, found: Plan, why: str) -> Plan:
    parts = parts_of(problem, found.sessions)
    departures = departures_of(problem, found.sessions)
    told = f"{why}: {listed(departures)}." if departures else f"{why}, and every session is just as wished."
    return replace(found, cost=parts.total, parts=parts, why=told)


def _practitioners(problem: Problem, found: Plan) -> int:
    led = {leader_of(step, each.resources) for step, each in zip(problem.steps, found.sessions, strict=True)}
    return len(led - {None})
