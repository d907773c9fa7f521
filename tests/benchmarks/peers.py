"""What a clinic would use instead of the planner, written as straightforwardly as others do it, for the benchmark.

All look at bookings as lists of spans for each resource and day, which is generous: others keep one list for all days
or ask a database for each.
"""
from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from ortools.sat.python import cp_model

from clinic.planning import Gap, Kind

if TYPE_CHECKING:
    from tests.benchmarks.planner import Diary

OPENS, CLOSES, STAY, STEP = 9 * 60, 18 * 60, 45, 15
GAP = Gap(28, 35, 42)
DAY = timedelta(days=1)
Cells = dict[int, dict[str, int]]


def is_free(on: Diary, name: str, day: int, minute: int) -> bool:
    """Whether a resource has no booking during a stay."""
    return all(ends <= minute or begins >= minute + STAY for begins, ends in on.spans[name][day])


def slots(on: Diary, day: int, *, typical: bool) -> range:
    """The starts that a day's hours allow; none at weekends, and on three mornings only where it is typical."""
    weekday = (on.on.first_on + day * DAY).weekday()
    if weekday not in ((0, 2, 4) if typical else range(5)):
        return range(0)
    return range(OPENS, (OPENS + 270 if typical else CLOSES) - STAY + 1, STEP)


def by_kind(on: Diary, *, typical: bool) -> dict[Kind, list[str]]:
    """The resources that may serve, by kind."""
    able = [each for each in on.resources if each.kind is not Kind.PRACTITIONER or not typical or each.skills]
    return {kind: [each.id for each in able if each.kind is kind] for kind in Kind}


def one_by_one(on: Diary, *, typical: bool, sessions: int = 6) -> int | None:
    """The cost of what staff do: each session at the free date nearest to its ideal; None where that is a dead end."""
    names = by_kind(on, typical=typical)
    outward = sorted(range(GAP.min, GAP.max + 1), key=lambda gap: abs(gap - GAP.ideal))
    placed: list[tuple[int, str]] = []
    cost = 0
    for _ in range(sessions):
        day, led = placed[-1] if placed else (0, "")
        candidates = [day + gap for gap in outward] if placed else list(range(on.on.days))
        found = _first_free(on, names, candidates, led, typical=typical)
        if found is None:
            return None
        cost += 10 * abs(found[0] - day - GAP.ideal) + 30 * (found[1] != led) if placed else found[0]
        placed.append(found)
    return cost


def _first_free(
    on: Diary, names: dict[Kind, list[str]], days: list[int], led: str, *, typical: bool
) -> tuple[int, str] | None:
    for day in days:
        who = _who(on, names, day, led, typical=typical) if day < on.on.days else None
        if who is not None:
            return day, who
    return None


def _who(on: Diary, names: dict[Kind, list[str]], day: int, led: str, *, typical: bool) -> str | None:
    """Who is free on a day, whoever led before if possible, walking its slots."""
    first = None
    for minute in slots(on, day, typical=typical):
        if all(any(is_free(on, name, day, minute) for name in names[kind]) for kind in (Kind.ROOM, Kind.DEVICE)):
            for name in names[Kind.PRACTITIONER]:
                if is_free(on, name, day, minute):
                    if name == led or not led:
                        return name
                    first = first or name
    return first


def slot_by_slot(on: Diary, *, typical: bool) -> Cells:
    """For each day the first free start of each practitioner: what a search for the best course needs first."""
    names = by_kind(on, typical=typical)
    found: Cells = {}
    for day in range(on.on.days):
        for minute in slots(on, day, typical=typical):
            if all(any(is_free(on, name, day, minute) for name in names[kind]) for kind in (Kind.ROOM, Kind.DEVICE)):
                for name in names[Kind.PRACTITIONER]:
                    if is_free(on, name, day, minute):
                        found.setdefault(day, {}).setdefault(name, minute)
    return found


def day_by_day(cells: Cells, sessions: int = 6) -> int:
    """The least cost over days and practitioners, every one tried."""
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


def by_solver(cells: Cells, seconds: float, sessions: int = 6) -> tuple[int, bool, float, float]:
    """The same by CP-SAT: its cost, whether that is proven, and the seconds of solving and of building the model.

    A literal for each day and for each practitioner of a session, and one for each two days that a gap can join: of the
    models and settings that we tried the quickest, as its relaxation is nearly whole.
    """
    began = time.process_time()
    model, cost = cp_model.CpModel(), []
    names = sorted({name for each in cells.values() for name in each})
    days = [{day: model.new_bool_var("") for day in cells} for _ in range(sessions)]
    leads = [{name: model.new_bool_var("") for name in names} for _ in range(sessions)]
    for at in range(sessions):
        model.add_exactly_one(days[at].values())
        model.add_exactly_one(leads[at].values())
        for day, able in cells.items():
            model.add_bool_or(*(leads[at][name] for name in able), ~days[at][day])
        if at:
            cost += _joined(model, days[at - 1], days[at])
            change = model.new_bool_var("")
            for name in names:
                model.add(change >= leads[at][name] - leads[at - 1][name])
            cost.append(30 * change)
    model.minimize(sum(day * literal for day, literal in days[0].items()) + sum(cost))
    built = time.process_time() - began
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.linearization_level = 2
    solver.parameters.cp_model_probing_level = 0
    solver.parameters.max_time_in_seconds = seconds
    began = time.process_time()
    status = solver.solve(model)
    took = time.process_time() - began
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return round(solver.objective_value) if found else 1 << 40, status == cp_model.OPTIMAL, took, built


def _joined(
    model: cp_model.CpModel, before: dict[int, cp_model.IntVar], after: dict[int, cp_model.IntVar]
) -> list[cp_model.LinearExprT]:
    leaving: dict[int, list[cp_model.IntVar]] = {day: [] for day in before}
    coming: dict[int, list[cp_model.IntVar]] = {day: [] for day in after}
    cost: list[cp_model.LinearExprT] = []
    for day in before:
        for gap in range(GAP.min, GAP.max + 1):
            if day + gap in coming:
                way = model.new_bool_var("")
                leaving[day].append(way)
                coming[day + gap].append(way)
                cost.append(10 * abs(gap - GAP.ideal) * way)
    for literals, ways in ((before, leaving), (after, coming)):
        for day, literal in literals.items():
            model.add(sum(ways[day]) == literal)
    return cost
