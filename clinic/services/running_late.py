"""A practitioner runs late today, or is on time again: it moves no appointment and sends nothing."""
from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from clinic.care.states import AppointmentState
from clinic.planning.findings import Finding, Weight
from clinic.planning.local import day_of, zone
from clinic.queries.running_late import TOLD
from clinic.services.work import Done, Refused, UnitOfWork, record
from clinic.store.clinics import Clinic
from clinic.store.diary import Appointment, RunningLate
from clinic.store.locks import lock_resources
from clinic.store.resources import Practitioner

MOST = 600
"""Whoever is later than this does not come: that is an absence."""


def say_late(work: UnitOfWork, practitioner_id: int, *, clinic_id: int, minutes: int) -> Done[int]:
    """Notes that a practitioner runs so many minutes late at that clinic today, instead of what was said before."""
    row = _row(work, practitioner_id, clinic_id)
    if row is None:
        row = RunningLate(practitioner_id=practitioner_id, clinic_id=clinic_id, on_date=_today(work, clinic_id))
        work.db.add(row)
    row.minutes, row.at, row.by = minutes, work.now, work.actor.account_id
    record(work, "running-late", "practitioner", practitioner_id, clinic_id=clinic_id, minutes=minutes)
    work.commit()
    return Done(practitioner_id)


def say_on_time(work: UnitOfWork, practitioner_id: int, *, clinic_id: int) -> Done[int]:
    """Notes that a practitioner is on time at that clinic again; who was not late, stays so."""
    row = _row(work, practitioner_id, clinic_id)
    if row is not None:
        work.db.delete(row)
        record(work, "on-time-again", "practitioner", practitioner_id, clinic_id=clinic_id)
    work.commit()
    return Done(practitioner_id)


def note_told(work: UnitOfWork, appointment_id: int, *, begins_at: datetime) -> Done[int] | Refused:
    """Notes that a patient was told that their visit is likely to begin then; the visit itself stays as it is."""
    visit = work.db.get_one(Appointment, appointment_id)
    if visit.state not in (AppointmentState.BOOKED, AppointmentState.ARRIVED):
        return Refused((Finding("closed", Weight.BLOCKS, "This visit is over or cancelled: there is nothing to tell"),))
    record(work, TOLD, "appointment", visit.id, clinic_id=visit.clinic_id, begins_at=begins_at.isoformat())
    work.commit()
    return Done(visit.id)


def _row(work: UnitOfWork, practitioner_id: int, clinic_id: int) -> RunningLate | None:
    """What was said of today, with the practitioner locked: two at once are one after the other."""
    work.db.get_one(Practitioner, practitioner_id)
    lock_resources(work.db, [practitioner_id])
    return work.db.scalars(sa.select(RunningLate).where(
        RunningLate.practitioner_id == practitioner_id, RunningLate.clinic_id == clinic_id,
        RunningLate.on_date == _today(work, clinic_id))).one_or_none()


def _today(work: UnitOfWork, clinic_id: int) -> date:
    return day_of(work.now, zone(work.db.get_one(Clinic, clinic_id).zone))
