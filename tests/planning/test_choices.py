"""The plans side by side."""
from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.planning import Gap, Status, best_plan, choices, plan, soonest_choice
from clinic.planning.costs import leader_of
from clinic.planning.document import document_of, problem_of
from tests.planning.checker import faults
from tests.planning.diaries import course, starts_of
from tests.planning.random_problems import random_problem
from tests.planning.reading import Document
from tests.planning.settings import count


def test_equal_plans_are_shown_once_with_both_labels() -> None:
    found = choices(course(Gap(28, 30, 42)))

    assert [(each.labels, starts_of(each.plan), each.plan.cost) for each in found] == [
        (("best", "same-practitioner"), ["2027-03-01 09:00", "2027-03-31 08:45"], 0),
        (("soonest",), ["2027-03-01 09:00", "2027-03-29 08:45"], 20),
    ]


@settings(max_examples=count(20, 200), deadline=None)
@given(st.integers(0, 5000))
def test_each_choice_is_a_right_plan_and_the_best_at_what_it_says(seed: int) -> None:
    document = random_problem(seed)
    problem = problem_of(document)
    answer = plan(problem)

    found = choices(problem)

    assert bool(found) == (answer.status is not Status.INFEASIBLE)
    best, soonest = best_plan(problem), soonest_choice(problem)
    assert (best.sessions if best else None) == (answer.plans[0].sessions if answer.plans else None)
    assert ([soonest.plan.sessions] if soonest else []) == [
        each.plan.sessions for each in found if "soonest" in each.labels]
    for choice in found:
        told = document_of(type(answer)(Status.OPTIMAL, (choice.plan,)), problem)["plans"][0]
        assert faults(Document(document), told) == []
        if "best" in choice.labels:
            assert choice.plan.sessions == answer.plans[0].sessions
        if "soonest" in choice.labels and found:
            assert problem.ruler.zone is not None
            last = choice.plan.sessions[-1].start_at.astimezone(problem.ruler.zone).date()
            assert last == min(each.plan.sessions[-1].start_at.astimezone(problem.ruler.zone).date() for each in found)
        if "same-practitioner" in choice.labels:
            led = {
                leader_of(step, each.resources)
                for step, each in zip(problem.steps, choice.plan.sessions, strict=True)
            }
            assert len(led - {None}) <= 1
