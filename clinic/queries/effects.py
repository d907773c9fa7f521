"""Whom a change of the set-up would meet: the appointments in a span or those named, and how many patients they are."""
from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.store.clinics import Clinic
from clinic.store.courses import MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.protocols import Treatment
from clinic.store.resources import Patient

SHOWN = 50
TO_COME = ("proposed", "booked", "arrived")


@dataclass(frozen=True, slots=True)
class MetVisit:
    """An appointment that a change meets; `course_id` is none for a visit that belongs to no course."""

    appointment_id: int
    patient_id: int
    patient: str
    what: str
    local_start: datetime
    minutes: int
    clinic_id: int
    clinic: str
    course_id: int | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class Effect:
    """How many appointments of how many patients a change meets; `rows` are the first of them."""

    appointments: int = 0
    patients: int = 0
    rows: tuple[MetVisit, ...] = ()

    @property
    def unlisted(self) -> int:
        """How many appointments more there are than rows."""
        return self.appointments - len(self.rows)


def visits_met(
    db: Session, *, resource_ids: Collection[int] | None, clinic_id: int | None, from_at: datetime,
    to_at: datetime | None, limit: int = SHOWN, named_at: Collection[int] | None = None,
) -> Effect:
    """The appointments to come that hold something from one instant to another (none: for ever), in two statements.

    Of these resources or, with none named, of whatever the appointment holds; at that clinic or, with none named, at
    any. What is held until somebody decides counts too, for it becomes a booking. All are counted; rows are only those
    `named_at` these clinics, where that is said.
    """
    held = sa.select(ResourceBooking.appointment_id).where(ResourceBooking.ends_at > from_at)
    if to_at is not None:
        held = held.where(ResourceBooking.starts_at < to_at)
    if resource_ids is not None:
        held = held.where(ResourceBooking.resource_id.in_(resource_ids))
    if clinic_id is not None:
        held = held.where(ResourceBooking.clinic_id == clinic_id)
    return _effect(db, Appointment.id.in_(held), limit, named_at)


def visits_named(db: Session, appointment_ids: Collection[int], *, limit: int = SHOWN) -> Effect:
    """Those of these appointments that are still to come, in two statements; in none where there are none."""
    if not appointment_ids:
        return Effect()
    return _effect(db, Appointment.id.in_(appointment_ids), limit)


def _effect(
    db: Session, which: sa.ColumnElement[bool], limit: int, named_at: Collection[int] | None = None
) -> Effect:
    met = sa.and_(which, Appointment.state.in_(TO_COME))
    appointments, patients = db.execute(
        sa.select(sa.func.count(), sa.func.count(Appointment.patient_id.distinct())).where(met)).one()
    named = met if named_at is None else sa.and_(met, Appointment.clinic_id.in_(named_at))
    return Effect(appointments, patients, _rows(db, named, limit) if appointments else ())


def _rows(db: Session, met: sa.ColumnElement[bool], limit: int) -> tuple[MetVisit, ...]:
    person = Patient.__table__
    rows = db.execute(
        sa.select(
            Appointment.id, Appointment.patient_id, person.c.given_name + " " + person.c.family_name,
            sa.func.coalesce(Treatment.name, Appointment.treatment_code), Appointment.local_start,
            Appointment.minutes, Clinic.id, Clinic.name,
            sa.func.coalesce(TreatmentSession.course_id, MaintenancePlan.course_id), person.c.phone)
        .join(person, person.c.id == Appointment.patient_id)
        .join(Clinic, Clinic.id == Appointment.clinic_id)
        .outerjoin(Treatment, Treatment.code == Appointment.treatment_code)
        .outerjoin(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
        .outerjoin(MaintenancePlan, MaintenancePlan.id == TreatmentSession.maintenance_plan_id)
        .where(met).order_by(Appointment.starts_at, Appointment.id).limit(limit))
    return tuple(MetVisit(*row) for row in rows)
