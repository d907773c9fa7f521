"""A visit or a course that was booked a moment ago, and whether it can still be taken back without a word."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from clinic.care.owner_facts import Owner, OwnerFacts
from clinic.care.states import AppointmentState, CourseState
from clinic.planning.local import zone
from clinic.queries.owner_facts import owner_facts, owner_head
from clinic.store.courses import Course, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.resources import Patient


@dataclass(frozen=True, slots=True)
class JustBooked:
    """The visit, in the wall time of its zone, as it can be taken back."""

    id: int
    clinic_id: int
    patient: str
    local_start: datetime
    lock_version: int


@dataclass(frozen=True, slots=True)
class JustBegun:
    """A course of which nobody has heard yet."""

    id: int
    clinic_id: int
    lock_version: int


def just_booked(db: Session, appointment_id: int, *, now: datetime) -> JustBooked | None:
    """That visit; none where it has changed since it was booked, has begun, or the patient may have heard of it."""
    found = db.get(Appointment, appointment_id)
    if found is None or found.state != AppointmentState.BOOKED or found.revision or found.starts_at <= now:
        return None
    if is_told(db, found):
        return None
    patient = db.get_one(Patient, found.patient_id)
    return JustBooked(
        found.id, found.clinic_id, f"{patient.given_name} {patient.family_name}",
        found.local_start.replace(tzinfo=zone(found.zone), fold=found.fold), found.lock_version)


def is_told(db: Session, appointment: Appointment) -> bool:
    """Whether the patient may have heard of a visit, or is just being told."""
    facts = _facts(db, appointment)
    return facts.is_being_told or any(each.appointment_id == appointment.id for each in facts.told)


def is_told_of_present(db: Session, appointment: Appointment) -> bool:
    """Whether the patient may have heard of a visit's present time, or is just being told; not of an earlier one."""
    facts = _facts(db, appointment)
    return facts.is_being_told or any(
        each.appointment_id == appointment.id and each.revision >= appointment.revision for each in facts.told)


def _facts(db: Session, appointment: Appointment) -> OwnerFacts:
    head = owner_head(db, owner_of_visit(db, appointment))
    assert head is not None  # the visit is its own
    return owner_facts(db, head)


def just_begun(db: Session, course_id: int) -> JustBegun | None:
    """That course; none where it does not run, or the patient may have heard of it."""
    found = db.get(Course, course_id)
    if found is None or found.state != CourseState.ACTIVE or has_heard(db, Owner("course", course_id)):
        return None
    return JustBegun(found.id, found.clinic_id, found.lock_version)


def has_heard(db: Session, owner: Owner) -> bool:
    """Whether the patient may have heard anything of what an owner of messages has to say, or came for it already."""
    head = owner_head(db, owner)
    if head is None:
        return False
    facts = owner_facts(db, head)
    return bool(facts.is_being_told or facts.told or facts.told_held or any(
        each.performed_at for each in facts.sessions))


def owner_of_visit(db: Session, appointment: Appointment) -> Owner:
    """Whose messages say a visit: its course's, its maintenance plan's or its own."""
    if appointment.treatment_session_id is None:
        return Owner("appointment", appointment.id)
    row = db.get_one(TreatmentSession, appointment.treatment_session_id)
    if row.course_id is not None:
        return Owner("course", row.course_id)
    assert row.maintenance_plan_id is not None
    return Owner("maintenance-plan", row.maintenance_plan_id)
