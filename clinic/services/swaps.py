"""Giving one visit another room or device at the time that it has: nothing that its patient was told changes."""
from __future__ import annotations

import sqlalchemy as sa

from clinic.planning import Finding, Weight
from clinic.queries.swaps import SWAPPABLE, swaps
from clinic.services.holding import TAKEN, Taken, free_lapsed, refusing_overlap
from clinic.services.locked_appointments import closed, open_appointment, settle_appointment
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.store.diary import ResourceBooking
from clinic.store.locks import lock_resources


def swap_resource(
    work: UnitOfWork, appointment_id: int, *, instead_of: int, take: int, lock_version: int
) -> Done[int] | Refused:
    """Puts a free and fit room or device in the place of another one of its kind; the time and the people stay.

    No message goes out: the appointment's revision, which messages tell apart, does not move.
    """
    opened = open_appointment(work, appointment_id, lock_version)
    appointment = opened.appointment
    if appointment.state not in SWAPPABLE:
        return Refused((closed(appointment),))
    lock_resources(work.db, [take])
    free_lapsed(work, [take])
    offered = swaps(work.db, appointment_id, now=work.now)
    if not any((each.instead_of, each.take) == (instead_of, take) for each in offered):
        return Refused((Finding("not-free", Weight.BLOCKS, "It is not free at that time, or not fit for this visit: "
                                "these are"),))
    mine = (ResourceBooking.appointment_id == appointment_id, ResourceBooking.resource_id == instead_of)
    try:
        with refusing_overlap():
            work.db.execute(sa.update(ResourceBooking).where(*mine).values(resource_id=take))
    except Taken:
        return Refused((TAKEN,))
    settle_appointment(work, opened, "appointment-swapped", instead_of=instead_of, take=take)
    return Done(appointment_id)
