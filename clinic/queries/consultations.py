"""What is known of a patient's consultations, and which of their courses wait for one."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.consultations import ConsultationRule, Consultations
from clinic.care.states import AppointmentState, CourseState
from clinic.planning.local import day_of, zone
from clinic.store.clinics import Clinic
from clinic.store.courses import Course, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.protocols import Protocol, ProtocolVersion

CONSULTATION = "consultation"


@dataclass(frozen=True, slots=True)
class HeldCourse:
    """A course whose dates wait for a consultation: its first date, and the last day on which they are held."""

    id: int
    protocol: str
    first_on: date
    until_on: date
    dates: int


@dataclass(frozen=True, slots=True)
class HeldDates:
    """The dates that a course holds: how many, the first, until when, and what is known of consultations.

    `is_settled`: the patient has had the consultation, so that nothing speaks against confirming them.
    """

    dates: int
    first_on: date
    until_on: date
    known: Consultations
    is_settled: bool


def consultations_of(db: Session, patient_id: int | None, protocol_version_id: int, *, today: date) -> Consultations:
    """What that version's protocol asks for, and the patient's consultations, in one statement."""
    theirs = sa.and_(Appointment.patient_id == patient_id, Appointment.kind == CONSULTATION)
    last = sa.select(sa.func.max(Appointment.local_start)).where(
        theirs, Appointment.state == AppointmentState.FULFILLED)
    coming = sa.select(sa.func.min(Appointment.local_start)).where(
        theirs, Appointment.state.in_((AppointmentState.BOOKED, AppointmentState.ARRIVED)),
        Appointment.local_start >= datetime.combine(today, datetime.min.time()))
    row = db.execute(
        sa.select(Protocol.consultation, last.scalar_subquery().label("last"), coming.scalar_subquery().label("coming"))
        .join(ProtocolVersion, ProtocolVersion.protocol_id == Protocol.id)
        .where(ProtocolVersion.id == protocol_version_id)).one()
    return Consultations(
        ConsultationRule(row.consultation), row.last.date() if row.last else None,
        row.coming.date() if row.coming else None)


def held_courses(db: Session, patient_id: int, *, now: datetime) -> tuple[HeldCourse, ...]:
    """The patient's courses whose dates are held and have not lapsed, oldest first."""
    rows = db.execute(
        sa.select(Course.id, Protocol.name, sa.func.min(Appointment.local_start).label("first_at"),
                  sa.func.min(Appointment.hold_expires_at).label("until_at"), Clinic.zone,
                  sa.func.count().label("dates"))
        .join(Clinic, Clinic.id == Course.clinic_id)
        .join(TreatmentSession, TreatmentSession.course_id == Course.id)
        .join(Appointment, Appointment.treatment_session_id == TreatmentSession.id)
        .join(ProtocolVersion, ProtocolVersion.id == Course.protocol_version_id)
        .join(Protocol, Protocol.id == ProtocolVersion.protocol_id)
        .where(Course.patient_id == patient_id, Course.state == CourseState.DRAFT,
               Appointment.state == AppointmentState.PROPOSED, Appointment.hold_expires_at > now)
        .group_by(Course.id, Protocol.name, Clinic.zone).order_by(Course.id)).all()
    return tuple(
        HeldCourse(row.id, row.name, row.first_at.date(), last_day(row.until_at, row.zone), row.dates) for row in rows)


def held_dates(db: Session, course_id: int, *, now: datetime) -> HeldDates | None:
    """What is known of the dates that a course holds; none where it holds none."""
    row = db.execute(
        sa.select(Course.patient_id, Course.protocol_version_id, Clinic.zone, sa.func.count().label("dates"),
                  sa.func.min(Appointment.local_start).label("first_at"),
                  sa.func.min(Appointment.hold_expires_at).label("until_at"))
        .join(Clinic, Clinic.id == Course.clinic_id)
        .join(TreatmentSession, TreatmentSession.course_id == Course.id)
        .join(Appointment, Appointment.treatment_session_id == TreatmentSession.id)
        .where(Course.id == course_id, Course.state == CourseState.DRAFT,
               Appointment.state == AppointmentState.PROPOSED, Appointment.hold_expires_at > now)
        .group_by(Course.patient_id, Course.protocol_version_id, Clinic.zone)).one_or_none()
    if row is None:
        return None
    today = day_of(now, zone(row.zone))
    known = consultations_of(db, row.patient_id, row.protocol_version_id, today=today)
    return HeldDates(row.dates, row.first_at.date(), last_day(row.until_at, row.zone), known, known.counts(today))


def last_day(until_at: datetime, where: str) -> date:
    """The last day of a hold, which ends when that day ends."""
    return day_of(until_at - timedelta(seconds=1), zone(where))
