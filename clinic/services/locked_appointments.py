"""An appointment that is about to change: locked with the session it is for, and what follows its change.

A visit that belongs to no course takes the same way, with no series to keep in order.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clinic.care.parts import Part
from clinic.care.states import SessionState
from clinic.planning import Finding, Weight
from clinic.queries.other_visits import visit_type
from clinic.queries.series import Place, Series, series_of
from clinic.services.holding import refresh_windows
from clinic.services.lapsing import lapse
from clinic.services.reconcile import Owner, reconcile
from clinic.services.work import UnitOfWork, check_version, record
from clinic.store.claims import lock_owner
from clinic.store.courses import MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.locks import lock_course


@dataclass(frozen=True, slots=True)
class About:
    """The treatment session that an appointment is for, among the others of its course or maintenance plan."""

    row: TreatmentSession
    series: Series

    @property
    def place(self) -> Place:
        """Its place in the series."""
        return self.series.place(self.row.id)


@dataclass(frozen=True, slots=True)
class Opened:
    """An appointment that is about to change; a visit that belongs to no course is about no session."""

    appointment: Appointment
    about: About | None


def open_appointment(work: UnitOfWork, appointment_id: int, lock_version: int) -> Opened:
    """The appointment with what it is for, locked and read afresh; Stale where it has moved on since it was shown."""
    appointment = work.db.get_one(Appointment, appointment_id)
    about = None
    if appointment.treatment_session_id is None:
        lock_owner(work.db, Owner("appointment", appointment_id))
    else:
        row = work.db.get_one(TreatmentSession, appointment.treatment_session_id)
        about = About(row, locked_series(work, row))
    work.db.refresh(appointment)
    check_version("appointment", appointment, lock_version)
    return Opened(appointment, about)


def locked_series(work: UnitOfWork, row: TreatmentSession) -> Series:
    """The session's course or maintenance plan, its course's row locked and read afresh."""
    course_id = row.course_id
    if course_id is None:
        course_id = work.db.get_one(MaintenancePlan, row.maintenance_plan_id).course_id
    lock_course(work.db, course_id)
    lapse(work, owner_of(row))
    work.db.refresh(row)
    return series_of(work.db, row, now=work.now)


def owner_of(row: TreatmentSession) -> Owner:
    """The course or maintenance plan that owns a session, as the messages name it."""
    if row.course_id is not None:
        return Owner("course", row.course_id)
    assert row.maintenance_plan_id is not None
    return Owner("maintenance-plan", row.maintenance_plan_id)


def parts_of(work: UnitOfWork, opened: Opened) -> tuple[Part, ...]:
    """The parts that the visit is made of: those of its protocol version, or those of its treatment as it now is."""
    if opened.about:
        return opened.about.place.step.parts
    asked = visit_type(work.db, opened.appointment.treatment_code)
    assert asked is not None  # it was judged by them just now
    return asked.parts


def closed(appointment: Appointment) -> Finding:
    """Why an appointment in that state cannot be changed as was asked."""
    return Finding("closed", Weight.BLOCKS, f"This appointment is {appointment.state}: it cannot be changed so")


def owe_again(opened: Opened) -> None:
    """What the appointment was for is owed, and waits for a date."""
    if opened.about:
        opened.about.row.state = SessionState.OWED
        opened.about.row.lock_version += 1


def follow(work: UnitOfWork, opened: Opened, action: str, **facts: Any) -> None:
    """What follows every change of an appointment but the commit: windows, audit, messages."""
    work.db.flush()
    appointment, owner = opened.appointment, Owner("appointment", opened.appointment.id)
    if opened.about:
        series = series_of(work.db, opened.about.row, now=work.now)
        refresh_windows(series, series.windows())
        owner = owner_of(opened.about.row)
    record(work, action, "appointment", appointment.id, clinic_id=appointment.clinic_id, **facts)
    reconcile(work, owner)


def settle_appointment(work: UnitOfWork, opened: Opened, action: str, **facts: Any) -> None:
    """The same with the commit."""
    follow(work, opened, action, **facts)
    work.commit()
