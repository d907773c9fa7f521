"""Why nothing fits, as a receptionist reads it: the session, its days, what binds, and what would help."""
from __future__ import annotations

from dataclasses import replace
from datetime import date

from clinic.planning import Gap, Kind, Need, Past, Pin, Problem, Resource, Spacing, Status, plan
from tests.planning.diaries import AMARI, BELL, DEVICE, NEEDS, at, busy, course, with_resource

MONTH = Gap(28, 30, 42)


def told(problem: Problem) -> tuple[str, list[str]]:
    """The reason, and what would help."""
    answer = plan(problem)
    assert answer.status is Status.INFEASIBLE
    assert answer.reason is not None
    return answer.reason, [each.text for each in answer.relaxations]


def test_a_device_that_is_booked_is_named_with_the_shortest_time_that_would_do() -> None:
    out = replace(DEVICE, busy=busy(("2027-03-20 00:00", "2027-07-30 00:00")))

    assert told(with_resource(course(MONTH), out)) == (
        "Session 2 (rf) fits nowhere between 29 March 2027 and 29 April 2027: the RF device is booked, closed or away "
        "at every time.",
        [
            "Let session 2 come 17 days after session 1, 11 days sooner.",
            "Move what the RF device is booked for on Monday 29 March 2027 from 09:00 to 10:00.",
        ],
    )


def test_a_gap_that_leads_to_the_patients_other_treatment_is_told_with_both_dates() -> None:
    problem = course(
        Gap(7, 7, 9), history=(Past("peel", at("2027-03-25 12:00").date()),),
        spacing=(Spacing("peel", "rf", 21), Spacing("rf", "peel", 21)))
    first = replace(problem.steps[0], to_on=at("2027-03-04 00:00").date())

    reason, helps = told(replace(problem, steps=(first, problem.steps[1])))

    assert reason == (
        "Session 2 (rf) has no day: its gap after session 1 puts it between 8 March 2027 and 13 March 2027, but it "
        "must stay 21 days away from the patient's peel of 25 March 2027."
    )
    assert helps[0] == "Let session 2 come up to 42 days after session 1, 33 days more."


def test_a_spacing_that_the_gaps_cannot_keep_is_told_with_both_numbers() -> None:
    assert told(course(Gap(7, 7, 10), spacing=(Spacing("rf", "rf", 14),))) == (
        "Session 2 (rf) fits nowhere between 8 March 2027 and 28 June 2027: it must come at least 14 days after "
        "session 1 (rf), but the gaps allow 10 days at most.",
        [
            "Let session 2 come up to 14 days after session 1, 4 days more.",
            "Let rf come 10 days after rf, 4 days sooner.",
        ],
    )


def test_two_of_a_kind_are_asked_for_with_one_of_their_own_each() -> None:
    step = replace(course().steps[0], needs=(NEEDS[0], replace(NEEDS[0]), *NEEDS[1:]))

    reason, _ = told(course(steps=(step,)))

    assert reason == (
        "Session 1 (rf) fits nowhere between 1 March 2027 and 28 June 2027: there is no time at which the RF device is "
        "free, Room 1 is free and Dr Amari or bell is free, with another practitioner for each."
    )


def test_a_session_that_stands_is_named_with_its_day() -> None:
    problem = course(Gap(7, 7, 9))
    stands = replace(problem.steps[0], pinned=Pin(at("2027-03-02 12:00"), ("bell", "room-1", "rf-1")))
    away = with_resource(with_resource(problem, replace(AMARI, open=0)), replace(BELL, open=0))
    late = replace(problem.steps[1], from_on=at("2027-03-20 00:00").date())

    assert told(replace(problem, steps=(stands, late)))[0] == (
        "Session 2 (rf) has no day: it may not come before 20 March 2027, but session 1, which stands on Tuesday 2 "
        "March 2027, leaves it between 9 March 2027 and 11 March 2027."
    )
    assert told(replace(away, steps=(stands, problem.steps[1])))[0] == (
        "Session 2 (rf) fits nowhere between 9 March 2027 and 11 March 2027: Dr Amari and bell are all booked, closed "
        "or away at every time."
    )


def test_what_the_patient_would_have_to_give_is_asked_for_to_the_quarter_hour() -> None:
    problem = course(patient_busy=busy(("2027-02-20 00:00", "2027-07-30 00:00")))

    assert told(problem) == (
        "Session 1 (rf) fits nowhere between 1 March 2027 and 28 June 2027: the patient is busy at every time.",
        ["Ask whether the patient could come on Monday 1 March 2027 from 09:00 to 10:00."],
    )


def test_a_room_that_is_closed_when_the_practitioner_works_is_told_with_both() -> None:
    only = replace(course(), resources=(AMARI, Resource("room-1", Kind.ROOM, name="Room 1", open=BELL.open), DEVICE))

    assert told(only) == (
        "Session 1 (rf) fits nowhere between 1 March 2027 and 28 June 2027: Room 1 is booked, closed or away at every "
        "time when the RF device is free and Dr Amari is free.",
        [
            "Let Dr Amari work on Tuesday 2 March 2027 from 12:15 to 13:00.",
            "Open Room 1 on Monday 1 March 2027 from 09:00 to 10:15.",
        ],
    )


def test_people_that_an_earlier_session_still_holds_are_told() -> None:
    long = replace(course().steps[0], needs=(Need(Kind.ROOM, 2880), *NEEDS[:1]))

    reason, _ = told(course(steps=(long, replace(long, gap=Gap(1, 1, 1)))))

    assert "a session before it still needs the same people, rooms or devices" in reason or "Room 1" in reason


def test_a_session_before_that_lies_far_off_is_told_too() -> None:
    problem = course(Gap(7, 7, 9))
    first = replace(problem.steps[0], gap=Gap(7, 7, 9))

    ahead, past = (
        told(replace(problem, steps=(first,), last_session_on=on))[0] for on in (date.max, date(2027, 1, 4))
    )

    assert ahead == (
        "Session 1 (rf) has no day: its gap after the session of 31 December 9999 puts it on 31 December 9999; 28 June "
        "2027 is the last day that can be booked."
    )
    assert past == (
        "Session 1 (rf) has no day: its gap after the session of 4 January 2027 puts it between 11 January 2027 and 13 "
        "January 2027, before 1 March 2027, the earliest day."
    )
