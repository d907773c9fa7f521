"""Taking a move back that was a slip, while nobody has heard of it."""
from __future__ import annotations

from clinic.planning import Finding, Weight
from clinic.queries.just_moved import just_moved
from clinic.services.holding import TAKEN, Taken, change_time, free_lapsed
from clinic.services.locked_appointments import open_appointment, parts_of, settle_appointment
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.store.clinics import Clinic
from clinic.store.locks import lock_resources

UNDONE = "move-undone"
TOO_LATE = Finding("told", Weight.BLOCKS, "It has changed since, the old time has passed, or the patient may have "
                                          "heard of it by now: move the visit again instead")


def move_back(work: UnitOfWork, appointment_id: int, *, lock_version: int) -> Done[int] | Refused:
    """Gives an appointment back what it was before its last move, as it stood, fitting or not; nobody hears of either.

    Refused once the patient may have heard of the move, or where the old time is somebody else's by now.
    """
    opened = open_appointment(work, appointment_id, lock_version)
    appointment = opened.appointment
    moved = just_moved(work.db, appointment_id, now=work.now)
    if moved is None:
        return Refused((TOO_LATE,))
    former = moved.former
    wanted = [appointment.patient_id, *former.choice.resource_ids]
    lock_resources(work.db, wanted)
    free_lapsed(work, wanted)
    clinic = work.db.get_one(Clinic, appointment.clinic_id)
    try:
        change_time(work, clinic, appointment, parts_of(work, opened), former.choice, by_clinic=former.by_clinic)
    except Taken:
        return Refused((TAKEN,))
    # A reason for a late date, and what the patient has confirmed, hold for the time at which it was chosen.
    appointment.scheduled_at, appointment.confirmed_at = former.scheduled_at, former.confirmed_at
    settle_appointment(work, opened, UNDONE)
    return Done(appointment.id)
