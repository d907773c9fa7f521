"""Who comes in the next days and has not said so: whom the desk calls, the nearest first."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.states import AppointmentState
from clinic.planning.local import DAY, day_of, instant, local_of, zone
from clinic.queries.away import in_absence
from clinic.store.diary import Appointment
from clinic.store.protocols import Treatment
from clinic.store.resources import Patient

AHEAD = 3 * DAY
"""So far ahead the desk calls. Our default: no source gives a figure."""
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """An appointment of which its patient has not said that they come.

    One that `is_in_absence` is not to be confirmed: who or what it holds is noted absent then.
    """

    id: int
    lock_version: int
    local_start: datetime
    patient_id: int
    patient: str
    phone: str | None
    what: str
    is_in_absence: bool


@dataclass(frozen=True, slots=True)
class UnconfirmedPage:
    """Those until the end of a day; `total` counts also those that are not listed."""

    until_on: date
    rows: tuple[Unconfirmed, ...]
    total: int


def unconfirmed(db: Session, clinic_id: int, *, where: ZoneInfo, now: datetime) -> UnconfirmedPage:
    """Whom to call, in one statement. Who has come or has begun needs no call any more."""
    until_on = day_of(now, where) + AHEAD
    each = Patient.__table__.c
    rows = db.execute(
        sa.select(Appointment.id, Appointment.lock_version, Appointment.starts_at, Appointment.zone,
                  Appointment.patient_id, (each.given_name + " " + each.family_name).label("patient"), each.phone,
                  sa.func.coalesce(Treatment.name, Appointment.treatment_code).label("what"),
                  in_absence(Appointment.id).label("is_in_absence"),
                  sa.func.count().over().label("total"))
        .join(Patient.__table__, each.id == Appointment.patient_id)
        .outerjoin(Treatment, Treatment.code == Appointment.treatment_code)
        .where(Appointment.clinic_id == clinic_id, Appointment.state == AppointmentState.BOOKED,
               Appointment.confirmed_at.is_(None), Appointment.starts_at > now,
               Appointment.starts_at < instant(until_on + DAY, 0, where))
        .order_by(Appointment.starts_at, Appointment.id).limit(SHOWN)).all()
    return UnconfirmedPage(until_on, tuple(map(_row, rows)), rows[0].total if rows else 0)


def _row(row: Any) -> Unconfirmed:
    return Unconfirmed(row.id, row.lock_version, local_of(row.starts_at, zone(row.zone)), row.patient_id, row.patient,
                       row.phone, row.what, bool(row.is_in_absence))
