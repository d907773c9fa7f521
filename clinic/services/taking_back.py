"""Taking back a booking that was a slip, while nobody has heard of it."""
from __future__ import annotations

from clinic.planning import Finding, Weight
from clinic.queries.just_booked import is_told
from clinic.services.appointments import cancel_appointment
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.store.diary import Appointment

BY_MISTAKE = "Booked by mistake"
"""The reason that is kept, as the desk gives it for any visit that was never meant."""


def take_back(work: UnitOfWork, appointment_id: int, *, lock_version: int) -> Done[int] | Refused:
    """Cancels what was just booked: its session is owed again, and the patient hears nothing.

    Refused once the patient may have heard of it; Stale where it has changed since.
    """
    if is_told(work.db, work.db.get_one(Appointment, appointment_id)):
        return Refused((Finding("told", Weight.BLOCKS, "The patient may have heard of it by now: cancel or move the "
                                "visit instead"),))
    return cancel_appointment(work, appointment_id, reason=BY_MISTAKE, lock_version=lock_version)
