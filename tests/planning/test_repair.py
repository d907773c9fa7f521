"""Putting a course right: the least change, proven by a solver, by every plan tried, and by what must always hold."""
from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.planning import (
    Costs,
    Placement,
    Plan,
    Problem,
    Repair,
    Status,
    fits,
    judge,
    plan,
    repair,
)
from clinic.planning.answer import Answer
from clinic.planning.document import document_of, problem_of
from tests.planning.brute_repair import repair_of
from tests.planning.diaries import (
    placements,
    with_resource,
)
from tests.planning.exact_repair import is_least_change
from tests.planning.random_problems import families
from tests.planning.random_repairs import random_repair, tiny_repair
from tests.planning.reading import Document, at_second
from tests.planning.repair_checker import Standing, faults_of_repair
from tests.planning.settings import FULL, count

# Tiny courses of which every plan is tried in a moment.
TINY = [3, 10, 11, 31, 46, 47, 67, 80, 94, 109, 117, 122, 123, 131, 138, 149]
TINY_TOO = [each for each in (*range(17), *range(56, 68), *range(85, 160)) if each not in (17, 89, 135)]
OTHER_RULES = {"not-before", "horizon", "off-grid"}


def stood(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Where a course stood before life interfered: some plan of it."""
    problem = replace(problem_of(document), costs=Costs(0, 0, 0, 0, 0), alternatives=1)
    plans: list[dict[str, Any]] = document_of(plan(problem), problem)["plans"]
    return list(plans[0]["sessions"]) if plans else []


def placed(document: dict[str, Any], standing: Standing) -> list[Placement]:
    """What stands, as the planner's values."""
    read = Document(document)
    return [
        Placement(
            place + 1, at_second(read.span({"from": each["start"], "to": each["start"]})[0], read.zone),
            tuple(each["resources"]),
        ) for place, each in standing.items()
    ]


def told(problem: Problem, found: Plan) -> dict[str, Any]:
    """A plan as a document."""
    plans: list[dict[str, Any]] = document_of(Answer(Status.OPTIMAL, (found,)), problem)["plans"]
    return plans[0]


@lru_cache(maxsize=500)
def put_right(seed: int) -> tuple[dict[str, Any], Standing, Problem, Repair]:
    """The repair of a seed with what was asked."""
    document, standing = random_repair(seed, stood)
    problem = problem_of(document)
    return document, standing, problem, repair(problem, placed(document, standing))


def plan_of(found: Repair) -> Plan:
    """The plan of a repair that has one."""
    assert found.plan is not None
    return found.plan


@pytest.mark.parametrize("seed", range(count(40, 400)))
def test_a_solver_proves_that_nothing_moves_less_and_the_checker_accepts_it(seed: int) -> None:
    document, standing, problem, found = put_right(seed)

    if found.plan is None:
        assert (found.status, found.moved) == (Status.INFEASIBLE, ())
        assert is_least_change(document, standing, None)
    else:
        assert found.status is Status.OPTIMAL
        assert faults_of_repair(document, standing, told(problem, found.plan)) == []
        assert is_least_change(document, standing, len(found.moved), found.plan.cost)


@pytest.mark.parametrize("seed", sorted({*TINY, *TINY_TOO}) if FULL else TINY)
def test_moves_cost_and_ties_are_those_of_trying_every_plan(seed: int) -> None:
    document, standing = tiny_repair(seed, stood)
    problem = problem_of(document)

    found = repair(problem, placed(document, standing))

    best = repair_of(document, standing)
    if found.plan is None:
        assert best is None
    else:
        answer = {key: each for key, each in told(problem, found.plan).items() if key != "why"}
        assert (len(found.moved), answer) == best


def test_the_repairs_are_a_mix_of_all_that_happens_to_courses() -> None:
    sorts: Counter[str] = Counter()
    for seed in range(40):
        document, standing, problem, found = put_right(seed)
        sorts.update(families(document))
        sorts.update([found.status.value, f"{min(len(found.moved), 2)} moved"] if found.plan else ["infeasible"])
        kept = [each for each in placed(document, standing) if found.plan and each.step not in found.moved]
        sorts.update({each.code for each in judge(problem, kept)})
        sorts["beyond"] += any(not -1 <= _day(problem, each) < problem.ruler.days for each in kept)

    wanted = {
        "optimal": 18, "0 moved": 10, "1 moved": 3, "2 moved": 3, "infeasible": 5, "off-grid": 2, "not-before": 2,
        "beyond": 1, "chain of 12": 5, "spacing between distant steps": 5, "several needs of one kind": 4,
        "same_as": 5, "pins": 5, "odd zone": 15, "history": 5, "last session": 1, "preferred hours": 8,
    }
    assert {name: sorts[name] for name, least in wanted.items() if sorts[name] < least} == {}


def _day(problem: Problem, placement: Placement) -> int:
    return problem.ruler.day(placement.start_at.astimezone(problem.ruler.zone).date())


@settings(max_examples=count(20, 60), deadline=None)
@given(st.integers(0, count(39, 399)))
def test_a_course_that_fits_entirely_is_left_as_it_is(seed: int) -> None:
    problem = replace(put_right(seed)[2], costs=Costs(0, 0, 0, 0, 0), alternatives=1)
    for best in plan(problem).plans:
        standing = [each for each in placements(best) if problem.steps[each.step - 1].pinned is None]

        found = repair(problem, standing)

        assert (found.status, found.moved) == (Status.OPTIMAL, ())
        assert plan_of(found).sessions == best.sessions
        assert fits(problem, standing) == tuple(each.step for each in standing)


@settings(max_examples=count(20, 60), deadline=None)
@given(st.integers(0, count(39, 399)), st.randoms(use_true_random=False))
def test_the_answer_depends_on_nothing_else_and_the_judge_has_nothing_against_it(seed: int, random: Any) -> None:
    document, standing, problem, found = put_right(seed)
    stands = placed(document, standing)

    random.shuffle(stands)
    again = repair(problem, stands)

    assert again == found
    if found.plan is not None:
        codes = {each.code for each in judge(problem, placements(found.plan))}
        assert codes <= OTHER_RULES
        assert {each.step for each in stands} >= set(found.moved)


@settings(max_examples=count(20, 60), deadline=None)
@given(st.integers(0, count(39, 399)), st.data())
def test_more_free_time_never_raises_moves_or_cost(seed: int, data: st.DataObject) -> None:
    document, standing, problem, before = put_right(seed)
    stands = placed(document, standing)
    freed = data.draw(st.sampled_from(problem.resources))

    after = repair(with_resource(problem, replace(freed, busy=0, open=-1)), stands)

    if before.plan is not None:
        assert (len(after.moved), plan_of(after).cost) <= (len(before.moved), before.plan.cost)
