"""The facts of a clinic that addresses are completed with: one of each thing that a screen is about."""
from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from clinic.planning.local import day_of, zone
from clinic.store.accounts import Account
from clinic.store.clinics import Clinic
from clinic.store.courses import Course, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.newsletter import Edition
from clinic.store.outbox import Message
from clinic.store.protocols import ProtocolVersion, Treatment
from clinic.store.resources import Absence, Device, Patient, Practitioner, Room, Rota


def names_of(db: Session, clinic_id: int, now: datetime) -> dict[str, object]:
    """What there is in this clinic; what there is not has no name."""
    today = day_of(now, zone(db.get_one(Clinic, clinic_id).zone))
    course = db.scalar(_course(clinic_id))
    found: dict[str, object | None] = {
        "clinic": clinic_id, "today": today, "later": _workday(today + timedelta(days=7)),
        "account": db.scalar(sa.select(sa.func.max(Account.id))),
        "practitioner": db.scalar(_busiest(clinic_id, today)) or db.scalar(sa.select(sa.func.min(Practitioner.id))),
        "absence": db.scalar(sa.select(sa.func.min(Absence.id)).where(Absence.source.is_(None))),
        "room": db.scalar(sa.select(sa.func.min(Room.id)).where(Room.clinic_id == clinic_id)),
        "device": db.scalar(sa.select(sa.func.min(Device.id)).where(Device.clinic_id == clinic_id)),
        "treatment": db.scalar(sa.select(sa.func.max(Treatment.id))),
        "edition": db.scalar(sa.select(sa.func.max(Edition.id)).where(Edition.state == "draft")),
        "archived": db.scalar(sa.select(sa.func.max(Edition.id)).where(Edition.queued_at.is_not(None))),
        "message": db.scalar(_message(clinic_id, "pending")),
        "sent": db.scalar(_message(clinic_id, "sent")),
        "letter": db.scalar(_message(clinic_id, "held", "failed", "expired", "withheld")),
        "course": course,
        "ended": db.scalar(_last(Course, clinic_id, Course.state == "completed")),
        "outdated": db.scalar(_outdated(clinic_id)),
        "resting": db.scalar(_last(Course, clinic_id, Course.state == "on-hold")),
        "held": db.scalar(sa.select(TreatmentSession.course_id).join(
            Appointment, Appointment.treatment_session_id == TreatmentSession.id)
            .where(Appointment.state == "proposed", Appointment.clinic_id == clinic_id).limit(1)),
        "owed": db.scalar(sa.select(sa.func.min(TreatmentSession.id)).join(
            Course, Course.id == TreatmentSession.course_id)
            .where(Course.clinic_id == clinic_id, Course.state == "active", TreatmentSession.state == "owed",
                   TreatmentSession.number > 1)),
        "here": db.scalar(_visit(clinic_id, Appointment.state == "arrived", Appointment.kind == "session")),
        "visit": db.scalar(_visit(clinic_id, Appointment.state == "booked", Appointment.kind == "consultation",
                                  Appointment.starts_at > now)),
        "booked": db.scalar(_visit(clinic_id, Appointment.state == "booked", Appointment.kind == "session",
                                   Appointment.starts_at > now, Appointment.local_start < _end_of(today))),
        "newcomer": db.scalar(sa.select(sa.func.min(Patient.id)).where(
            Patient.id.not_in(sa.select(Course.patient_id).where(Course.state == "active")))),
    }
    found["rota"] = db.scalar(sa.select(sa.func.max(Rota.id)).where(Rota.practitioner_id == found["practitioner"]))
    if found["held"] is not None:
        found["waiting"] = db.get_one(Course, found["held"]).patient_id
    if course is not None:
        found |= _of_course(db, course, now)
    return {name: value for name, value in found.items() if value is not None}


def _of_course(db: Session, course_id: int, now: datetime) -> dict[str, Any]:
    patient = db.get_one(Course, course_id).patient_id
    upcoming = sa.select(Appointment.id).join(
        TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id).where(
        TreatmentSession.course_id == course_id, Appointment.state == "booked", Appointment.starts_at > now)
    return {
        "patient": patient, "my_date": db.scalar(upcoming.order_by(Appointment.starts_at).limit(1)),
        "other_patient": db.scalar(sa.select(sa.func.max(Patient.id)).where(
            Patient.id != patient, Patient.merged_into_id.is_(None)))}


def _course(clinic_id: int) -> sa.Select[tuple[int]]:
    """The active course with the most to show: something behind it, something booked, something owed."""
    has = [sa.func.max(sa.case((TreatmentSession.state == state, weight), else_=0))
           for state, weight in (("booked", 4), ("completed", 3), ("owed", 2))]
    return (
        sa.select(Course.id).join(TreatmentSession, TreatmentSession.course_id == Course.id)
        .where(Course.clinic_id == clinic_id, Course.state == "active").group_by(Course.id)
        .order_by((has[0] + has[1] + has[2]).desc(), sa.func.count().desc(), Course.id).limit(1))


def _outdated(clinic_id: int) -> sa.Select[tuple[int]]:
    """A course whose protocol has an approved version that came after its own."""
    own, newer = aliased(ProtocolVersion), aliased(ProtocolVersion)
    return (
        sa.select(Course.id).join(own, own.id == Course.protocol_version_id)
        .join(newer, newer.protocol_id == own.protocol_id)
        .where(Course.clinic_id == clinic_id, Course.state.in_(("active", "on-hold")), newer.number > own.number,
               newer.state == "approved").limit(1))


def _busiest(clinic_id: int, today: date) -> sa.Select[tuple[int | None]]:
    return (
        sa.select(Appointment.practitioner_id)
        .where(Appointment.clinic_id == clinic_id, sa.func.date(Appointment.local_start) == today.isoformat(),
               Appointment.practitioner_id.is_not(None))
        .group_by(Appointment.practitioner_id).order_by(sa.func.count().desc()).limit(1))


def _visit(clinic_id: int, *where: sa.ColumnElement[bool]) -> sa.Select[tuple[int]]:
    return (sa.select(Appointment.id).where(Appointment.clinic_id == clinic_id, *where)
            .order_by(Appointment.starts_at.desc()).limit(1))


def _message(clinic_id: int, *states: str) -> sa.Select[tuple[int]]:
    return (sa.select(Message.id).where(Message.clinic_id == clinic_id, Message.state.in_(states))
            .order_by(Message.due_at.desc()).limit(1))


def _last(of: type[Course], clinic_id: int, where: sa.ColumnElement[bool]) -> sa.Select[tuple[int]]:
    return sa.select(of.id).where(of.clinic_id == clinic_id, where).order_by(of.id.desc()).limit(1)


def _workday(on: date) -> date:
    return on + timedelta(days=max(0, 7 - on.weekday())) if on.weekday() > 4 else on


def _end_of(today: date) -> datetime:
    return datetime(today.year, today.month, today.day) + timedelta(days=1)  # noqa: DTZ001  (local starts have no zone)
