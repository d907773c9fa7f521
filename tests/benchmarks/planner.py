"""How fast the planner is, in one run: `python -m tests.benchmarks.planner [--quick]`.

The data set: 20 practitioners, 18 rooms, 6 devices, 250 working days, about 49,500 bookings (70 % full). Typical: 6
sessions of 45 minutes, gaps 28 to 42 days, ideal 35, 12 qualified practitioners, a room and a device each, three
weekdays, half a day. Wide: every practitioner, weekday and hour. Compared in the same run with a constraint solver and
with a search that looks slot by slot. Processor time is counted, since machines are shared; the ratios hold.
"""
from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from statistics import median

from ortools.sat.python import cp_model

from clinic.planning import (
    Gap,
    Hours,
    Kind,
    Need,
    Problem,
    Resource,
    Ruler,
    Step,
    busy_bits,
    choices,
    opening_bits,
    plan,
    ruler,
    starts,
)
from clinic.planning.local import zone

FIRST_ON = date(2027, 3, 1)
OPENS, CLOSES = 9 * 60, 18 * 60
DAY = timedelta(days=1)
WORKING = frozenset(range(5))
GAP = Gap(28, 35, 42)
STAY = 45


@dataclass(frozen=True)
class Diary:
    """A clinic's bookings, as spans of minutes for each resource and day, and as the planner's resources."""

    on: Ruler
    resources: tuple[Resource, ...]
    spans: dict[str, dict[int, list[tuple[int, int]]]]

    @property
    def bookings(self) -> int:
        return sum(len(each) for days in self.spans.values() for each in days.values())


def diary(months: int = 12, practitioners: int = 20) -> Diary:
    """The data set, or one of another size with rooms and devices in proportion."""
    random = Random(20270301)
    days = months * 365 // 12
    on = ruler(zone("Europe/London"), FIRST_ON, days)
    opened = opening_bits(on, (Hours(WORKING, OPENS, CLOSES),))
    resources, spans = [], {}
    for kind, count in (
        (Kind.PRACTITIONER, practitioners), (Kind.ROOM, practitioners * 9 // 10),
        (Kind.DEVICE, practitioners * 3 // 10),
    ):
        for at in range(count):
            name = f"{kind.value}-{at}"
            skills = frozenset({"laser"} if kind is Kind.PRACTITIONER and at % 5 < 3 else ())
            spans[name] = {day: _bookings(random) for day in range(days) if _is_working(day)}
            taken = busy_bits(on, (
                (_instant(day, begins), _instant(day, ends))
                for day, each in spans[name].items() for begins, ends in each
            ))
            resources.append(Resource(name, kind, skills, opened, taken))
    return Diary(on, tuple(resources), spans)


def _bookings(random: Random) -> list[tuple[int, int]]:
    """A day about 70 % full."""
    found, minute = [], OPENS
    while minute < CLOSES:
        length = random.choice((45, 60, 90, 120))
        if minute + length <= CLOSES and random.random() < 0.65:
            found.append((minute, minute + length))
        minute += length
    return found


def _is_working(day: int) -> bool:
    return (FIRST_ON + day * DAY).weekday() in WORKING


def _instant(day: int, minute: int) -> datetime:
    on = FIRST_ON + day * DAY
    return datetime(on.year, on.month, on.day, minute // 60, minute % 60, tzinfo=zone("Europe/London")).astimezone(UTC)


def request(on: Diary, *, typical: bool, sessions: int = 6) -> Problem:
    """The course to be placed."""
    skills = frozenset({"laser"}) if typical else frozenset()
    needs = (Need(Kind.PRACTITIONER, STAY, skills), Need(Kind.ROOM, STAY), Need(Kind.DEVICE, STAY))
    first = Step("laser", STAY, needs)
    problem = Problem(
        on.on, datetime(2027, 3, 1, 9, tzinfo=UTC), on.resources,
        (first, *[replace(first, gap=GAP)] * (sessions - 1)),
    )
    if not typical:
        return problem
    mornings = opening_bits(on.on, (Hours(frozenset({0, 2, 4}), OPENS, OPENS + 270),))
    return replace(problem, patient_busy=on.on.full & ~mornings)


def slot_by_slot(on: Diary, *, typical: bool) -> dict[int, dict[str, int]]:
    """What a straightforward program does first: for each day, the first start of each practitioner."""
    able = [each for each in on.resources if each.kind is not Kind.PRACTITIONER or not typical or each.skills]
    by_kind = {kind: [each.id for each in able if each.kind is kind] for kind in Kind}
    found: dict[int, dict[str, int]] = {}
    for day in range(on.on.days):
        if not _is_working(day) or (typical and (FIRST_ON + day * DAY).weekday() not in (0, 2, 4)):
            continue
        for minute in range(OPENS, (OPENS + 270 if typical else CLOSES) - STAY + 1, 15):
            if all(any(_is_free(on, name, day, minute) for name in by_kind[kind]) for kind in (Kind.ROOM, Kind.DEVICE)):
                for name in by_kind[Kind.PRACTITIONER]:
                    if _is_free(on, name, day, minute):
                        found.setdefault(day, {}).setdefault(name, minute)
    return found


def _is_free(on: Diary, name: str, day: int, minute: int) -> bool:
    return all(ends <= minute or begins >= minute + STAY for begins, ends in on.spans[name][day])


def dynamic(cells: dict[int, dict[str, int]], sessions: int = 6) -> int:
    """The least cost over days and practitioners, with neither bitsets nor bounds."""
    rest = {(day, name): 0 for day, names in cells.items() for name in names}
    for _ in range(sessions - 1):
        rest = {
            (day, name): min((
                10 * abs(gap - GAP.ideal) + 30 * (other != name) + rest[day + gap, other]
                for gap in range(GAP.min, GAP.max + 1) for other in cells.get(day + gap, ())
                if (day + gap, other) in rest
            ), default=1 << 40)
            for day, names in cells.items() for name in names
        }
    return min(day + cost for (day, _), cost in rest.items())


def by_solver(cells: dict[int, dict[str, int]], seconds: float, sessions: int = 6) -> tuple[float, float]:
    """The same by CP-SAT, with a literal for each cell: its proven bound and its best cost."""
    model = cp_model.CpModel()
    cost: list[cp_model.LinearExprT] = []
    led = [
        {(day, name): model.new_bool_var("") for day, names in cells.items() for name in names} for _ in range(sessions)
    ]
    days = []
    for at, literals in enumerate(led):
        model.add_exactly_one(literals.values())
        days.append(sum(day * literal for (day, _), literal in literals.items()))
        if at:
            off = model.new_int_var(0, GAP.max - GAP.min, "")
            gap = days[at] - days[at - 1]
            model.add_linear_constraint(gap, GAP.min, GAP.max)
            model.add_abs_equality(off, gap - GAP.ideal)
            change = model.new_bool_var("")
            for name in {name for _, name in literals}:
                now = sum(literal for (_, who), literal in literals.items() if who == name)
                before = sum(literal for (_, who), literal in led[at - 1].items() if who == name)
                model.add(change >= now - before)
            cost += [10 * off, 30 * change]
    model.minimize(days[0] + sum(cost))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = seconds
    found = solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return solver.best_objective_bound, solver.objective_value if found else float("inf")


def milliseconds(work: Callable[[], object], times: int) -> float:
    """The median of some runs."""
    found = []
    for _ in range(times):
        began = time.process_time()
        work()
        found.append((time.process_time() - began) * 1000)
    return median(found)


def line(what: str, took: float, ratio: float | None = None) -> None:
    """One row of the report."""
    sys.stdout.write(f"{what:<58}{took:>10.2f} ms" + ("" if ratio is None else f"{ratio:>10.1f} x") + "\n")


def main(*, quick: bool) -> None:
    """Measure and report."""
    times = 15 if quick else 101
    on = diary()
    sys.stdout.write(f"{on.bookings} bookings of {len(on.resources)} resources\n")
    for typical in (True, False):
        name = "typical" if typical else "wide"
        problem = request(on, typical=typical)
        cost = plan(problem).plans[0].cost
        base = milliseconds(lambda problem=problem: plan(problem), times)  # type: ignore[misc]
        line(f"{name}: whole course, proven", base, 1.0)
        took = milliseconds(lambda problem=problem: starts(problem, 3), times)  # type: ignore[misc]
        line(f"{name}: every start of session 3", took, took / base)
        took = milliseconds(lambda problem=problem: choices(problem), times)  # type: ignore[misc]
        line(f"{name}: three choices", took, took / base)
        began = time.process_time()
        cells = slot_by_slot(on, typical=typical)
        assert dynamic(cells) == cost
        took = (time.process_time() - began) * 1000
        line(f"{name}: slot by slot", took, took / base)
        if typical or not quick:
            began = time.process_time()
            bound, best = by_solver(cells, 30 if quick else 600)
            took = (time.process_time() - began) * 1000
            assert bound <= cost <= best
            line(f"{name}: CP-SAT, its cells given{'' if bound == best else ', not proven'}", took, took / base)
    for what, sizes in (("months", (6, 12, 36)), ("practitioners", (5, 20, 80)), ("sessions", (2, 6, 20))):
        for size in sizes:
            grown = diary(**{what: size}) if what != "sessions" else diary(24)
            problem = request(grown, typical=False, sessions=size if what == "sessions" else 4)
            line(f"growth: {size} {what}", milliseconds(lambda problem=problem: plan(problem), times // 3))  # type: ignore[misc]


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
