from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from clinic.care.owed import OwedItem, VisitChange, messages_owed, why_no_longer
from clinic.care.owed_items import IN_ABSENCE, NO_REMINDERS, NOT_WANTED
from clinic.care.owner_facts import HeldDates, Owner, OwnerFacts, PatientFacts
from clinic.care.states import AppointmentState, SessionState
from tests.care.owners import NOW, course, days, done_session, owed_session, told_by, told_of, visit

FIRST, SECOND, THIRD = date(2027, 3, 20), date(2027, 4, 20), date(2027, 5, 20)
CANCELLED = AppointmentState.CANCELLED
WHOLE = course(visit(1, FIRST), visit(2, SECOND), visit(3, THIRD))


def owed(facts: OwnerFacts, kind: str, now: datetime = NOW) -> list[OwedItem]:
    return [item for item in messages_owed(facts, now=now) if item.kind == kind]


def schedule(facts: OwnerFacts, now: datetime = NOW) -> list[OwedItem]:
    return [item for item in messages_owed(facts, now=now) if item.kind in ("confirmation", "change", "cancellation")]


def lines(item: OwedItem) -> list[tuple[int, str]]:
    return [(each.appointment_id, each.change.value) for each in item.visits]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


TOLD = told_by(WHOLE, schedule(WHOLE)[0])


def test_a_new_course_owes_one_confirmation_of_all_its_dates_after_the_grace() -> None:
    [item] = schedule(WHOLE)

    assert item.key == ("confirmation", "course", 7, 3)
    assert lines(item) == [(101, "new"), (102, "new"), (103, "new")]
    assert item.due_at == NOW + timedelta(minutes=3)
    assert item.useless_after == utc("2027-05-20T09:00")


def test_a_new_course_owes_its_reminders_and_its_first_preparation_from_the_start() -> None:
    found = [(item.kind.value, item.subject_id, item.due_at) for item in messages_owed(WHOLE, now=NOW)]

    assert found == [
        ("confirmation", 7, utc("2027-03-01T09:03")),
        ("precare", 101, utc("2027-03-13T09:00")),
        ("reminder-7d", 101, utc("2027-03-13T09:00")),
        ("reminder-2d", 101, utc("2027-03-18T09:00")),
        ("reminder-7d", 102, utc("2027-04-13T08:00")),
        ("reminder-2d", 102, utc("2027-04-18T08:00")),
        ("reminder-7d", 103, utc("2027-05-13T08:00")),
        ("reminder-2d", 103, utc("2027-05-18T08:00")),
    ]


def test_what_was_told_is_not_told_again() -> None:
    assert schedule(TOLD) == []


def test_a_move_owes_one_change_with_the_old_date_and_what_stays() -> None:
    moved = visit(2, date(2027, 4, 22), revision=1, scheduled_at=NOW + days(3))
    facts = replace(TOLD, appointments=(visit(1, FIRST), moved, visit(3, THIRD)))

    [item] = schedule(facts, NOW + days(3))

    assert item.key == ("change", "course", 7, 4)
    assert lines(item) == [(101, "kept"), (102, "moved"), (103, "kept")]
    assert item.visits[1].old is not None
    assert item.visits[1].old.local_start == wall("2027-04-20T10:00")
    assert item.due_at == NOW + days(3) + timedelta(minutes=3)
    assert schedule(told_by(facts, item), NOW + days(4)) == []


def test_a_move_that_is_undone_in_time_owes_nothing() -> None:
    back = visit(2, SECOND, revision=2, scheduled_at=NOW + days(3))
    facts = replace(TOLD, appointments=(visit(1, FIRST), back, visit(3, THIRD)))

    assert schedule(facts, NOW + days(3)) == []


def test_a_move_to_another_clinic_at_the_same_time_is_a_change() -> None:
    elsewhere = replace(visit(2, SECOND, revision=1), clinic_id=2)
    facts = replace(TOLD, appointments=(visit(1, FIRST), elsewhere, visit(3, THIRD)))

    [item] = schedule(facts)

    assert lines(item) == [(101, "kept"), (102, "moved"), (103, "kept")]


def test_a_cancelled_visit_owes_a_cancellation() -> None:
    gone = visit(2, SECOND, revision=1, state=CANCELLED, closed_at=NOW + days(1))
    facts = replace(TOLD, appointments=(visit(1, FIRST), gone, visit(3, THIRD)))

    [item] = schedule(facts, NOW + days(1))

    assert item.key == ("cancellation", "course", 7, 4)
    assert lines(item) == [(101, "kept"), (102, "cancelled"), (103, "kept")]
    assert item.due_at == NOW + days(1) + timedelta(minutes=3)
    assert item.useless_after == utc("2027-04-20T09:00")
    assert schedule(told_by(facts, item), NOW + days(2)) == []


def test_a_visit_cancelled_and_booked_again_is_a_move_and_the_old_calendar_entry_goes() -> None:
    gone = visit(2, SECOND, revision=1, state=CANCELLED, closed_at=NOW)
    again = visit(2, date(2027, 4, 25), id=200)
    facts = replace(TOLD, appointments=(visit(1, FIRST), gone, again, visit(3, THIRD)))

    [item] = schedule(facts)

    assert item.kind == "change"
    assert lines(item) == [(101, "kept"), (200, "moved"), (103, "kept")]
    assert item.visits[1].withdrawn == (102,)
    assert schedule(told_by(facts, item)) == []


def test_a_visit_cancelled_and_booked_again_at_its_time_owes_nothing() -> None:
    gone = visit(2, SECOND, revision=1, state=CANCELLED, closed_at=NOW)
    facts = replace(TOLD, appointments=(visit(1, FIRST), gone, visit(2, SECOND, id=200), visit(3, THIRD)))

    assert schedule(facts) == []


def test_a_visit_never_told_of_is_never_cancelled_to_the_patient() -> None:
    facts = course(visit(1, FIRST, revision=1, state=CANCELLED, closed_at=NOW))

    assert messages_owed(facts, now=NOW) == ()


def test_a_later_session_that_gets_its_date_is_told_with_what_stays() -> None:
    facts = replace(TOLD, appointments=(*TOLD.appointments, visit(4, date(2027, 6, 20))),
                    sessions=(*TOLD.sessions, owed_session(4)))

    [item] = schedule(facts)

    assert item.kind == "change"
    assert lines(item) == [(101, "kept"), (102, "kept"), (103, "kept"), (104, "new")]


def test_a_new_date_when_no_other_is_ahead_is_confirmed() -> None:
    done = visit(1, FIRST, state=AppointmentState.FULFILLED)
    facts = course(done, visit(2, SECOND), sessions=(done_session(1, done.starts_at),), told=(told_of(done),))

    [item] = schedule(facts, NOW + days(30))

    assert (item.kind.value, lines(item)) == ("confirmation", [(102, "new")])


def test_a_stopped_course_owes_its_cancellation_and_nothing_else() -> None:
    gone = tuple(replace(each, state=CANCELLED, revision=1, closed_at=NOW) for each in TOLD.appointments)
    facts = replace(TOLD, appointments=gone, is_active=False)

    [item] = messages_owed(facts, now=NOW)

    assert item.kind == "cancellation"
    assert lines(item) == [(101, "cancelled"), (102, "cancelled"), (103, "cancelled")]


def test_a_hold_is_neither_told_nor_counted() -> None:
    held = visit(4, date(2027, 6, 20), state=AppointmentState.PROPOSED)
    facts = replace(TOLD, appointments=(*TOLD.appointments, held), sessions=(*TOLD.sessions, owed_session(4)))

    assert [item for item in messages_owed(facts, now=NOW) if item.subject_id == held.id] == []
    assert schedule(facts) == []


def test_a_change_late_in_the_evening_waits_for_the_morning() -> None:
    at_night = utc("2027-03-01T21:30")

    [item] = schedule(course(visit(1, FIRST, scheduled_at=at_night)), at_night)

    assert item.due_at == utc("2027-03-02T08:00")


def test_what_is_overdue_at_night_waits_for_the_morning() -> None:
    [item] = schedule(WHOLE, utc("2027-03-04T22:00"))

    assert item.due_at == utc("2027-03-05T08:00")


def test_a_confirmation_that_cannot_come_before_the_visit_is_withheld_and_says_so() -> None:
    at_night = utc("2027-03-01T21:30")

    [item] = schedule(course(visit(1, date(2027, 3, 2), 7, scheduled_at=at_night)), at_night)

    assert item.withheld == "it would come too late to be of use"


def test_reminders_that_would_repeat_fresh_news_are_not_owed() -> None:
    facts = course(visit(1, date(2027, 3, 4)))

    assert owed(facts, "reminder-7d") == []
    assert [item.due_at for item in owed(facts, "reminder-2d")] == []


def test_reminders_are_useless_once_they_would_mislead() -> None:
    [week], [two_days] = owed(course(visit(1, FIRST)), "reminder-7d"), owed(course(visit(1, FIRST)), "reminder-2d")

    assert week.useless_after == utc("2027-03-18T10:00")
    assert two_days.useless_after == utc("2027-03-20T08:00")


@pytest.mark.parametrize(("day", "due"), [
    (date(2027, 3, 29), "2027-03-22T09:00"), (date(2027, 4, 2), "2027-03-26T09:00"),
    (date(2027, 4, 5), "2027-03-29T08:00"), (date(2027, 11, 5), "2027-10-29T08:00"),
    (date(2027, 11, 7), "2027-10-31T09:00"),
])
def test_reminders_keep_the_wall_clock_across_both_clock_changes(day: date, due: str) -> None:
    [item] = owed(course(visit(1, day)), "reminder-7d")

    assert item.due_at == utc(due)


def test_preparation_waits_for_the_session_before() -> None:
    after = course(visit(1, FIRST, state=AppointmentState.FULFILLED), visit(2, SECOND),
                   sessions=(done_session(1, utc("2027-03-20T11:00")),))

    assert [item.subject_id for item in owed(WHOLE, "precare")] == [101]
    assert [(item.subject_id, item.due_at) for item in owed(after, "precare")] == [(102, utc("2027-04-13T08:00"))]


def test_preparation_that_is_late_goes_when_the_session_before_is_recorded() -> None:
    recorded_at = utc("2027-04-15T12:00")
    facts = course(visit(2, SECOND), sessions=(done_session(1, utc("2027-04-15T11:00"), recorded_at),))

    [item] = owed(facts, "precare", recorded_at)

    assert item.due_at == recorded_at + timedelta(minutes=3)


def test_a_session_that_will_not_be_done_does_not_hold_back_the_next_preparation() -> None:
    facts = course(visit(2, SECOND), sessions=(owed_session(1, state=SessionState.NOT_DONE),))

    assert [item.subject_id for item in owed(facts, "precare")] == [102]


def test_preparation_for_a_late_booking_goes_at_once() -> None:
    [item] = owed(course(visit(1, date(2027, 3, 3))), "precare")

    assert (item.due_at, item.useless_after) == (NOW + timedelta(minutes=3), utc("2027-03-03T10:00"))


def test_preparation_is_repeated_for_another_day_but_not_for_another_hour() -> None:
    sent = frozenset({(1, FIRST)})
    same_day = course(visit(1, FIRST, 16, revision=1), told_precare=sent)
    other_day = course(visit(1, date(2027, 3, 21), revision=1), told_precare=sent)

    assert owed(same_day, "precare") == []
    assert [item.revision for item in owed(other_day, "precare")] == [1]


def test_a_session_without_instructions_owes_no_preparation() -> None:
    assert owed(course(visit(1, FIRST), sessions=(owed_session(1, precare_days=None),)), "precare") == []


def test_a_treatment_owes_aftercare_at_any_hour_and_check_ins_by_elapsed_time() -> None:
    performed_at = utc("2027-03-26T21:00")
    facts = course(sessions=(done_session(1, performed_at),))

    found = [(item.kind.value, item.due_at, item.useless_after) for item in messages_owed(facts, now=performed_at)]

    assert found == [
        ("aftercare", performed_at, utc("2027-03-29T21:00")),
        ("check-in-24h", utc("2027-03-28T07:00"), utc("2027-03-29T07:00")),
        ("check-in-72h", utc("2027-03-30T07:00"), utc("2027-03-31T07:00")),
    ]


@pytest.mark.parametrize("performed_at", [utc("2027-03-27T12:00"), utc("2027-10-30T12:00")])
def test_a_check_in_comes_after_hours_that_elapse_over_a_clock_change(performed_at: datetime) -> None:
    [check_in] = owed(course(sessions=(done_session(1, performed_at),)), "check-in-24h", now=performed_at)

    assert check_in.due_at == performed_at + timedelta(hours=24)


def test_a_treatment_recorded_a_day_late_skips_the_check_in_that_its_aftercare_overtakes() -> None:
    performed_at = utc("2027-03-20T11:00")
    facts = course(sessions=(done_session(1, performed_at, performed_at + timedelta(hours=30)),))

    assert [item.kind.value for item in messages_owed(facts, now=NOW)] == ["aftercare", "check-in-72h"]


def test_aftercare_is_owed_even_when_the_course_is_stopped() -> None:
    facts = course(sessions=(done_session(1, NOW),), is_active=False)

    assert [item.kind.value for item in messages_owed(facts, now=NOW)] == ["aftercare", "check-in-24h", "check-in-72h"]


def test_a_completed_course_owes_its_ending_an_hour_after_the_last_treatment() -> None:
    facts = course(sessions=(done_session(1, NOW - days(30)), done_session(2, NOW)), is_active=False, is_completed=True)

    [item] = owed(facts, "course-complete")

    assert (item.key, item.due_at) == (("course-complete", "course", 7, 0), NOW + timedelta(hours=1))


def test_a_recall_is_owed_until_its_session_is_booked() -> None:
    asked = owed_session(1, ask_on=date(2027, 9, 1), latest_on=date(2027, 10, 31))
    free = course(sessions=(asked,), owner=Owner("maintenance-plan", 3))
    booked = course(visit(1, date(2027, 9, 30)), sessions=(asked,), owner=Owner("maintenance-plan", 3))

    [item] = owed(free, "recall")

    assert item.key == ("recall", "treatment-session", 1, 0)
    assert (item.due_at, item.useless_after) == (utc("2027-09-01T08:00"), utc("2027-11-01T00:00"))
    assert owed(booked, "recall") == []


def test_a_recall_rests_for_a_week_after_its_appointment_was_cancelled() -> None:
    asked = owed_session(1, ask_on=date(2027, 2, 1), latest_on=date(2027, 6, 30))
    gone = visit(1, FIRST, state=CANCELLED, revision=1, closed_at=NOW)

    [item] = owed(course(gone, sessions=(asked,)), "recall")

    assert item.due_at == utc("2027-03-08T09:00")


@pytest.mark.parametrize(("patient", "reason"), [
    (PatientFacts(None), "no e-mail address"),
    (PatientFacts("maria@example.org", "phone"), "asked for the phone"),
    (PatientFacts("maria@example.org", "none"), "does not want messages"),
    (PatientFacts("maria@example.org", wants_messages=False), "does not want messages"),
])
def test_a_patient_who_cannot_be_written_to_has_every_message_withheld_with_the_reason(
    patient: PatientFacts, reason: str
) -> None:
    items = messages_owed(replace(WHOLE, patient=patient), now=NOW)

    assert len(items) == 8
    assert {item.withheld for item in items} == {reason}


@pytest.mark.parametrize(("facts", "kind", "about", "revision", "reason"), [
    (WHOLE, "change", ("course", 7), 2, "the dates have changed since"),
    (WHOLE, "confirmation", ("course", 7), 3, "the patient already knows"),
    (course(visit(1, FIRST, revision=1)), "reminder-2d", ("appointment", 101), 0, "the appointment was moved"),
    (course(visit(1, FIRST, state=CANCELLED)), "precare", ("appointment", 101), 0, "the appointment was cancelled"),
    (course(visit(1, FIRST, state=AppointmentState.NOSHOW)), "reminder-2d", ("appointment", 101), 0,
     "the visit has taken place or was missed"),
    (course(visit(1, FIRST), is_active=False), "reminder-2d", ("appointment", 101), 0,
     "the course has ended or rests"),
    (course(visit(1, FIRST)), "recall", ("treatment-session", 1), 0, "the session has been booked"),
])
def test_what_is_no_longer_owed_says_why(
    facts: OwnerFacts, kind: str, about: tuple[str, int], revision: int, reason: str
) -> None:
    assert why_no_longer(facts, kind, *about, revision) == reason


def test_a_cancelled_line_remembers_what_was_told() -> None:
    moved_then_gone = visit(2, date(2027, 4, 25), revision=2, state=CANCELLED, closed_at=NOW)
    facts = replace(TOLD, appointments=(visit(1, FIRST), moved_then_gone, visit(3, THIRD)))

    [item] = schedule(facts)

    [gone] = [each for each in item.visits if each.change is VisitChange.CANCELLED]
    assert gone.old is not None
    assert gone.old.local_start == wall("2027-04-20T10:00")


def in_absence(facts: OwnerFacts, *numbers: int) -> OwnerFacts:
    """The same, with an absence noted for the visits of these sessions."""
    return replace(facts, appointments=tuple(
        replace(each, is_in_absence=each.treatment_session_id in numbers) for each in facts.appointments))


def withheld(facts: OwnerFacts, now: datetime = NOW) -> dict[tuple[str, int], str | None]:
    return {(item.kind.value, item.subject_id): item.withheld for item in messages_owed(facts, now=now)}


def test_what_counts_on_a_date_in_an_absence_waits_and_nothing_else_does() -> None:
    before, found = withheld(WHOLE), withheld(in_absence(WHOLE, 2))

    assert found == before | dict.fromkeys(
        (("confirmation", 7), ("reminder-7d", 102), ("reminder-2d", 102)), IN_ABSENCE)
    assert withheld(in_absence(WHOLE, 1))[("precare", 101)] == IN_ABSENCE


@pytest.mark.parametrize(("patient", "why"), [
    (PatientFacts("maria@example.org"), IN_ABSENCE),
    (PatientFacts(None), IN_ABSENCE),
    (PatientFacts("maria@example.org", channel="phone"), IN_ABSENCE),
    (PatientFacts("maria@example.org", wants_reminders=False), NO_REMINDERS),
    (PatientFacts("maria@example.org", wants_messages=False), NOT_WANTED),
])
def test_nobody_is_called_instead_while_a_date_is_in_an_absence(patient: PatientFacts, why: str) -> None:
    facts = in_absence(replace(TOLD, patient=patient), 2)

    assert withheld(facts)[("reminder-2d", 102)] == why


def test_a_time_is_taken_back_whatever_is_in_an_absence() -> None:
    cancelled = visit(1, FIRST, revision=1, state=CANCELLED, closed_at=NOW)
    moved = visit(2, date(2027, 4, 22), revision=1, scheduled_at=NOW)
    away = in_absence(replace(TOLD, appointments=(cancelled, moved, visit(3, THIRD))), 2, 3)

    [change] = schedule(away)

    assert (change.withheld, lines(change)) == (None, [(101, "cancelled"), (102, "moved")])
    assert schedule(told_by(away, change)) == []


def test_a_new_date_is_told_without_the_one_in_an_absence_and_no_kind_of_message_changes_for_it() -> None:
    known = replace(TOLD, told=tuple(each for each in TOLD.told if each.appointment_id == 101))

    [whole], [item] = schedule(known), schedule(in_absence(known, 1))
    [waits] = schedule(in_absence(known, 2))

    assert (item.key, item.withheld, lines(item)) == (whole.key, None, [(102, "new"), (103, "new")])
    assert (waits.key, waits.withheld) == (whole.key, IN_ABSENCE)


def test_dates_that_are_held_wait_too() -> None:
    held = replace(visit(1, FIRST), is_in_absence=True)
    facts = replace(course(), is_active=False, held=HeldDates((held,), NOW + days(3)))

    assert withheld(facts) == {("dates-held", 7): IN_ABSENCE}
