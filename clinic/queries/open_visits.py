"""Visits whose patient came and that nobody has closed: aftercare and the next preparation wait for that."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.states import AppointmentState
from clinic.planning.local import day_of, instant, zone
from clinic.store.clinics import OpeningHours
from clinic.store.diary import Appointment
from clinic.store.resources import Patient

LEFT_OPEN = timedelta(minutes=20)
"""So long after its end a visit may stay open before somebody is asked how it ended. Our default."""
SHOWN = 20
_IS_HERE = Appointment.state == sa.literal_column(f"'{AppointmentState.ARRIVED.value}'")
"""Written out: with a parameter SQLite would not know that its index of who is here serves."""


@dataclass(frozen=True, slots=True)
class OpenVisit:
    """A visit that stays open; `is_late` once the clinic has closed on its day."""

    appointment_id: int
    patient_id: int
    patient: str
    ended_at: datetime
    is_late: bool


def open_visits(db: Session, clinic_id: int, *, now: datetime) -> tuple[OpenVisit, ...]:
    """The visits of a clinic that stay open, the oldest first; in two statements."""
    rows = db.execute(
        sa.select(Appointment.id, Appointment.patient_id, Appointment.ends_at, Appointment.zone,
                  (Patient.given_name + " " + Patient.family_name).label("patient"))
        .join(Patient.__table__, Patient.__table__.c.id == Appointment.patient_id)
        .where(_stays_open(clinic_id, now - LEFT_OPEN))
        .order_by(Appointment.ends_at, Appointment.id).limit(SHOWN)).all()
    if not rows:
        return ()
    hours = [(weekday, closes) for weekday, closes in db.execute(
        sa.select(OpeningHours.weekday, OpeningHours.closes).where(OpeningHours.clinic_id == clinic_id))]
    return tuple(
        OpenVisit(row.id, row.patient_id, row.patient, row.ends_at, now >= _closing_at(row.ends_at, row.zone, hours))
        for row in rows)


def open_visit_count(clinic_id: Any, ended_by: Any) -> sa.ScalarSelect[int]:
    """How many visits stay open that ended by then, as a part of another statement."""
    return sa.select(sa.func.count()).select_from(Appointment).where(
        _stays_open(clinic_id, ended_by)).scalar_subquery()


def _stays_open(clinic_id: Any, ended_by: Any) -> sa.ColumnElement[bool]:
    return sa.and_(Appointment.clinic_id == clinic_id, _IS_HERE, Appointment.ends_at <= ended_by)


def _closing_at(ended_at: datetime, where: str, hours: Sequence[tuple[int, int]]) -> datetime:
    """When the clinic closes on the day of the visit; at midnight where it has no hours on that weekday."""
    day = day_of(ended_at, zone(where))
    return instant(day, max((closes for weekday, closes in hours if weekday == day.weekday()), default=1440),
                   zone(where))
