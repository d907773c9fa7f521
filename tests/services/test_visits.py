"""Visits that belong to no course: booked, moved and ended by the guards of sessions, with messages of their own."""
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.outcomes import NoShowCause, NotTreatedCause
from clinic.planning import Weight
from clinic.planning.local import zone
from clinic.queries.visit_choice import parse_choice
from clinic.services import visits
from clinic.services.appointments import cancel_appointment, move_appointment
from clinic.services.attendance import end_untreated, mark_arrived, mark_noshow
from clinic.services.consultations import complete_visit
from clinic.services.reconcile import sweep
from clinic.services.work import Done, Refused, Stale
from clinic.store.accounts import AuditEntry
from clinic.store.diary import Appointment
from clinic.store.engine import for_writing
from clinic.store.protocols import Treatment
from clinic.store.resources import Absence, Patient
from tests.booking import booked, codes, done, held_by, row, standing
from tests.other_visits import (
    book_visit,
    clinic_with_visits,
    items,
    read_mail,
    take_place,
    visit_booked,
    visit_times,
    wish,
)
from tests.prove.audit import audit
from tests.small_clinic import SmallClinic


def test_each_kind_is_booked_by_its_own_parts_and_owes_its_confirmation(engine: Engine) -> None:
    made = clinic_with_visits(engine)

    visits = [visit_booked(made, code) for code in ("consultation", "patch-test", "review", "other")]

    assert [(visit.kind, visit.minutes, visit.state) for visit in visits] == [
        ("consultation", 30, "booked"), ("patch-test", 15, "booked"), ("review", 20, "booked"),
        ("other", 20, "booked")]
    assert [len(held_by(made, visit.id)) for visit in visits] == [3, 3, 3, 3]
    assert [items(made, "appointment", visit.id) for visit in visits] == [[("confirmation", "pending")]] * 4
    assert _actions(made) == ["visit-booked"] * 4
    assert audit(engine) == []


def test_a_visit_far_ahead_owes_its_two_reminders_and_nothing_of_a_protocol(engine: Engine) -> None:
    made = clinic_with_visits(engine)
    offer = visit_times(made, wish(made), date(2027, 3, 22)).times[0]

    ident = done(book_visit(made, wish(made), parse_choice(offer.choice)))

    assert items(made, "appointment", ident) == [
        ("confirmation", "pending"), ("reminder-7d", "pending"), ("reminder-2d", "pending")]


def test_no_visit_takes_what_a_session_holds_nor_the_patient_twice(engine: Engine) -> None:
    made = clinic_with_visits(engine)
    taken = standing(made, booked(made, sessions=1))[0]
    held = {resource for _, resource in held_by(made, taken.id)}
    room, free_room = sorted(made.rooms, key=lambda each: each not in held)
    person = next(each for each in made.practitioners if each not in held)
    offer = parse_choice(visit_times(made, wish(made, patient=1), taken.local_start.date()).times[0].choice)

    busy = book_visit(made, wish(made, patient=1), replace(
        offer, starts_at=taken.starts_at, resource_ids=(person, room)))
    twice = book_visit(made, wish(made), replace(
        offer, starts_at=taken.starts_at, resource_ids=(person, free_room)))

    assert (codes(busy), codes(twice)) == (["busy"], ["patient-busy"])
    assert all("Session" not in finding.text for finding in busy.findings)
    assert all(taken.ends_at <= each.starts_at or each.starts_at + timedelta(minutes=30) <= taken.starts_at
               for each in visit_times(made, wish(made), taken.local_start.date()).times)


def test_what_a_patient_asked_for_and_who_is_away_are_not_called_bookings(engine: Engine) -> None:
    made = clinic_with_visits(engine)
    offer = parse_choice(visit_times(made, wish(made), date(2027, 3, 10)).times[0].choice)
    with Session(for_writing(engine)) as db:
        db.get_one(Patient, made.patients[0]).only_times = [{"weekdays": [1, 3], "begins": 840, "ends": 1080}]
        db.add(Absence(resource_id=offer.resource_ids[0], starts_at=offer.starts_at - timedelta(hours=9),
                       ends_at=offer.starts_at + timedelta(hours=9), reason="ill"))
        db.commit()

    found = book_visit(made, wish(made), offer)

    assert [finding.text for finding in found.findings] == [
        "Dr Amari does not work all of 09:00 to 09:30 on Wednesday 10 March 2027.",
        "The patient comes only Tue, Thu 14:00 – 18:00, not within 09:00 to 09:30 on Wednesday "
        "10 March 2027: so it says in the patient's details."]


def test_a_patient_who_comes_at_some_times_only_may_agree_to_another_and_that_is_on_record(engine: Engine) -> None:
    made = clinic_with_visits(engine)
    offer = parse_choice(visit_times(made, wish(made), date(2027, 3, 10)).times[0].choice)
    with Session(for_writing(engine)) as db:
        db.get_one(Patient, made.patients[0]).only_times = [{"weekdays": [1, 3], "begins": 840, "ends": 1080}]
        db.commit()

    warned = book_visit(made, wish(made), offer)
    with made.work("receptionist") as work:
        agreed = visits.book_visit(work, wish(made), offer, overrides={"patient-unwilling": "They agree"})

    assert isinstance(warned, Refused) and [each.weight for each in warned.findings] == [Weight.WARNS]
    assert isinstance(agreed, Done)
    with Session(engine) as db:
        facts = db.scalars(sa.select(AuditEntry.facts).where(AuditEntry.action == "visit-booked")).one()
    assert facts["over"] == ["patient-unwilling"]


def test_a_kind_that_is_not_in_use_is_not_booked_and_one_that_never_was_neither(engine: Engine) -> None:
    made = clinic_with_visits(engine)
    offer = parse_choice(visit_times(made, wish(made, "review")).times[0].choice)
    with Session(for_writing(engine)) as db:
        db.execute(sa.update(Treatment).where(Treatment.code == "review").values(active=False))
        db.commit()

    assert codes(book_visit(made, wish(made, "review"), offer)) == ["not-offered"]
    assert codes(book_visit(made, wish(made, "skin-needling"), offer)) == ["not-offered"]


def test_a_moved_visit_takes_its_new_time_and_tells_the_old_one_to_who_knows_it(engine: Engine) -> None:
    made = clinic_with_visits(engine)
    visit = visit_booked(made)
    read_mail(made)
    offer = visit_times(made, replace(wish(made), appointment_id=visit.id), date(2027, 3, 10)).times[3]

    with made.work() as work:
        done(move_appointment(work, visit.id, parse_choice(offer.choice), lock_version=visit.lock_version))

    after = row(made, Appointment, visit.id)
    assert (after.starts_at, after.revision, after.uid) == (offer.starts_at, 1, visit.uid)
    assert len(held_by(made, visit.id)) == 3
    assert ("change", "pending") in items(made, "appointment", visit.id)
    assert audit(engine) == []


def test_a_visit_that_moved_on_since_it_was_shown_is_stale(engine: Engine) -> None:
    made = clinic_with_visits(engine)
    visit = visit_booked(made)

    with pytest.raises(Stale), made.work() as work:
        cancel_appointment(work, visit.id, reason="patient", lock_version=visit.lock_version + 1)


def test_a_cancelled_visit_frees_everything_and_is_told_only_to_who_knew_of_it(engine: Engine) -> None:
    made = clinic_with_visits(engine)
    read = visit_booked(made, "review", patient=1)
    read_mail(made)
    unread = visit_booked(made)

    for visit in (unread, read):
        with made.work() as work:
            done(cancel_appointment(work, visit.id, reason="patient", lock_version=visit.lock_version))

    assert held_by(made, read.id) == []
    assert items(made, "appointment", unread.id) == [("confirmation", "superseded")]
    assert items(made, "appointment", read.id) == [("confirmation", "sent"), ("cancellation", "pending")]


def test_a_visit_is_arrived_at_and_completed_and_owes_no_aftercare(engine: Engine) -> None:
    made = clinic_with_visits(engine)
    visit = visit_booked(made)
    with made.work() as work:
        refused = codes(complete_visit(work, visit.id, lock_version=visit.lock_version))
    made.now = visit.starts_at - timedelta(minutes=5)
    with made.work() as work:
        done(mark_arrived(work, visit.id, lock_version=visit.lock_version))

    done(take_place(made, row(made, Appointment, visit.id)))

    after = row(made, Appointment, visit.id)
    assert refused == ["not-yet"]
    assert (after.state, after.closed_at) == ("fulfilled", made.now)
    assert [kind for kind, _ in items(made, "appointment", visit.id)] == ["confirmation"]
    assert audit(engine) == []


def test_who_came_and_was_not_seen_is_told_nothing_and_who_did_not_come_is_asked(engine: Engine) -> None:
    made = clinic_with_visits(engine)
    came, missed = visit_booked(made), visit_booked(made, "review", patient=1)
    made.now = max(came.ends_at, missed.ends_at)

    with made.work() as work:
        done(end_untreated(work, came.id, cause=NotTreatedCause.LEFT, lock_version=came.lock_version))
    with made.work() as work:
        done(mark_noshow(work, missed.id, cause=NoShowCause.FORGOT, lock_version=missed.lock_version))

    assert (row(made, Appointment, came.id).state, row(made, Appointment, missed.id).state) == ("cancelled", "noshow")
    assert held_by(made, came.id) == held_by(made, missed.id) == []
    assert "missed" not in dict(items(made, "appointment", came.id))
    assert ("missed", "pending") in items(made, "appointment", missed.id)


def test_the_sweep_owes_a_visit_what_a_lost_tick_left_out_and_ends(engine: Engine) -> None:
    made = clinic_with_visits(engine)
    visits = [visit_booked(made, patient=number).id for number in range(3)]
    with Session(for_writing(engine)) as db:
        db.execute(sa.text("DELETE FROM message_item"))
        db.execute(sa.text("DELETE FROM message"))
        db.commit()

    after, rounds = None, 0
    while True:
        with made.work() as work:
            after = sweep(work, after=after, limit=2)
        rounds += 1
        if after is None:
            break

    assert rounds == 3
    assert [items(made, "appointment", ident) for ident in visits] == [[("confirmation", "pending")]] * 3


@pytest.mark.parametrize(("day", "offset"), [(date(2027, 3, 29), 1), (date(2027, 11, 1), 0)])
def test_a_visit_after_a_clock_change_keeps_its_local_time(engine: Engine, day: date, offset: int) -> None:
    made = clinic_with_visits(engine)
    offer = visit_times(made, wish(made), day).times[0]

    visit = row(made, Appointment, done(book_visit(made, wish(made), parse_choice(offer.choice))))

    assert (visit.local_start.date(), visit.local_start.hour) == (day, 9)
    assert visit.starts_at == datetime(day.year, day.month, day.day, 9 - offset, tzinfo=UTC)
    assert offer.local_start.tzinfo == zone("Europe/London")


def test_nothing_is_offered_past_the_booking_horizon(engine: Engine) -> None:
    made = clinic_with_visits(engine)

    horizon = date(2028, 4, 3)

    found = visit_times(made, wish(made), date(2029, 1, 1), 14)

    assert (found.from_on, found.to_on) == (horizon, horizon)
    assert {each.local_start.date() for each in found.times} == {horizon}


def _actions(made: SmallClinic) -> list[str]:
    with Session(made.engine) as db:
        return list(db.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)))
