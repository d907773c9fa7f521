"""When a patient is asked to book: before the window, at its ideal date, never after it and never too soon again."""
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.nudges import NUDGES, nudges, why_not_asked
from clinic.care.owed import OwedItem, messages_owed
from clinic.care.owner_facts import Owner, OwnerFacts
from clinic.care.states import AppointmentState, SessionState
from tests.care.owners import NOW, course, days, done_session, owed_session, visit

EARLIEST, IDEAL, LATEST = date(2027, 4, 12), date(2027, 4, 14), date(2027, 5, 10)
WINDOW = {"earliest_on": EARLIEST, "ideal_on": IDEAL, "latest_on": LATEST}
WAITING = course(sessions=(done_session(1, NOW - days(2)), owed_session(2, **WINDOW)))


def asked(facts: OwnerFacts, now: datetime = NOW) -> list[OwedItem]:
    return [item for item in messages_owed(facts, now=now) if item.kind in NUDGES]


def when(facts: OwnerFacts) -> list[tuple[str, date]]:
    return [(each.kind.value, each.on) for each in nudges(facts)]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_patient_is_asked_a_fortnight_before_the_window_and_again_at_its_ideal_date() -> None:
    first, again = asked(WAITING)

    assert (first.key, first.due_at) == (("nudge-14d", "treatment-session", 2, 0), utc("2027-03-29T08:00"))
    assert (again.key, again.due_at) == (("nudge-ideal", "treatment-session", 2, 0), utc("2027-04-14T08:00"))
    assert (first.useless_after, again.useless_after) == (again.due_at, utc("2027-05-11T08:00"))


def test_nine_in_the_morning_is_the_clinics_on_both_sides_of_a_clock_change() -> None:
    spring = course(sessions=(owed_session(1, **{**WINDOW, "earliest_on": date(2027, 4, 10)}),))
    autumn = course(sessions=(owed_session(
        1, earliest_on=date(2027, 11, 13), ideal_on=date(2027, 11, 14), latest_on=date(2027, 11, 30)),))

    assert asked(spring)[0].due_at == utc("2027-03-27T09:00")
    assert asked(WAITING)[0].due_at == utc("2027-03-29T08:00")
    assert [item.due_at for item in asked(autumn)] == [utc("2027-10-30T08:00"), utc("2027-11-14T09:00")]


def test_nothing_is_asked_once_there_is_a_date_and_the_next_session_is_asked_about_then() -> None:
    later = owed_session(3, earliest_on=date(2027, 5, 12), ideal_on=date(2027, 5, 14), latest_on=date(2027, 6, 9))
    both = replace(WAITING, sessions=(*WAITING.sessions, later))
    booked = replace(both, appointments=(visit(2, IDEAL),))

    assert {each.treatment_session_id for each in nudges(both)} == {2}
    assert when(booked) == [("nudge-14d", date(2027, 4, 28)), ("nudge-ideal", date(2027, 5, 14))]
    assert {each.treatment_session_id for each in nudges(booked)} == {3}


@pytest.mark.parametrize("state", [AppointmentState.CANCELLED, AppointmentState.NOSHOW])
def test_a_week_of_rest_follows_a_cancellation_or_a_miss(state: AppointmentState) -> None:
    gone = visit(2, date(2027, 4, 1), state=state, closed_at=utc("2027-03-28T10:00"))

    found = asked(replace(WAITING, appointments=(gone,)))

    assert [(item.kind.value, item.revision, item.due_at) for item in found] == [
        ("nudge-14d", 1, utc("2027-04-04T08:00")), ("nudge-ideal", 1, utc("2027-04-14T08:00"))]


def test_a_rest_past_the_ideal_date_leaves_one_asking_and_past_the_window_none() -> None:
    near = replace(WAITING, appointments=(
        visit(2, date(2027, 4, 14), state=AppointmentState.CANCELLED, closed_at=utc("2027-04-12T10:00")),))
    past = replace(WAITING, appointments=(
        visit(2, date(2027, 5, 9), state=AppointmentState.CANCELLED, closed_at=utc("2027-05-08T10:00")),))

    assert when(near) == [("nudge-ideal", date(2027, 4, 19))]
    assert when(past) == []


def test_a_session_that_loses_its_date_again_is_asked_about_anew() -> None:
    once = visit(2, date(2027, 4, 1), id=102, state=AppointmentState.CANCELLED, closed_at=NOW)
    twice = visit(2, date(2027, 4, 2), id=103, state=AppointmentState.CANCELLED, closed_at=NOW)

    assert {item.revision for item in asked(replace(WAITING, appointments=(once, twice)))} == {2}


def test_nothing_goes_out_on_the_day_of_a_screening() -> None:
    assert when(replace(WAITING, screened_on=date(2027, 4, 20))) == [("nudge-ideal", date(2027, 4, 21))]
    assert when(replace(WAITING, screened_on=date(2027, 3, 29)))[0] == ("nudge-14d", date(2027, 3, 30))


def test_upkeep_a_course_at_rest_and_a_session_without_a_window_are_not_asked_about() -> None:
    assert when(replace(WAITING, owner=Owner("maintenance-plan", 3))) == []
    assert asked(replace(WAITING, is_active=False)) == []
    assert when(course(sessions=(owed_session(1),))) == []
    assert when(course(sessions=(done_session(1, NOW),))) == []


def test_staff_read_why_an_asking_was_dropped() -> None:
    earlier = replace(WAITING, sessions=(owed_session(1), owed_session(2, **WINDOW)))

    assert why_not_asked(replace(WAITING, appointments=(visit(2, IDEAL),)), 2) == "the session has been booked"
    assert why_not_asked(replace(WAITING, is_active=False), 2) == "the course has ended or rests"
    assert why_not_asked(earlier, 2) == "another session comes first"
    assert why_not_asked(WAITING, 2) == "its window has changed"


@given(
    shortest=st.integers(1, 60), more=st.integers(0, 60), longest=st.integers(0, 90), closed=st.integers(-90, 200),
    screened=st.one_of(st.none(), st.integers(-90, 200)), now=st.integers(-30, 250),
)
def test_every_asking_lies_in_its_time(
    shortest: int, more: int, longest: int, closed: int, screened: int | None, now: int
) -> None:
    start = date(2027, 3, 1)
    earliest = start + timedelta(days=shortest)
    ideal = earliest + timedelta(days=more)
    latest = ideal + timedelta(days=longest)
    gone = visit(1, start, state=AppointmentState.CANCELLED, closed_at=NOW + timedelta(days=closed))
    facts = course(gone, sessions=(
        owed_session(1, state=SessionState.OWED, earliest_on=earliest, ideal_on=ideal, latest_on=latest),),
        screened_on=None if screened is None else start + timedelta(days=screened))

    found = list(nudges(facts))
    due = [item for item in asked(facts, NOW + timedelta(days=now)) if item.due_at <= item.useless_after]

    assert len({each.kind for each in found}) == len(found)
    for each in found:
        assert each.on >= earliest - timedelta(days=14)
        assert each.on >= start + timedelta(days=closed + 7)
        assert screened is None or each.on > start + timedelta(days=screened)
        assert each.on < each.until <= latest + timedelta(days=1)
    live = [item for item in due if item.due_at <= NOW + timedelta(days=now) < item.useless_after]
    assert len(live) <= 1
