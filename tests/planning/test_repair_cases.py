"""Putting a course right, case by case: who stays, who moves, and what is said of it."""
from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from clinic.planning import (
    Gap,
    Kind,
    Need,
    Past,
    Pin,
    Placement,
    Plan,
    Problem,
    Repair,
    Resource,
    Spacing,
    Status,
    Step,
    fits,
    judge,
    plan,
    repair,
    ruler,
)
from tests.planning.diaries import (
    AMARI,
    BELL,
    DEVICE,
    LONDON,
    MONDAY,
    RULER,
    at,
    busy,
    course,
    office,
    placements,
    starts_of,
    with_resource,
)

MONTH = Gap(21, 28, 35)


def plan_of(found: Repair) -> Plan:
    """The plan of a repair that has one."""
    assert found.plan is not None
    return found.plan


def test_only_the_session_whose_practitioner_is_away_moves_and_the_sentence_says_so() -> None:
    problem = course(MONTH, MONTH, MONTH)
    standing = placements(plan(problem).plans[0])
    away = with_resource(problem, replace(AMARI, busy=busy(("2027-03-29 00:00", "2027-04-02 00:00"))))

    found = repair(away, standing)

    assert found.moved == (2,)
    assert starts_of(plan_of(found)) == [
        "2027-03-01 09:00", "2027-03-30 11:45", "2027-04-26 08:45", "2027-05-24 08:45",
    ]
    assert plan_of(found).cost == plan_of(found).parts.total == 80
    assert plan_of(found).why == (
        "Sessions 1, 3 and 4 stay; session 2 moves because Dr Amari is already booked within 09:00 to 09:45 on "
        "Monday 29 March 2027."
    )


def test_a_pin_that_was_moved_pushes_as_few_others_as_its_gaps_allow() -> None:
    problem = course(MONTH, MONTH, MONTH)
    standing = placements(plan(problem).plans[0])
    pin = Pin(standing[1].start_at + timedelta(days=9), standing[1].resources)
    moved = replace(problem, steps=(problem.steps[0], replace(problem.steps[1], pinned=pin), *problem.steps[2:]))

    found = repair(moved, [standing[0], *standing[2:]])

    assert found.moved == (1, 3)
    assert starts_of(plan_of(found))[1] == "2027-04-07 08:45"
    assert plan_of(found).why == (
        "Sessions 2 and 4 stay; session 1 moves because session 2 would come 2 days too late after it; session 3 "
        "moves because it lay 2 days before its window."
    )


def test_a_longer_interval_moves_what_now_comes_too_soon() -> None:
    standing = placements(plan(course(MONTH, MONTH, MONTH)).plans[0])

    found = repair(course(*[Gap(35, 42, 49)] * 3), standing)

    assert found.moved == (2, 3, 4)
    assert plan_of(found).why == (
        "Session 1 stays; sessions 2, 3 and 4 move because they lay 7 to 28 days before their windows."
    )


def test_a_session_without_a_date_gets_one_and_the_others_stay() -> None:
    problem = course(MONTH, MONTH)
    standing = placements(plan(problem).plans[0])

    found = repair(problem, [standing[0], standing[2]])

    assert (found.moved, placements(plan_of(found))) == ((), standing)
    assert plan_of(found).why == "Sessions 1 and 3 stay; session 2 gets a date."


def test_staying_needs_neither_the_grid_nor_an_hour_that_is_still_to_come() -> None:
    problem = course(Gap(1, 2, 30))
    rooms = ("amari", "room-1", "rf-1")
    standing = [Placement(1, at("2027-03-01 08:50"), rooms), Placement(2, at("2027-03-03 10:25"), rooms)]

    found = repair(problem, standing)

    assert (found.moved, starts_of(plan_of(found))) == ((), ["2027-03-01 08:50", "2027-03-03 10:25"])
    assert {each.code for each in judge(problem, standing)} == {"not-before", "off-grid"}


def test_outside_the_days_that_are_planned_a_session_simply_stands() -> None:
    problem = course(MONTH, MONTH, MONTH, MONTH, MONTH)
    rooms = ("amari", "room-1", "rf-1")
    long_ago = Placement(1, at("2027-02-20 03:00"), rooms)
    far_off = Placement(6, at("2027-07-11 03:00"), rooms)

    found = repair(problem, [long_ago, far_off])

    assert found.moved == ()
    assert (starts_of(plan_of(found))[0], starts_of(plan_of(found))[5]) == ("2027-02-20 03:00", "2027-07-11 03:00")


def test_a_session_outside_the_days_that_are_planned_moves_where_its_gap_forbids_it() -> None:
    problem = course(MONTH)
    rooms = ("amari", "room-1", "rf-1")

    found = repair(problem, [Placement(1, at("2027-03-03 10:00"), rooms), Placement(2, at("2027-07-11 03:00"), rooms)])

    assert (found.moved, starts_of(plan_of(found))) == ((2,), ["2027-03-03 10:00", "2027-03-31 08:45"])


def test_a_session_that_keeps_its_time_in_another_room_has_moved() -> None:
    problem = course()
    other = Resource("room-2", Kind.ROOM, open=office(begins=8, ends=21), name="Room 2")
    taken = replace(problem.resources[2], busy=busy(("2027-03-01 00:00", "2027-03-30 00:00")))
    problem = with_resource(replace(problem, resources=(*problem.resources, other)), taken)

    found = repair(problem, [Placement(1, at("2027-03-01 09:00"), ("amari", "room-1", "rf-1"))])

    assert found.moved == (1,)
    assert plan_of(found).sessions[0].resources == ("amari", "room-2", "rf-1")


def test_someone_who_left_is_named_as_no_longer_there() -> None:
    problem = course()

    found = repair(problem, [Placement(1, at("2027-03-01 09:00"), ("gone", "room-1", "rf-1"))])

    assert found.moved == (1,)
    assert plan_of(found).why == (
        "Session 1 moves because someone or something that it was booked with cannot be booked here any more."
    )


@pytest.mark.parametrize(("first", "then"), [
    # A room held over a night of 23, 25 or 24 hours, up to the minute at which the next session takes it.
    ("2027-03-27 12:01", "2027-03-28 12:01"), ("2027-10-30 12:01", "2027-10-31 12:01"),
    ("2027-06-05 12:01", "2027-06-06 12:01"),
])
def test_two_that_meet_to_the_minute_both_stay_and_one_that_reaches_further_moves(first: str, then: str) -> None:
    begins, ends = at(first), at(then)
    minutes = int((ends - begins).total_seconds()) // 60
    on = ruler(LONDON, MONDAY, 300, 300)

    def found(longer: int) -> tuple[int, ...]:
        steps = (
            Step("rf", 60, (Need(Kind.ROOM, minutes + longer),)), Step("rf", 60, (Need(Kind.ROOM, 60),), Gap(1, 1, 9)),
        )
        problem = Problem(on, at("2027-03-01 09:00"), (Resource("room-1", Kind.ROOM),), steps)
        return repair(problem, [Placement(1, begins, ("room-1",)), Placement(2, ends, ("room-1",))]).moved

    assert (found(0), len(found(5))) == ((), 1)


def test_new_history_and_spacing_between_distant_sessions_move_what_they_forbid() -> None:
    problem = course(MONTH, MONTH)
    standing = placements(plan(problem).plans[0])
    peel = Past("peel", standing[0].start_at.date())
    spaced = replace(problem, spacing=(Spacing("peel", "rf", 10), Spacing("rf", "rf", 21)), history=(peel,))

    found = repair(spaced, standing)

    assert 1 in found.moved
    assert "session 1 moves because it must lie at least 10 days after peel on 1 March 2027" in plan_of(found).why


def test_where_nothing_fits_the_reason_and_what_would_help_are_said() -> None:
    problem = course(MONTH)
    standing = placements(plan(problem).plans[0])
    broken = with_resource(problem, replace(DEVICE, busy=busy(("2027-03-20 00:00", "2027-07-29 00:00"))))

    found = repair(broken, standing)

    assert (found.status, found.moved, found.plan) == (Status.INFEASIBLE, (), None)
    assert found.reason is not None and found.reason.startswith("Session 2 (rf) fits nowhere between")
    assert found.relaxations


def test_the_reason_counts_from_a_session_that_could_stay_though_it_could_not_move() -> None:
    problem = course(MONTH)
    standing = placements(plan(problem).plans[0])[:1]
    free = RULER.covering(standing[0].start_at, standing[0].start_at + timedelta(hours=2))
    alone = with_resource(problem, replace(problem.resources[2], busy=RULER.full & ~free))

    found = repair(replace(alone, not_before=standing[0].start_at + timedelta(hours=1)), standing)

    assert found.reason == (
        "Session 2 (rf) fits nowhere between 22 March 2027 and 5 April 2027: Room 1 is booked, closed or away at every "
        "time."
    )


def test_out_of_time_a_plan_comes_with_a_bound_that_holds() -> None:
    longer = ruler(RULER.zone, RULER.first_on, 400)
    problem = replace(
        course(*[Gap(20, 28, 36)] * 9, spacing=(Spacing("rf", "rf", 25),)), ruler=longer, resources=(
            replace(AMARI, open=office(longer, days=frozenset({0, 2}))), replace(BELL, open=office(longer, 12, 20)),
            replace(course().resources[2], open=office(longer, 8, 21)), DEVICE,
        ))
    standing = placements(plan(problem).plans[0])
    gaps = [replace(step, gap=Gap(29, 33, 39)) if step.gap else step for step in problem.steps]
    changed = replace(problem, steps=tuple(gaps))

    hurried, best = repair(changed, standing, seconds=0.0), repair(changed, standing)

    assert best.status is Status.OPTIMAL
    least = (len(best.moved), plan_of(best).cost)
    assert least <= (len(hurried.moved), plan_of(hurried).cost)
    assert hurried.status is Status.OPTIMAL or (hurried.bound or (0, 0)) <= least


@pytest.mark.parametrize("steps", [(3,), (0,), (1, 1), (2,)])
def test_what_stands_must_be_of_a_step_without_a_pin_once(steps: tuple[int, ...]) -> None:
    problem = course(MONTH)
    rooms = ("amari", "room-1", "rf-1")
    pinned = replace(problem.steps[1], pinned=Pin(at("2027-03-29 10:00"), rooms))
    problem = replace(problem, steps=(problem.steps[0], pinned))

    with pytest.raises(ValueError, match="a standing session is of"):
        repair(problem, [Placement(step, at("2027-03-01 10:00"), rooms) for step in steps])


def test_what_fits_by_itself_is_kept_and_the_gap_stretches_over_what_has_no_date() -> None:
    problem = course(MONTH, MONTH, MONTH)
    standing = placements(plan(problem).plans[0])
    away = with_resource(problem, replace(AMARI, busy=busy(("2027-03-29 00:00", "2027-04-02 00:00"))))
    apart = course(*[Gap(35, 42, 49)] * 3)
    pinned = replace(problem.steps[3], pinned=Pin(standing[3].start_at + timedelta(days=14), standing[3].resources))

    assert fits(away, standing) == (1, 3, 4)
    assert fits(apart, standing) == (1,)
    assert fits(apart, [standing[0], standing[3]]) == (1,)
    assert fits(replace(problem, steps=(*problem.steps[:3], pinned)), standing[:3]) == (1, 2)
