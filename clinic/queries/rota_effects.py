"""Which coming appointments would lie outside a practitioner's hours, were those changed."""
from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.rotas import Timetable
from clinic.planning.local import zone
from clinic.store.clinics import Clinic
from clinic.store.diary import Appointment, ResourceBooking

_TO_COME = ("proposed", "booked", "arrived")


def left_outside(
    db: Session, practitioner_id: int, *, before: Timetable, after: Timetable, now: datetime
) -> list[int]:
    """The appointments to come that lie within the hours of the one timetable and not of the other; one statement."""
    held = db.execute(
        sa.select(Appointment.id, Clinic.id, Clinic.zone, ResourceBooking.starts_at, ResourceBooking.ends_at)
        .join(ResourceBooking, ResourceBooking.appointment_id == Appointment.id)
        .join(Clinic, Clinic.id == ResourceBooking.clinic_id)
        .where(ResourceBooking.resource_id == practitioner_id, ResourceBooking.ends_at > now,
               Appointment.state.in_(_TO_COME)))
    found = set()
    for ident, clinic_id, name, starts_at, ends_at in held:
        where = zone(name)
        if not after.is_at_work(starts_at, ends_at, clinic_id=clinic_id, where=where) and before.is_at_work(
                starts_at, ends_at, clinic_id=clinic_id, where=where):
            found.add(ident)
    return sorted(found)
