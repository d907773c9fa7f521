"""Taking back a booking that was a slip, while nobody has heard of it."""
from __future__ import annotations

from clinic.care.owner_facts import Owner
from clinic.planning import Finding, Weight
from clinic.queries.just_booked import has_heard, is_told
from clinic.services.appointments import cancel_appointment
from clinic.services.courses import stop_course
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.store.diary import Appointment

BY_MISTAKE = "Booked by mistake"
"""The reason that is kept, as the desk gives it for any visit that was never meant."""
_TOLD = Finding("told", Weight.BLOCKS, "The patient may have heard of it by now: cancel, move or stop it instead")


def take_back(work: UnitOfWork, appointment_id: int, *, lock_version: int) -> Done[int] | Refused:
    """Cancels what was just booked: its session is owed again, and the patient hears nothing.

    Refused once the patient may have heard of it; Stale where it has changed since.
    """
    if is_told(work.db, work.db.get_one(Appointment, appointment_id)):
        return Refused((_TOLD,))
    return cancel_appointment(work, appointment_id, reason=BY_MISTAKE, lock_version=lock_version)


def take_back_course(work: UnitOfWork, course_id: int, *, lock_version: int) -> Done[int] | Refused:
    """Stops a course that was begun by mistake: its time is free again, and the patient hears nothing.

    Refused once the patient may have heard of any of it; Stale where it has changed since.
    """
    if has_heard(work.db, Owner("course", course_id)):
        return Refused((_TOLD,))
    return stop_course(work, course_id, reason=BY_MISTAKE, lock_version=lock_version)
