"""What is owed of dates that wait for a consultation, and of a visit that belongs to no course."""
from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from clinic.care.outcomes import NoShowCause
from clinic.care.owed import GRACE, messages_owed, why_no_longer
from clinic.care.owner_facts import (
    NO_SESSION,
    AppointmentFacts,
    HeldDates,
    MessageKind,
    Owner,
    OwnerFacts,
    SessionFacts,
    owner_named,
)
from clinic.care.states import AppointmentState, SessionState
from tests.care.owners import NOW, course, days, told_of, visit

FIRST, SECOND = date(2027, 3, 20), date(2027, 4, 20)


def held(*appointments: AppointmentFacts, **facts: object) -> OwnerFacts:
    """A course that does not run yet, with these dates held for two weeks."""
    proposed = tuple(replace(each, state=AppointmentState.PROPOSED) for each in appointments)
    return course(held=HeldDates(proposed, NOW + days(14)), is_active=False, **facts)


def kinds(facts: OwnerFacts, after: timedelta = timedelta(0)) -> list[MessageKind]:
    return [item.kind for item in messages_owed(facts, now=NOW + after)]


def test_held_dates_are_said_once_after_the_grace_and_nothing_else_is() -> None:
    [item] = messages_owed(held(visit(1, FIRST), visit(2, SECOND)), now=NOW)

    assert (item.kind, item.due_at, item.useless_after) == (MessageKind.DATES_HELD, NOW + GRACE, NOW + days(14))
    assert [each.appointment_id for each in item.visits] == [101, 102]


def test_a_change_of_held_dates_has_another_key_than_every_one_before() -> None:
    as_it_was = held(visit(1, FIRST), visit(2, SECOND))
    moved = held(visit(1, FIRST, revision=1), visit(2, SECOND))
    gone = visit(2, SECOND, revision=1, state=AppointmentState.CANCELLED, closed_at=NOW)
    given_up = replace(held(visit(1, FIRST, revision=1)), appointments=(gone,))

    keys = {messages_owed(facts, now=NOW)[0].key for facts in (as_it_was, moved, given_up)}

    assert len(keys) == 3


def test_when_the_hold_has_run_out_nothing_is_said_of_dates_that_nobody_heard_of() -> None:
    assert kinds(held(visit(1, FIRST)), days(14)) == []


def test_who_heard_of_held_dates_hears_that_they_are_free_and_who_heard_a_confirmation_a_cancellation() -> None:
    gone = visit(1, FIRST, revision=1, state=AppointmentState.CANCELLED, closed_at=NOW)
    ended = course(gone, is_active=False)

    assert kinds(replace(ended, told_held=True)) == [MessageKind.DATES_RELEASED]
    assert kinds(ended) == []
    assert kinds(replace(ended, told_held=True, told=(told_of(visit(1, FIRST)),))) == [MessageKind.CANCELLATION]


def test_staff_read_why_held_dates_are_not_told_any_more() -> None:
    key = ("dates-held", "course", 7, 1)

    assert [why_no_longer(facts, *key) for facts in (
        held(visit(1, FIRST)), course(visit(1, FIRST)), course(is_active=False))] == [
        "the dates have changed since", "the dates are confirmed", "the dates are not held any more"]


def other(appointment: AppointmentFacts) -> OwnerFacts:
    """A visit that belongs to no course."""
    state = SessionState.BOOKED if appointment.is_standing else SessionState.OWED
    return replace(
        course(), owner=Owner("appointment", appointment.id), sessions=(SessionFacts(NO_SESSION, 1, state),),
        appointments=(replace(appointment, treatment_session_id=NO_SESSION),))


def test_another_visit_owes_its_confirmation_and_reminders_and_nothing_of_a_protocol() -> None:
    assert kinds(other(visit(1, FIRST))) == [
        MessageKind.CONFIRMATION, MessageKind.REMINDER_7D, MessageKind.REMINDER_2D]


def test_another_visit_that_was_missed_is_asked_about_and_one_the_clinic_caused_is_not() -> None:
    missed = [visit(1, date(2027, 2, 26), state=AppointmentState.NOSHOW, closed_at=NOW, ended_cause=cause.value)
              for cause in (NoShowCause.FORGOT, NoShowCause.BY_CLINIC)]

    assert [kinds(other(each)) for each in missed] == [[MessageKind.MISSED], []]


def test_staff_read_why_a_message_of_another_visit_is_not_true_any_more() -> None:
    facts = other(visit(1, FIRST, revision=1))

    assert why_no_longer(facts, "confirmation", "appointment", 101, 1) == "the dates have changed since"
    assert why_no_longer(facts, "reminder-2d", "appointment", 101, 0) == "the appointment was moved"


def test_a_row_names_its_owner() -> None:
    assert [owner_named(kind, 3) for kind in ("course", "maintenance-plan", "appointment")] == [
        Owner("course", 3), Owner("maintenance-plan", 3), Owner("appointment", 3)]
