"""Appointments that the planner leaves where they are."""
from __future__ import annotations

from clinic.care.states import AppointmentState
from clinic.planning import Finding, Weight
from clinic.services.locked_appointments import locked_series
from clinic.services.work import Done, Refused, UnitOfWork, check_version, record
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment


def pin_appointment(
    work: UnitOfWork, appointment_id: int, *, pinned: bool, lock_version: int
) -> Done[int] | Refused:
    """Fixes a booked appointment, so that the planner never moves it, or lets it go again.

    People still move and cancel it by hand. Nothing is said to the patient: nothing changes for them.
    """
    appointment = work.db.get_one(Appointment, appointment_id)
    row = work.db.get_one(TreatmentSession, appointment.treatment_session_id)
    locked_series(work, row)
    work.db.refresh(appointment)
    check_version("appointment", appointment, lock_version)
    if appointment.state != AppointmentState.BOOKED:
        return Refused((Finding("closed", Weight.BLOCKS, f"This appointment is {appointment.state}: only one that is "
                                "booked can be fixed"),))
    appointment.pinned = pinned
    record(work, "appointment-pinned" if pinned else "appointment-unpinned", "appointment", appointment.id,
           clinic_id=appointment.clinic_id)
    work.commit()
    return Done(appointment.id)
