"""Taking a patient in: they are here, and somebody begins."""
from __future__ import annotations

from clinic.care.states import AppointmentState
from clinic.planning import Finding, Weight
from clinic.planning.local import day_of, zone
from clinic.services.locked_appointments import closed, open_appointment, settle_appointment
from clinic.services.work import Done, Refused, UnitOfWork


def take_in(work: UnitOfWork, appointment_id: int, *, lock_version: int) -> Done[int] | Refused:
    """Notes that somebody begins with the patient, who is here by that. Refused on any other date than its own."""
    opened = open_appointment(work, appointment_id, lock_version)
    appointment = opened.appointment
    if appointment.state not in (AppointmentState.BOOKED, AppointmentState.ARRIVED) or appointment.begun_at is not None:
        return Refused((closed(appointment),))
    if day_of(work.now, zone(appointment.zone)) != appointment.local_start.date():
        return Refused((Finding("other-day", Weight.BLOCKS, "This appointment is not today"),))
    appointment.state = AppointmentState.ARRIVED
    appointment.arrived_at = appointment.arrived_at or work.now
    appointment.begun_at = work.now
    settle_appointment(work, opened, "appointment-begun")
    return Done(appointment_id)
