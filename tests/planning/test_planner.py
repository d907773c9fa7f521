"""The whole course: against the page's example, a solver, every plan tried, and what must hold of any answer."""
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import strategies as st

from clinic.planning import (
    Costs,
    Gap,
    Kind,
    Need,
    Pin,
    Preferences,
    Problem,
    Resource,
    Spacing,
    Status,
    Step,
    plan,
    ruler,
    starts,
)
from clinic.planning.document import document_of, parse
from clinic.planning.local import local_of, zone
from clinic.planning.ruler import grid_bits
from tests.planning.diaries import (
    AMARI,
    BELL,
    DEVICE,
    NEEDS,
    RULER,
    at,
    busy,
    course,
    office,
    starts_of,
    with_resource,
)

EXAMPLES = Path(__file__).parent / "examples"
MONTH = Gap(28, 30, 42)
seeds = st.integers(0, 10_000)


def test_the_example_of_the_page_has_exactly_the_published_answer() -> None:
    problem = parse((EXAMPLES / "two-sessions.problem.json").read_text())

    answer = document_of(plan(problem), problem)

    for each in answer["plans"]:
        assert each.pop("why")
    assert answer == json.loads((EXAMPLES / "two-sessions.answer.json").read_text())


def test_a_course_keeps_its_practitioner_and_its_ideal_gaps() -> None:
    problem = course(MONTH, MONTH)

    best = plan(problem).plans[0]

    assert starts_of(best) == ["2027-03-01 09:00", "2027-03-29 08:45", "2027-04-28 08:45"]
    assert (best.cost, best.parts.gap) == (20, 20)
    assert best.why == "No plan departs less from what is wished: session 2 comes 2 days sooner than ideal."


def test_a_dead_end_that_the_nearest_date_runs_into_is_avoided() -> None:
    away = replace(BELL, open=0)
    only_late = replace(AMARI, busy=busy(("2027-03-25 00:00", "2027-04-13 23:00")))
    problem = with_resource(with_resource(course(Gap(28, 30, 35)), away), only_late)

    best = plan(problem).plans[0]

    assert starts_of(best) == ["2027-03-15 08:45", "2027-04-14 08:45"]


def test_a_preferred_practitioner_is_waited_for_as_long_as_it_is_worth() -> None:
    problem = course(preferences=Preferences("bell"))

    cheap = plan(problem).plans[0]
    dear = plan(replace(problem, costs=Costs(wait_day=31))).plans[0]

    assert (starts_of(cheap), cheap.parts.wait, cheap.parts.other_practitioner) == (["2027-03-02 11:45"], 1, 0)
    assert (starts_of(dear), dear.parts.wait, dear.parts.other_practitioner) == (["2027-03-01 09:00"], 0, 30)


def test_a_pin_stands_whatever_its_hours_and_takes_its_resources_from_the_others() -> None:
    problem = course(Gap(1, 1, 1))
    pinned = replace(problem.steps[1], pinned=Pin(at("2027-03-03 05:00"), ("amari", "room-1", "rf-1")))

    best = plan(replace(problem, steps=(problem.steps[0], pinned))).plans[0]

    assert starts_of(best) == ["2027-03-02 11:45", "2027-03-03 05:00"]
    assert best.parts.practitioner_change == 30


def test_distant_spacing_is_kept_where_the_gaps_alone_would_break_it() -> None:
    mixed = course(Gap(7, 7, 21), Gap(7, 7, 21), spacing=(Spacing("rf", "rf", 24),))
    peel = replace(mixed.steps[1], treatment="peel")
    problem = replace(mixed, steps=(mixed.steps[0], peel, mixed.steps[2]))

    best = plan(problem).plans[0]

    days = [each.start_at.date() for each in best.sessions]
    assert (days[2] - days[0]).days >= 24
    assert is_cheapest_by_hand(problem, best.cost)


def is_cheapest_by_hand(problem: Problem, cost: int) -> bool:
    """No choice of three dates on which someone works costs less."""
    working = {0: "amari", 2: "amari", 1: "bell", 3: "bell"}
    costs = []
    for first in range(30):
        for second in range(first + 7, first + 22):
            for third in range(max(second + 7, first + 24), second + 22):
                led = [working.get(day % 7) for day in (first, second, third)]
                if None not in led:
                    changes = sum(one != two for one, two in zip(led, led[1:], strict=False))
                    off = abs(second - first - 7) + abs(third - second - 7)
                    costs.append(first + 10 * off + 30 * changes)
    return cost == min(costs)


def test_a_resource_held_overnight_is_not_given_to_the_next_day() -> None:
    long_room = Need(Kind.ROOM, 2880)
    step = Step("rf", 60, (NEEDS[0], long_room))
    rooms = tuple(Resource(f"room-{number}", Kind.ROOM) for number in (1, 2))
    problem = Problem(
        RULER, at("2027-03-01 09:00"), (AMARI, BELL, *rooms), (step, replace(step, gap=Gap(1, 1, 1)))
    )

    best = plan(problem).plans[0]

    assert [each.resources[1] for each in best.sessions] == ["room-1", "room-2"]


@pytest.mark.parametrize(("zone_name", "readings"), [
    ("Europe/London", ["00:00", "00:30", "02:00", "02:30"]),
    ("Australia/Lord_Howe", ["00:00", "00:30", "01:00", "01:30", "01:30", "02:00"]),
])
def test_starts_skip_and_repeat_with_the_clock(zone_name: str, readings: list[str]) -> None:
    where = zone(zone_name)
    day = {"Europe/London": at("2027-03-28 12:00").date(), "Australia/Lord_Howe": at("2027-04-04 12:00").date()}
    on = ruler(where, day[zone_name], 1, 1800)
    begins = on.spans[1].low

    found = [
        local_of(on.instant(bit), where).strftime("%H:%M") for bit in range(begins, begins + len(readings))
        if grid_bits(on, 30) >> bit & 1
    ]

    assert found == readings


def test_an_infeasible_course_names_the_first_session_and_what_binds() -> None:
    problem = with_resource(course(MONTH), replace(DEVICE, busy=busy(("2027-03-20 00:00", "2027-07-30 00:00"))))

    answer = plan(problem)

    assert answer.status is Status.INFEASIBLE
    assert answer.reason == (
        "Session 2 (rf) fits nowhere between 29 March 2027 and 29 April 2027: the RF device is booked, closed or away "
        "at every time."
    )


def test_a_skill_that_nobody_has_is_named_and_its_lifting_is_offered() -> None:
    problem = course()
    rare = replace(problem.steps[0], needs=(replace(NEEDS[0], skills=frozenset({"laser"})), *NEEDS[1:]))

    answer = plan(replace(problem, steps=(rare,)))

    assert answer.reason == (
        "Session 1 (rf) fits nowhere between 1 March 2027 and 28 June 2027: no practitioner is qualified for laser."
    )
    assert [(each.change, each.to, each.text) for each in answer.relaxations] == [
        ("resources[0].skills", ["laser", "rf"], "Let Dr Amari take session 1, though not down for laser."),
        ("resources[1].skills", ["laser", "rf"], "Let bell take session 1, though not down for laser."),
    ]


def test_the_smallest_longer_gap_that_helps_is_offered() -> None:
    away = busy(("2027-03-08 00:00", "2027-03-31 23:59"))
    closed = course(Gap(7, 7, 14))
    closed = replace(closed, steps=(replace(closed.steps[0], to_on=at("2027-03-05 00:00").date()), closed.steps[1]))
    for each in (AMARI, BELL):
        closed = with_resource(closed, replace(each, busy=away))

    answer = plan(closed)
    longer = replace(closed.steps[1], gap=Gap(7, 7, answer.relaxations[0].to))  # type: ignore[arg-type]
    shorter = replace(closed.steps[1], gap=Gap(7, 7, answer.relaxations[0].to - 1))  # type: ignore[operator]

    assert answer.relaxations[0].change == "course.steps[1].gap_days.max"
    assert plan(replace(closed, steps=(closed.steps[0], longer))).status is Status.OPTIMAL
    assert plan(replace(closed, steps=(closed.steps[0], shorter))).status is Status.INFEASIBLE


def test_out_of_time_a_plan_comes_with_a_bound_that_holds() -> None:
    problem = replace(course(*[Gap(20, 28, 36)] * 9, spacing=(Spacing("rf", "rf", 25),)), ruler=RULER)
    longer = ruler(RULER.zone, RULER.first_on, 400)
    problem = replace(problem, ruler=longer, resources=(
        replace(AMARI, open=office(longer, days=frozenset({0, 2}))), replace(BELL, open=office(longer, 12, 20)),
        replace(problem.resources[2], open=office(longer, 8, 21)), DEVICE,
    ))

    hurried, best = plan(problem, seconds=0.0), plan(problem)

    assert best.status is Status.OPTIMAL
    assert hurried.plans
    assert hurried.status is Status.OPTIMAL or (hurried.bound or 0) <= best.plans[0].cost <= hurried.plans[0].cost


def test_starts_of_a_step_that_is_not_there_are_refused() -> None:
    with pytest.raises(ValueError, match="no step 3"):
        starts(course(MONTH), 3)


def test_the_starts_of_the_first_step_leave_the_second_possible() -> None:
    away = replace(AMARI, busy=busy(("2027-03-29 00:00", "2027-03-30 00:00")))
    problem = with_resource(course(Gap(28, 28, 28)), away)

    found = starts(problem, 1).starts or ()

    assert at("2027-03-01 09:00") not in found
    assert found[0] == at("2027-03-02 11:45")
