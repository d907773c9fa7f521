"""How fast a course is put right, from memory: `python -m tests.benchmarks.repair`.

A course of 12 sessions with 12 practitioners, 18 rooms, 6 devices and 400 days, planned over about a year at 28 days,
and what life does to it. Processor time is counted, since machines are shared.
"""
from __future__ import annotations

import sys
import time
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median

from clinic.planning import Gap, Kind, Pin, Placement, Problem, Step, plan, repair
from tests.benchmarks.planner import diary, request

TARGET = 20.0
SESSIONS, GAP = 12, Gap(21, 28, 35)
DAY = timedelta(days=1)


def repair_figures(times: int = 15) -> dict[str, float]:
    """The median milliseconds of a repair, by what happened to the course; each to be at most `TARGET`."""
    problem = _course()
    stood = [Placement(each.step, each.start_at, each.resources) for each in plan(problem).plans[0].sessions]
    found = {}
    for name, changed, standing in _happenings(problem, stood):
        took = []
        for _ in range(times):
            began = time.process_time()
            assert repair(changed, standing).plan is not None
            took.append((time.process_time() - began) * 1000)
        found[name] = median(took)
    return found


def _course() -> Problem:
    on = diary(14)
    asked = request(on, typical=True, sessions=SESSIONS)
    able = tuple(each for each in asked.resources if each.kind is not Kind.PRACTITIONER or each.skills)
    steps = tuple(replace(step, gap=GAP) if step.gap else step for step in asked.steps)
    last = asked.ruler.date_of(399)
    return replace(asked, resources=able, steps=tuple(replace(step, to_on=last) for step in steps))


def _happenings(problem: Problem, stood: list[Placement]) -> list[tuple[str, Problem, list[Placement]]]:
    lead, sixth, tenth = stood[5].resources[0], stood[5].start_at, stood[9].start_at
    fourth = Pin(stood[3].start_at + 12 * DAY, stood[3].resources)
    healed_on = (stood[4].start_at + 20 * DAY).date()
    late = [replace(each, step=each.step - 3) for each in stood[3:]]
    return [
        ("nothing", problem, stood),
        ("session 6 cancelled", problem, [*stood[:5], *stood[6:]]),
        ("practitioner away for a day", _away(problem, lead, sixth - DAY / 2, sixth + DAY / 2), stood),
        ("practitioner gone for months", _away(problem, lead, sixth - DAY / 2, tenth + 30 * DAY), stood),
        ("session 4 moved by 12 days", _with(problem, 3, pinned=fourth), [*stood[:3], *stood[4:]]),
        ("session 3 completed 12 days late", replace(
            problem, steps=problem.steps[3:], last_session_on=(stood[2].start_at + 12 * DAY).date()), late),
        ("interval longer from session 4 on", _with_gaps(problem, 3, Gap(30, 32, 38)), stood),
        ("interval longer throughout", _with_gaps(problem, 1, Gap(30, 32, 35)), stood),
        ("interval shorter throughout", _with_gaps(problem, 1, Gap(14, 18, 20)), stood),
        ("not before 20 days after session 5", replace(problem, steps=tuple(
            replace(step, from_on=healed_on) if at >= 4 else step for at, step in enumerate(problem.steps))), stood),
    ]


def _with(problem: Problem, at: int, pinned: Pin) -> Problem:
    step: Step = replace(problem.steps[at], pinned=pinned)
    return replace(problem, steps=(*problem.steps[:at], step, *problem.steps[at + 1:]))


def _with_gaps(problem: Problem, since: int, gap: Gap) -> Problem:
    return replace(problem, steps=tuple(
        replace(step, gap=gap) if at >= since else step for at, step in enumerate(problem.steps)))


def _away(problem: Problem, name: str, from_at: datetime, to_at: datetime) -> Problem:
    gone = problem.ruler.covering(from_at, to_at)
    return replace(problem, resources=tuple(
        replace(each, busy=each.busy | gone) if each.id == name else each for each in problem.resources))


def main() -> None:
    """Measure and report."""
    for name, took in repair_figures().items():
        sys.stdout.write(f"repair: {name:<50}{took:>10.2f} ms  {'met' if took <= TARGET else 'missed'}\n")


if __name__ == "__main__":
    main()
