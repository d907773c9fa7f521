"""Each rule of the judge, in the words that staff read."""
from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from clinic.planning import Gap, Past, Pin, Placement, Problem, Spacing, Unwilling, Weight, blocks, judge, starts
from tests.planning.diaries import AMARI, DEVICE, at, busy, course, with_resource

MONTH = Gap(28, 30, 42)
ALL = ("amari", "room-1", "rf-1")


def said(problem: Problem, *sessions: tuple[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    """The codes and texts about sessions placed from the first step on."""
    placed = [Placement(step, at(start), names) for step, (start, names) in enumerate(sessions, 1)]
    return [(finding.code, finding.text) for finding in judge(problem, placed)]


def test_a_session_that_fits_has_nothing_against_it() -> None:
    assert said(course(), ("2027-03-01 10:00", ALL)) == []


def test_a_resource_that_is_not_there_is_named() -> None:
    assert said(course(), ("2027-03-02 10:00", ALL)) == [
        ("not-open", "Dr Amari does not work all of 10:15 to 11:00 on Tuesday 2 March 2027."),
    ]


def test_a_resource_that_is_booked_is_named() -> None:
    problem = with_resource(course(), replace(DEVICE, busy=busy(("2027-03-01 11:00", "2027-03-01 11:30"))))

    assert said(problem, ("2027-03-01 10:00", ALL)) == [
        ("busy", "the RF device is already booked within 10:15 to 11:15 on Monday 1 March 2027."),
    ]


def test_a_patient_who_is_elsewhere_blocks() -> None:
    problem = course(patient_busy=busy(("2027-03-01 10:59", "2027-03-01 12:00")))

    assert said(problem, ("2027-03-01 10:00", ALL)) == [
        ("patient-busy", "The patient is already booked within 10:00 to 11:00 on Monday 1 March 2027."),
    ]


def test_what_a_patient_asked_for_is_not_called_a_booking() -> None:
    mornings, away = busy(("2027-03-01 10:30", "2027-03-01 12:00")), busy(("2027-03-01 09:00", "2027-03-01 10:15"))
    problem = course(unwilling=(
        Unwilling(mornings, "comes only Mon 09:00 – 10:30", "so it says in the patient's details"),
        Unwilling(away, "is away on 1 March 2027", "that was asked for this course")))
    elsewhere = replace(problem, patient_busy=problem.patient_busy | busy(("2027-03-01 10:15", "2027-03-01 10:30")))

    assert said(problem, ("2027-03-01 10:00", ALL)) == [
        ("patient-unwilling", "The patient comes only Mon 09:00 – 10:30 and cannot come within 10:00 to 11:00 on "
                              "Monday 1 March 2027: so it says in the patient's details."),
        ("patient-unwilling", "The patient is away on 1 March 2027 and cannot come within 10:00 to 11:00 on "
                              "Monday 1 March 2027: that was asked for this course."),
    ]
    assert [code for code, _ in said(elsewhere, ("2027-03-01 10:00", ALL))] == [
        "patient-unwilling", "patient-unwilling", "patient-busy"]


def test_what_a_patient_may_agree_to_warns_hides_no_booking_and_is_planned_only_when_asked() -> None:
    mornings, nine = busy(("2027-03-01 00:00", "2027-03-01 12:00")), ("2027-03-01 09:00", ALL)
    problem = course(unwilling=(Unwilling(mornings, "comes only from noon", "so it says in their details", asks=True),))
    booked = replace(problem, patient_busy=busy(("2027-03-01 09:30", "2027-03-01 10:00")))

    found = judge(problem, [Placement(1, at(nine[0]), ALL)])

    assert [(each.code, each.weight, each.text) for each in found] == [
        ("patient-unwilling", Weight.WARNS, "The patient comes only from noon, not within 09:00 to 10:00 on Monday "
                                            "1 March 2027: so it says in their details.")]
    assert [code for code, _ in said(booked, nine)] == ["patient-unwilling", "patient-busy"]
    first = [(starts(each).starts or ())[0] for each in (problem, problem.asking, booked.asking)]
    assert [f"{at:%H:%M}" for at in first] == ["12:00", "09:00", "10:00"]


def test_the_wrong_resources_are_named() -> None:
    problem = with_resource(course(), replace(AMARI, skills=frozenset()))

    assert said(problem, ("2027-03-01 10:00", ("amari", "rf-1", "nobody"))) == [
        ("lacks-skill", "Dr Amari cannot serve session 1: rf is missing."),
        ("wrong-kind", "Session 1 needs a room, and the RF device is a device."),
        ("unknown-resource", "Session 1 names nobody, which cannot be booked here."),
    ]


def test_a_session_too_soon_blocks_until_the_gap_is_kept() -> None:
    problem = course(MONTH)

    found = judge(problem, [Placement(1, at("2027-03-01 10:00"), ALL), Placement(2, at("2027-03-24 10:00"), ALL)])

    assert [(each.code, each.weight, each.until) for each in found] == [
        ("too-soon", Weight.BLOCKS, date(2027, 3, 29)),
    ]
    assert found[0].text == (
        "Session 2 comes 23 days after the session of 1 March 2027; it must be at least 28 days, so not before Monday "
        "29 March 2027."
    )


def test_a_session_too_late_warns() -> None:
    problem = course(MONTH)

    found = judge(problem, [Placement(1, at("2027-03-01 10:00"), ALL), Placement(2, at("2027-04-14 10:00"), ALL)])

    assert [(each.code, each.weight) for each in found] == [("too-late", Weight.WARNS)]
    assert not blocks(found)


def test_a_start_off_the_grid_warns() -> None:
    found = judge(course(), [Placement(1, at("2027-03-01 10:05"), ALL)])

    assert [(each.code, each.weight, each.text) for each in found] == [
        ("off-grid", Weight.WARNS, "Session 1 begins at 10:05, off the grid of 15 minutes."),
    ]


def test_a_start_before_the_earliest_or_after_the_last_day_blocks() -> None:
    problem = course()

    assert said(problem, ("2027-03-01 08:45", ALL)) == [
        ("not-before", "Session 1 begins before 09:00 on Monday 1 March 2027."),
    ]
    assert said(problem, ("2027-06-30 10:00", ALL)) == [
        ("horizon", "Session 1 lies after Monday 28 June 2027, the last day that can be booked."),
    ]


def test_dates_of_a_step_block() -> None:
    problem = course()
    bounded = replace(problem.steps[0], from_on=date(2027, 3, 3), to_on=date(2027, 3, 9))
    problem = replace(problem, steps=(bounded,))

    assert said(problem, ("2027-03-01 10:00", ALL)) == [
        ("dates", "Session 1 must not lie before Wednesday 3 March 2027."),
    ]
    assert said(problem, ("2027-03-10 10:00", ALL)) == [
        ("dates", "Session 1 must not lie after Tuesday 9 March 2027."),
    ]


def test_history_keeps_its_distance_on_both_sides() -> None:
    problem = course(
        spacing=(Spacing("peel", "rf", 7), Spacing("rf", "peel", 3)),
        history=(Past("peel", date(2027, 2, 24)), Past("peel", date(2027, 3, 12))),
    )

    assert said(problem, ("2027-03-01 10:00", ALL)) == [(
        "spacing",
        "Session 1 must lie at least 7 days after peel on 24 February 2027, so not before Wednesday 3 March 2027.",
    )]
    assert said(problem, ("2027-03-10 10:00", ALL)) == [
        ("spacing", "Session 1 must lie at least 3 days before peel on Friday 12 March 2027."),
    ]


def test_the_session_before_the_course_counts() -> None:
    problem = course(last_session_on=date(2027, 2, 20))
    problem = replace(problem, steps=(replace(problem.steps[0], gap=MONTH),))

    assert [code for code, _ in said(problem, ("2027-03-01 10:00", ALL))] == ["too-soon"]


def test_sessions_out_of_order_that_share_a_room_are_both_said() -> None:
    problem = course(Gap(1, 1, 2))

    found = said(problem, ("2027-03-03 10:00", ALL), ("2027-03-03 10:30", ALL))

    assert [code for code, _ in found] == ["order", "too-soon", "held-twice", "held-twice", "held-twice"]
    assert found[2][1] == "Session 2 needs Dr Amari while session 1 still has it."


def test_a_pin_is_not_judged_and_a_move_of_it_is() -> None:
    problem = course()
    pinned = replace(problem, steps=(replace(problem.steps[0], pinned=Pin(at("2027-03-06 03:00"), ALL)),))

    assert judge(pinned, []) == ()
    assert said(pinned, ("2027-03-06 03:00", ALL)) == []
    assert [code for code, _ in said(pinned, ("2027-03-06 03:15", ALL))] == ["not-open", "not-open"]


def test_a_room_that_is_open_again_after_the_clock_change_is_open() -> None:
    problem = course()
    sunday = Placement(1, at("2027-03-28 00:30") + timedelta(minutes=30), ALL)

    assert "Room 1 is not available all of 02:00 to 03:15 on Sunday 28 March 2027." in [
        finding.text for finding in judge(problem, [sunday])
    ]


def test_a_step_placed_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="placed twice"):
        judge(course(), [Placement(1, at("2027-03-01 10:00"), ALL)] * 2)
