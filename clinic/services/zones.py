"""When the rules of a time zone change: each visit to come keeps the local start that was promised, and its instant
follows, with all that it holds and the messages about it.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from clinic.care.states import AppointmentState
from clinic.planning.local import DAY, day_of, local_of, readings, resolve, zone
from clinic.planning.shifts import Shift, Span, left_behind
from clinic.planning.words import clock_words, date_words
from clinic.services.holding import free
from clinic.services.reconcile import Owner, reconcile
from clinic.services.work import UnitOfWork, record
from clinic.store.accounts import AuditEntry, Task
from clinic.store.claims import lock_owners
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.locks import lock_appointments, lock_resources
from clinic.store.resources import Device, Practitioner, Resource, Room

FOLLOWED = "appointment-rederived"
ASKED = "appointment-left-behind"
"""Under what name it is kept that a person was asked to move one of two visits."""
_COMING = (AppointmentState.PROPOSED, AppointmentState.BOOKED)
_AT_ONCE = 500


class Fate(StrEnum):
    """What becomes of a visit whose instant does not follow from its local start any more.

    follows: it has its new instant. skipped, repeated: it has one too, but the clock now skips its local start or reads
    so twice. taken: it stays as it is, since somebody or something it needs is held by another visit then.
    """

    FOLLOWS = "follows"
    SKIPPED = "skipped"
    REPEATED = "repeated"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Rederived:
    """A visit, what was derived from its local start before, what is now, and what became of it."""

    appointment_id: int
    clinic_id: int
    patient_id: int
    owner: Owner
    zone: str
    local_start: datetime
    was_at: datetime
    starts_at: datetime
    fate: Fate = Fate.FOLLOWS
    taken_id: int | None = None

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody has to agree on another time, or on which of two is meant."""
        return self.fate is not Fate.FOLLOWS


def follow_zones(work: UnitOfWork, *, is_trial: bool = False) -> tuple[Rederived, ...]:
    """Every visit to come whose instant did not follow from its local start by the rules that this machine knows; now
    it does, unless another visit is in the way. All of it at once, or nothing; in a trial nothing.

    To patients nothing changes. Where a person is needed a task says so, once. Asked again, only what is left behind
    is found, and tried again.
    """
    found = _differing(work)
    if not found:
        return ()
    if is_trial:
        return _judged(work, found, _held(work, found))
    held = _locked(work, found)
    found = _judged(work, _differing(work, {each.appointment_id for each in found}), held)
    _let_follow(work, [each for each in found if each.fate is not Fate.TAKEN], held)
    _ask(work, [each for each in found if each.needs_a_person])
    for owner in sorted({each.owner for each in found}, key=lambda owner: (owner.kind, owner.id)):
        reconcile(work, owner)
    work.commit()
    return found


def _differing(work: UnitOfWork, among: set[int] | None = None) -> tuple[Rederived, ...]:
    """Visits that have not begun by either reading, whose instant does not follow from their local start."""
    visit, about = Appointment, TreatmentSession
    rows = work.db.execute(
        sa.select(visit.id, visit.clinic_id, visit.patient_id, visit.local_start, visit.zone, visit.fold,
                  visit.starts_at, about.course_id, about.maintenance_plan_id)
        .outerjoin(about, about.id == visit.treatment_session_id)
        .where(visit.state.in_(_COMING), visit.starts_at > work.now - DAY).order_by(visit.id))
    return tuple(_of(row, at) for row in rows if among is None or row.id in among
                 if (at := _derived(row)) != row.starts_at and max(at, row.starts_at) > work.now)


def _derived(row: Any) -> datetime:
    return resolve(row.local_start, zone(row.zone), last=row.fold == 1)


def _of(row: Any, starts_at: datetime) -> Rederived:
    owner = Owner("course", row.course_id) if row.course_id else (
        Owner("maintenance-plan", row.maintenance_plan_id) if row.maintenance_plan_id else Owner("appointment", row.id))
    return Rederived(row.id, row.clinic_id, row.patient_id, owner, row.zone, row.local_start, row.starts_at, starts_at)


Held = Mapping[int, Sequence[ResourceBooking]]
"""What each appointment holds."""


def _held(work: UnitOfWork, found: Iterable[Rederived]) -> Held:
    held: defaultdict[int, list[ResourceBooking]] = defaultdict(list)
    for ids in _pieces([each.appointment_id for each in found]):
        for row in work.db.scalars(
            sa.select(ResourceBooking).where(ResourceBooking.appointment_id.in_(ids))
            .order_by(ResourceBooking.id).execution_options(populate_existing=True)
        ):
            held[row.appointment_id].append(row)
    return held


def _locked(work: UnitOfWork, found: Sequence[Rederived]) -> Held:
    """What they hold, once nobody else can change it."""
    lock_owners(work.db, {each.owner for each in found})
    lock_resources(work.db, {row.resource_id for rows in _held(work, found).values() for row in rows})
    lock_appointments(work.db, [each.appointment_id for each in found])
    return _held(work, found)


def _judged(work: UnitOfWork, found: Sequence[Rederived], held: Held) -> tuple[Rederived, ...]:
    """What becomes of each of them."""
    shifts = [
        Shift(each.appointment_id, tuple(Span(row.resource_id, row.starts_at, row.ends_at)
                                         for row in held.get(each.appointment_id, ())), each.starts_at - each.was_at)
        for each in found]
    behind = left_behind(shifts, _others(work, shifts))
    return tuple(_with_fate(each, behind.get(each.appointment_id)) for each in found)


def _with_fate(each: Rederived, taken: Span | None) -> Rederived:
    read = readings(each.local_start, zone(each.zone))
    fate = Fate.TAKEN if taken else {0: Fate.SKIPPED, 1: Fate.FOLLOWS}.get(read, Fate.REPEATED)
    return Rederived(each.appointment_id, each.clinic_id, each.patient_id, each.owner, each.zone, each.local_start,
                     each.was_at, each.starts_at, fate, taken.resource_id if taken else None)


def _others(work: UnitOfWork, shifts: Sequence[Shift]) -> Iterator[Span]:
    """What visits that do not shift hold of the same resources meanwhile."""
    wanted = [span for shift in shifts for span in shift.wanted]
    mine = {shift.holder_id for shift in shifts}
    for ids in _pieces(sorted({span.resource_id for span in wanted})):
        rows = work.db.execute(
            sa.select(ResourceBooking.appointment_id, ResourceBooking.resource_id, ResourceBooking.starts_at,
                      ResourceBooking.ends_at)
            .where(ResourceBooking.resource_id.in_(ids),
                   ResourceBooking.ends_at > min(span.starts_at for span in wanted),
                   ResourceBooking.starts_at < max(span.ends_at for span in wanted)))
        yield from (Span(*row[1:]) for row in rows if row.appointment_id not in mine)


def _let_follow(work: UnitOfWork, going: Sequence[Rederived], held: Held) -> None:
    """Gives them their instants: all that they hold is free first, so that they may take each other's times."""
    by = {each.appointment_id: each.starts_at - each.was_at for each in going}
    rows = [
        {"appointment_id": ident, "clinic_id": row.clinic_id, "need": row.need, "resource_id": row.resource_id,
         "starts_at": row.starts_at + later, "ends_at": row.ends_at + later}
        for ident, later in by.items() for row in held.get(ident, ())]
    for ids in _pieces(list(by)):
        free(work, ids)
        for visit in work.db.scalars(
            sa.select(Appointment).where(Appointment.id.in_(ids)).execution_options(populate_existing=True)
        ):
            visit.starts_at += by[visit.id]
            visit.ends_at += by[visit.id]
            visit.lock_version += 1
    for each in going:
        record(work, FOLLOWED, "appointment", each.appointment_id, clinic_id=each.clinic_id, zone=each.zone,
               was=each.was_at.isoformat(), now=each.starts_at.isoformat())
    work.db.flush()
    if rows:
        work.db.execute(sa.insert(ResourceBooking), rows)


def _ask(work: UnitOfWork, found: Sequence[Rederived]) -> None:
    """Opens a task for each of them; of one that is left behind only once for each time that it was given."""
    asked = {row.subject_id for row in work.db.execute(
        sa.select(AuditEntry.subject_id).join(Appointment, Appointment.id == AuditEntry.subject_id)
        .where(AuditEntry.action == ASKED, AuditEntry.at >= Appointment.scheduled_at))}
    for each in found:
        if each.fate is Fate.TAKEN and each.appointment_id in asked:
            continue
        work.db.add(Task(
            clinic_id=each.clinic_id, patient_id=each.patient_id, kind="move", appointment_id=each.appointment_id,
            text=_words(work, each), due_on=day_of(work.now, zone(each.zone)), created_at=work.now))
        if each.fate is Fate.TAKEN:
            record(work, ASKED, "appointment", each.appointment_id, clinic_id=each.clinic_id)
    work.db.flush()


def _words(work: UnitOfWork, each: Rederived) -> str:
    at, on = clock_words(each.local_start), date_words(each.local_start.date())
    begins = f"The clocks of {each.zone} follow new rules."
    if each.fate is Fate.TAKEN:
        shown = clock_words(local_of(each.was_at, zone(each.zone)))
        return (f"{begins} This visit is promised for {at} on {on}, when {_name(work, each.taken_id)} has another one: "
                f"the diary keeps it at {shown} until one of them is moved.")
    if each.fate is Fate.SKIPPED:
        held_from = clock_words(local_of(each.starts_at, zone(each.zone)))
        return (f"{begins} They now skip {at} on {on}, for which this visit is promised: it is held from {held_from}. "
                "Agree on a time with the patient.")
    first = resolve(each.local_start, zone(each.zone)) == each.starts_at
    return (f"{begins} They now read {at} twice on {on}, for which this visit is promised: it is held the "
            f"{'first' if first else 'second'} time. Tell the patient which is meant.")


def _name(work: UnitOfWork, resource_id: int | None) -> str:
    row = work.db.get_one(Resource, resource_id)
    return row.name if isinstance(row, (Practitioner, Room, Device)) else "the patient"


def _pieces(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """A few at a time: a statement has room for so many."""
    return (ids[first:first + _AT_ONCE] for first in range(0, len(ids), _AT_ONCE))
