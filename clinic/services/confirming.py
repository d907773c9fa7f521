"""A patient says at the desk, or on the phone, that they come."""
from __future__ import annotations

from clinic.care.states import AppointmentState
from clinic.services.locked_appointments import closed, open_appointment, settle_appointment
from clinic.services.work import Done, Refused, UnitOfWork


def note_confirmed(work: UnitOfWork, appointment_id: int, *, lock_version: int) -> Done[int] | Refused:
    """Notes that the patient comes at the time that the desk was shown; what was confirmed before stays as it was."""
    opened = open_appointment(work, appointment_id, lock_version)
    appointment = opened.appointment
    if appointment.state != AppointmentState.BOOKED or appointment.starts_at <= work.now:
        return Refused((closed(appointment),))
    appointment.confirmed_at = appointment.confirmed_at or work.now
    settle_appointment(work, opened, "appointment-confirmed", revision=appointment.revision)
    return Done(appointment_id)
