"""That the answer is exact: against a solver, and against every plan tried, on a mix of problems that is counted."""
from __future__ import annotations

from collections import Counter

import pytest

from clinic.planning import plan, starts
from clinic.planning.document import document_of, problem_of
from tests.planning.brute_force import answer_of
from tests.planning.checker import faults
from tests.planning.exact_model import ExactModel
from tests.planning.exact_order import is_bettered, is_passed_over
from tests.planning.random_problems import course_problem, families, tiny_problem
from tests.planning.reading import Document, seconds
from tests.planning.settings import count

# Of every 40 problems, at least so many are of each sort; each is promised where exactness is.
MIX = {
    "short": 10, "chain of 12": 4, "spacing between distant steps": 6, "several treatments": 10, "tight diary": 3,
    "odd zone": 20, "several needs of one kind": 4, "same_as": 6, "pins": 3, "history": 6, "last session": 2,
    "preferred practitioner": 10, "preferred hours": 10, "dates": 2, "alternatives": 10, "own costs": 6,
}


def test_the_problems_are_a_mix_of_all_that_courses_ask_for() -> None:
    documents = [course_problem(seed) for seed in range(400)]

    few, all_of_them = (
        Counter(family for document in some for family in families(document)) for some in (documents[:40], documents)
    )
    with_a_plan = sum(bool(plan(problem_of(document)).plans) for document in documents[:40])

    assert {name: few[name] for name in MIX if few[name] < MIX[name]} == {}
    assert {name: all_of_them[name] for name in MIX if all_of_them[name] < MIX[name] * 10} == {}
    assert 16 <= with_a_plan <= 36


@pytest.mark.parametrize("seed", range(count(40, 400)))
def test_a_solver_finds_no_plan_that_should_stand_before_those_that_are_given(seed: int) -> None:
    document = course_problem(seed)
    problem = problem_of(document)

    plans = document_of(plan(problem), problem)["plans"]

    assert [fault for each in plans for fault in faults(Document(document), each)] == []
    assert not is_passed_over(document, plans)
    assert not any(is_bettered(document, each) for each in [*plans[:1], *plans[1:][-1:]][:count(1, 2)])


@pytest.mark.parametrize("seed", [0, 2, 3, 5, 6, 9, 14, 22, *range(60, count(64, 160))])
def test_ties_and_alternatives_are_those_of_trying_every_plan(seed: int) -> None:
    document = tiny_problem(seed)
    problem = problem_of(document)

    plans = document_of(plan(problem), problem)["plans"]

    assert [{key: each[key] for key in ("cost", "parts", "sessions")} for each in plans] == answer_of(document)


@pytest.mark.parametrize("seed", range(800, 800 + count(8, 60)))
def test_the_starts_of_a_step_are_those_from_which_a_solver_finds_a_whole_plan(seed: int) -> None:
    document = tiny_problem(seed)
    step = seed % len(document["course"]["steps"])

    found = starts(problem_of(document), step + 1).starts

    grid = Document(document).grid()
    if "pinned" in document["course"]["steps"][step]:
        grid = iter([seconds(start_at) for start_at in found or ()])
    assert [seconds(start_at) for start_at in found or ()] == [
        start for start in grid if ExactModel(document, only=(step, start)).has_plan()
    ]
