"""What is said, and what is not, after a visit that ended otherwise than planned."""
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from clinic.care.business_days import BusinessDays
from clinic.care.outcomes import NoShowCause, NotTreatedCause
from clinic.care.owed import OwedItem, messages_owed, why_no_longer
from clinic.care.owner_facts import AppointmentFacts, OwnerFacts, PatientFacts
from clinic.care.states import AppointmentState
from tests.care.owners import NOW, course, days, done_session, owed_session, told_by, visit

CANCELLED, FULFILLED, NOSHOW = AppointmentState.CANCELLED, AppointmentState.FULFILLED, AppointmentState.NOSHOW
TODAY, SECOND = date(2027, 3, 1), date(2027, 4, 20)
SCHEDULE = ("confirmation", "change", "cancellation")
PATIENTS_CAUSES = [each for each in NoShowCause if each is not NoShowCause.BY_CLINIC]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def owed(facts: OwnerFacts, *kinds: str, now: datetime = NOW) -> list[OwedItem]:
    return [item for item in messages_owed(facts, now=now) if item.kind in kinds]


def knowing(facts: OwnerFacts) -> OwnerFacts:
    """The same, after the patient has read of all the dates."""
    [item] = owed(facts, *SCHEDULE, now=NOW - days(20))
    return told_by(facts, item)


def missed(
    cause: str | None = NoShowCause.FORGOT, *, on: date = TODAY, noted_at: datetime = NOW + timedelta(hours=2),
) -> AppointmentFacts:
    return visit(1, on, state=NOSHOW, closed_at=noted_at, ended_cause=cause)


@pytest.mark.parametrize("cause", PATIENTS_CAUSES)
def test_whoever_did_not_come_is_written_to_once_on_the_next_morning(cause: NoShowCause) -> None:
    facts = course(missed(cause), visit(2, SECOND))

    [item] = owed(facts, "missed")

    assert item.key == ("missed", "appointment", 101, 0)
    assert (item.due_at, item.useless_after) == (utc("2027-03-02T09:00"), utc("2027-03-08T10:00"))
    assert owed(facts, "missed", now=NOW + days(3))[0].key == item.key


@pytest.mark.parametrize("cause", [NoShowCause.BY_CLINIC, None])
def test_nobody_is_written_to_for_what_the_clinic_caused_or_nobody_knows(cause: str | None) -> None:
    assert owed(course(missed(cause)), "missed") == []


@pytest.mark.parametrize(("noted_at", "due_at"), [
    ("2027-03-05T17:00", "2027-03-10T09:00"),  # Friday; closed on Monday and Tuesday
    ("2027-03-01T23:30", "2027-03-02T09:00"),
    ("2027-03-26T12:00", "2027-03-29T08:00"),  # the clock goes on over this weekend
    ("2027-10-29T12:00", "2027-11-01T09:00"),  # and back over this one
])
def test_the_morning_is_one_on_which_the_clinic_can_be_called(noted_at: str, due_at: str) -> None:
    open_days = BusinessDays(frozenset(range(5)), ((date(2027, 3, 8), date(2027, 3, 9)),))
    facts = replace(course(missed(on=utc(noted_at).date(), noted_at=utc(noted_at))), business=open_days)

    [item] = owed(facts, "missed")

    assert item.due_at == utc(due_at)
    assert item.withheld is None


def test_a_new_date_for_the_session_takes_the_message_back_and_one_for_another_does_not() -> None:
    again = course(missed(), visit(1, date(2027, 3, 9), id=201))
    other = course(missed(), visit(2, SECOND))

    assert owed(again, "missed") == []
    assert why_no_longer(again, "missed", "appointment", 101, 0) == "the session has been booked"
    assert len(owed(other, "missed")) == 1


def test_a_session_given_after_all_or_a_course_that_ended_asks_nobody_back() -> None:
    given = course(missed(), sessions=(done_session(1, NOW + days(1)),))

    assert owed(given, "missed") == []
    assert owed(course(missed(), is_active=False), "missed") == []


def test_a_visit_noted_as_missed_long_after_is_not_brought_up_any_more() -> None:
    [item] = owed(course(missed(noted_at=NOW + days(8))), "missed")

    assert item.withheld == "it would come too late to be of use"
    assert item.due_at == item.useless_after == utc("2027-03-08T10:00")


def test_whoever_cannot_be_written_to_is_not_and_the_desk_sees_why() -> None:
    [item] = owed(replace(course(missed()), patient=PatientFacts(None)), "missed")

    assert item.withheld == "no e-mail address"


def test_a_missed_visit_that_is_booked_again_is_a_new_date_not_a_moved_one() -> None:
    facts = knowing(course(visit(1, TODAY), visit(2, SECOND)))
    after = replace(facts, appointments=(missed(), visit(2, SECOND), visit(1, date(2027, 3, 9), id=201)))

    [item] = owed(after, *SCHEDULE)

    assert [(each.appointment_id, each.change.value, each.withdrawn) for each in item.visits] == [
        (201, "new", ()), (102, "kept", ())]


@pytest.mark.parametrize("cause", NotTreatedCause)
@pytest.mark.parametrize("hour", [8, 10, 18])
def test_who_was_here_and_was_not_treated_hears_nothing(cause: NotTreatedCause, hour: int) -> None:
    """Even where they came, and went, before their time; in time they are prepared for and reminded of the next visit.
    """
    facts = knowing(course(visit(1, TODAY, hour), visit(2, SECOND)))
    ended = visit(1, TODAY, hour, state=CANCELLED, closed_at=NOW, ended_cause=cause)
    after = replace(facts, appointments=(ended, visit(2, SECOND)))

    items = messages_owed(after, now=NOW)

    assert [item for item in items if item.kind in SCHEDULE] == []
    assert {(item.kind.value, item.subject_id) for item in items} == {
        ("precare", 102), ("reminder-7d", 102), ("reminder-2d", 102)}
    assert min(item.due_at for item in items) > NOW + days(20)
    assert why_no_longer(after, "reminder-2d", "appointment", 101, 0) == "the visit has taken place or was missed"


def test_who_was_not_treated_and_gets_a_new_date_is_told_a_new_one() -> None:
    facts = knowing(course(visit(1, TODAY, 18)))
    ended = visit(1, TODAY, 18, state=CANCELLED, closed_at=NOW, ended_cause=NotTreatedCause.TAN)
    after = replace(facts, appointments=(ended, visit(1, date(2027, 3, 20), id=201)))

    [item] = owed(after, *SCHEDULE)

    assert (item.kind.value, [(each.change.value, each.withdrawn) for each in item.visits]) == (
        "confirmation", [("new", ())])


def test_a_session_given_before_its_day_calls_the_planned_day_off() -> None:
    facts = knowing(course(visit(1, date(2027, 3, 9)), visit(2, SECOND)))
    given = done_session(1, NOW - days(1), NOW)
    early = visit(1, date(2027, 3, 9), state=FULFILLED, closed_at=NOW, revision=1)
    after = replace(facts, appointments=(early, visit(2, SECOND)), sessions=(given, owed_session(2)))

    [item] = owed(after, *SCHEDULE)

    assert item.kind == "cancellation"
    assert [(each.appointment_id, each.change.value, each.withdrawn) for each in item.visits] == [
        (101, "cancelled", (101,)), (102, "kept", ())]
    assert (item.due_at, item.useless_after) == (NOW + timedelta(minutes=3), utc("2027-03-09T10:00"))
    assert owed(told_by(after, item), *SCHEDULE) == []


def test_a_last_session_given_before_its_day_calls_the_planned_day_off_though_the_course_is_over() -> None:
    facts = knowing(course(visit(1, date(2027, 3, 9))))
    early = visit(1, date(2027, 3, 9), state=FULFILLED, closed_at=NOW, revision=1)
    after = replace(facts, appointments=(early,), sessions=(done_session(1, NOW),), is_active=False, is_completed=True)

    assert [item.kind.value for item in owed(after, *SCHEDULE)] == ["cancellation"]


@pytest.mark.parametrize("day", [date(2027, 2, 26), TODAY])
def test_a_session_given_on_its_day_or_after_it_calls_nothing_off(day: date) -> None:
    facts = knowing(course(visit(1, day, 8)))
    late = visit(1, day, 8, state=FULFILLED, closed_at=NOW)
    after = replace(facts, appointments=(late,), sessions=(done_session(1, NOW),))

    assert owed(after, *SCHEDULE) == []


@pytest.mark.parametrize("performed", ["2027-03-27T14:00", "2027-10-30T14:00"])
@pytest.mark.parametrize(("recorded_after", "kinds"), [
    (0, ["aftercare", "check-in-24h", "check-in-72h"]), (30, ["aftercare", "check-in-72h"]), (80, ["aftercare"]),
])
def test_aftercare_counts_from_the_treatment_and_what_is_past_is_not_sent(
    performed: str, recorded_after: int, kinds: list[str]
) -> None:
    """Over both clock changes: hours after the treatment are hours, whatever the wall clock says."""
    at = utc(performed)
    recorded_at = at + timedelta(hours=recorded_after)
    facts = course(sessions=(done_session(1, at, recorded_at),))

    items = owed(facts, "aftercare", "check-in-24h", "check-in-72h", now=recorded_at)

    assert [item.kind.value for item in items] == kinds
    assert items[0].due_at == at
    assert items[0].useless_after == at + timedelta(hours=72)
