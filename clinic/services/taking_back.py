"""Taking back a booking that was a slip, while nobody has heard of it."""
from __future__ import annotations

from collections.abc import Mapping

from clinic.care.endings import MISTAKE
from clinic.care.owner_facts import Owner
from clinic.planning import Finding, Weight
from clinic.queries.just_booked import has_heard, is_told, owner_of_visit
from clinic.services.appointments import lay_off
from clinic.services.courses import stop_course
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.store.claims import lock_owners
from clinic.store.diary import Appointment
from clinic.store.locks import lock_course

_TOLD = Finding("told", Weight.BLOCKS, "The patient may have heard of it by now: cancel, move or stop it instead")


def take_back(work: UnitOfWork, versions: Mapping[int, int]) -> Done[tuple[int, ...]] | Refused:
    """Cancels what was just booked, visits by their versions, all or none: their sessions are owed again, and the
    patients hear nothing.

    Refused once one of them may have heard of it; Stale where one has changed since.
    """
    visits = [work.db.get_one(Appointment, each) for each in sorted(versions)]
    # Who is about to send holds the owner as well: what they tell is known once all are locked, in everybody's order.
    lock_owners(work.db, [owner_of_visit(work.db, each) for each in visits])
    for visit in visits:
        if is_told(work.db, visit):
            return Refused((_TOLD,))
        outcome = lay_off(work, visit.id, reason=MISTAKE, lock_version=versions[visit.id])
        if isinstance(outcome, Refused):
            return outcome
    work.commit()
    return Done(tuple(sorted(versions)))


def take_back_course(work: UnitOfWork, course_id: int, *, lock_version: int) -> Done[int] | Refused:
    """Stops a course that was begun by mistake: its time is free again, and the patient hears nothing.

    Refused once the patient may have heard of any of it; Stale where it has changed since.
    """
    lock_course(work.db, course_id)
    if has_heard(work.db, Owner("course", course_id)):
        return Refused((_TOLD,))
    return stop_course(work, course_id, reason=MISTAKE, lock_version=lock_version)
