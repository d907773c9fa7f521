"""Whether an answer is the one that the format names, by a constraint solver: least cost, ties, alternatives.

That each plan is right and costs what it says is for the checker to say. What is proven here is that nothing better
was passed over: no plan of a date comes before the one that is given for it, and no date before those that are given.
"""
from __future__ import annotations

from datetime import date
from typing import Any

from ortools.sat.python import cp_model

from tests.planning.checker import begin
from tests.planning.exact_model import ExactModel

SECONDS = 120.0


def is_passed_over(problem: dict[str, Any], plans: list[dict[str, Any]]) -> bool:
    """Whether a date that is not given has a plan that should stand among these; with no plans, whether any exists."""
    model = ExactModel(problem)
    if not model.is_possible:
        return False
    given = [_first_on(model, plan) for plan in plans]
    for day in given:
        if day in model.by_day[0]:
            model.model.add(model.by_day[0][day] == 0)
    if plans and len(plans) == problem.get("alternatives", 1):
        cost, last = plans[-1]["cost"], given[-1]
        cheaper, as_cheap = model.model.new_bool_var("cheaper"), model.model.new_bool_var("as cheap and earlier")
        model.model.add_bool_or(cheaper, as_cheap)
        model.model.add(sum(model.cost) <= cost - 1).only_enforce_if(cheaper)
        model.model.add(sum(model.cost) <= cost).only_enforce_if(as_cheap)
        model.model.add(model.days[0] <= last - 1).only_enforce_if(as_cheap)
    return _is_possible(model)


def is_bettered(problem: dict[str, Any], plan: dict[str, Any]) -> bool:
    """Whether another plan of the same first date costs less, or as much and comes before this one in the order."""
    model = ExactModel(problem)
    if not model.is_possible:
        return False
    model.model.add(model.days[0] == _first_on(model, plan))
    model.model.add(sum(model.cost) <= plan["cost"])
    cheaper = model.model.new_bool_var("cheaper")
    model.model.add(sum(model.cost) <= plan["cost"] - 1).only_enforce_if(cheaper)
    ways, same_so_far = [cheaper], None
    for at, (expression, value) in enumerate(_in_order(model, plan)):
        sooner, same = model.model.new_bool_var(f"sooner-{at}"), model.model.new_bool_var(f"same-{at}")
        model.model.add(expression <= value - 1).only_enforce_if(sooner)
        model.model.add(expression == value).only_enforce_if(same)
        if same_so_far is not None:
            model.model.add_implication(sooner, same_so_far)
            model.model.add_implication(same, same_so_far)
        ways.append(sooner)
        same_so_far = same
    model.model.add_bool_or(ways)
    return _is_possible(model)


def _in_order(model: ExactModel, plan: dict[str, Any]) -> list[tuple[cp_model.LinearExprT, int]]:
    """What decides between plans of one cost, the most important first, with this plan's values."""
    document = model.document
    place = {name: at for at, name in enumerate(document.resources)}
    found: list[tuple[cp_model.LinearExprT, int]] = [
        (start, begin(session) - document.not_before)
        for start, session in zip(model.starts, plan["sessions"], strict=True)
    ]
    for able, session in zip(model.meets, plan["sessions"], strict=True):
        found += [
            (sum(place[name] * literal for name, literal in each.items()), place[chosen])
            for each, chosen in zip(able, session["resources"], strict=True)
        ]
    return found


def _first_on(model: ExactModel, plan: dict[str, Any]) -> int:
    on: date = model.document.date_of(begin(plan["sessions"][0]))
    return (on - model.document.first_date).days


def _is_possible(model: ExactModel) -> bool:
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = SECONDS
    solver.parameters.num_workers = 1
    status = solver.solve(model.model)
    assert status in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.INFEASIBLE), solver.status_name(status)
    return bool(status != cp_model.INFEASIBLE)
