"""Whether the patient came: arrived, here and not treated, not come. What was done here is `completion`."""
from __future__ import annotations

from clinic.care.outcomes import NoShowCause, NotTreatedCause
from clinic.care.states import APPOINTMENT_MOVES, AppointmentState
from clinic.planning import Finding, Weight
from clinic.planning.local import day_of, zone
from clinic.queries.missed import effect_of_noshow
from clinic.services.holding import free
from clinic.services.locked_appointments import Opened, closed, open_appointment, owe_again, settle_appointment
from clinic.services.missed import add_sessions
from clinic.services.work import Done, Refused, UnitOfWork


def mark_arrived(work: UnitOfWork, appointment_id: int, *, lock_version: int) -> Done[int] | Refused:
    """Notes that the patient is here. Refused on any other date than the appointment's."""
    opened = open_appointment(work, appointment_id, lock_version)
    appointment = opened.appointment
    if AppointmentState.ARRIVED not in APPOINTMENT_MOVES[AppointmentState(appointment.state)]:
        return Refused((closed(appointment),))
    if day_of(work.now, zone(appointment.zone)) != appointment.local_start.date():
        return Refused((Finding("other-day", Weight.BLOCKS, "This appointment is not today"),))
    appointment.state = AppointmentState.ARRIVED
    appointment.arrived_at = work.now
    settle_appointment(work, opened, "appointment-arrived")
    return Done(appointment.id)


def end_untreated(
    work: UnitOfWork, appointment_id: int, *, cause: NotTreatedCause, lock_version: int, details: str = ""
) -> Done[int] | Refused:
    """Notes that the patient came and was not treated: the visit is over, the session stays owed.

    Nothing is said to the patient, who was here and knows. Refused before the appointment's date.
    """
    opened = open_appointment(work, appointment_id, lock_version)
    appointment = opened.appointment
    if AppointmentState.CANCELLED not in APPOINTMENT_MOVES[AppointmentState(appointment.state)]:
        return Refused((closed(appointment),))
    if day_of(work.now, zone(appointment.zone)) < appointment.local_start.date():
        return Refused((Finding(
            "not-yet", Weight.BLOCKS, "This appointment is on a later date: cancel or move it instead"),))
    _close(work, opened, AppointmentState.CANCELLED, cause)
    appointment.cancellation_reason = details.strip() or None
    settle_appointment(work, opened, "appointment-not-treated", cause=cause.value)
    return Done(appointment.id)


def mark_noshow(
    work: UnitOfWork, appointment_id: int, *, lock_version: int, cause: NoShowCause = NoShowCause.FORGOT
) -> Done[int] | Refused:
    """Notes that the patient did not come, and why; the session stays owed. Refused before the appointment's start.

    The protocol's rule for that cause may add sessions to the course: see `care.outcomes.missed_effect`.
    """
    opened = open_appointment(work, appointment_id, lock_version)
    appointment, about = opened.appointment, opened.about
    if AppointmentState.NOSHOW not in APPOINTMENT_MOVES[AppointmentState(appointment.state)]:
        return Refused((closed(appointment),))
    if work.now < appointment.starts_at:
        return Refused((Finding("not-yet", Weight.BLOCKS, "This appointment has not begun yet: cancel it instead"),))
    effect = about and effect_of_noshow(work.db, about.series, about.row, cause, now=work.now, where=appointment.zone)
    _close(work, opened, AppointmentState.NOSHOW, cause)
    if about and effect:
        add_sessions(work, about.series, about.row, appointment.id, cause, effect)
    settle_appointment(work, opened, "appointment-noshow", cause=cause.value)
    return Done(appointment.id)


def _close(
    work: UnitOfWork, opened: Opened, state: AppointmentState, cause: NotTreatedCause | NoShowCause
) -> None:
    """Ends an appointment at which nothing was done. Its time is past: to the patient no date changes."""
    appointment = opened.appointment
    free(work, [appointment.id])
    appointment.state = state
    appointment.ended_cause = cause.value
    appointment.closed_at = work.now
    owe_again(opened)
