"""What the rows say of a course, a maintenance plan or another visit when its messages are decided on.

Five statements each at most, and a few more where they matter: the clinic's days, on which a patient who did not come
is asked why; what ends a course. The rules of the messages are read once in a unit of work.

These statements are said for every message and every booking. Putting one together takes longer than most databases
need to answer it, so each is put together once, with a place for what changes.
"""
from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.business_days import EVERY_DAY, BusinessDays
from clinic.care.owner_facts import AppointmentFacts, Owner, OwnerFacts, OwnerKind, ReviewFacts, SessionFacts
from clinic.care.states import AppointmentState, MessageState
from clinic.care.together import day_that_is_full
from clinic.planning.local import DAY, day_of
from clinic.queries.owner_rows import (
    HEAD,
    IS_SURE,
    PART,
    PATIENT,
    TELLS_DATES,
    VISIT,
    VISIT_HEAD,
    WAS_HEARD,
    HeardSoFar,
    OwnerHead,
    appointment_facts,
    head_of,
    head_of_visit,
    heard,
    held_dates,
    instruction_number,
    session_facts,
    told_document,
    visit_as_session,
)
from clinic.store.accounts import Task
from clinic.store.clinics import Clinic, Closure, OpeningHours
from clinic.store.courses import Course, MaintenancePlan, Recall, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageItem
from clinic.store.protocols import ProtocolVersion
from clinic.store.resources import Patient

__all__ = [
    "OWNER_ID", "TELLS_DATES", "OwnerHead", "instruction_number", "owner_facts", "owner_head", "said_alike",
    "sessions_of", "told_document", "visits_of",
]

OWNER_ID = "owner_id"
"""What the id of the owner is called in a statement."""
_OWNER_ID = sa.bindparam(OWNER_ID, type_=sa.Integer)


def owner_head(db: Session, owner: Owner) -> OwnerHead | None:
    """The owner's own facts; none where it is not there."""
    if owner.kind == "appointment":
        return _visit_head(db, owner)
    row = db.execute(_head_of(owner.kind), {OWNER_ID: owner.id}).one_or_none()
    return None if row is None else head_of(db, owner, row, row.own_state)


def owner_facts(db: Session, head: OwnerHead, *, leaving_out: Collection[int] = ()) -> OwnerFacts:
    """Everything that decides which messages the owner owes; what the messages `leaving_out` told is not counted."""
    rows = _appointments(db, head.owner)
    appointments = tuple(appointment_facts(row) for row in rows if row.state != AppointmentState.PROPOSED)
    heard_so_far = _told(db, head.owner, rows, leaving_out)
    sessions = _sessions(db, head, appointments)
    return OwnerFacts(
        owner=head.owner, is_active=head.is_active, is_completed=head.is_completed, patient=head.patient,
        quiet=head.quiet, sessions=sessions, appointments=appointments,
        told=heard_so_far.told, told_precare=heard_so_far.precare, is_being_told=heard_so_far.is_being_told,
        business=_business_days(db, head, appointments),
        screened_on=day_of(head.screened_at, head.quiet.zone) if head.screened_at else None,
        held=held_dates(head, rows), told_held=heard_so_far.of_held, rules=head.rules,
        review=_review(db, head, sessions), full_on=_full_on(db, head),
    )


def said_alike(db: Session, message_ids: Collection[int]) -> frozenset[int]:
    """These messages, and all others that say one of the same things in another generation."""
    return frozenset((*db.scalars(_said_alike(), {"message_ids": list(message_ids)}), *message_ids))


def sessions_of(kind: OwnerKind) -> sa.ColumnElement[bool]:
    """Which treatment sessions are those of the owner of that kind whose id is `OWNER_ID`; another visit has none."""
    if kind == "course":
        return TreatmentSession.course_id == _OWNER_ID
    if kind == "maintenance-plan":
        return TreatmentSession.maintenance_plan_id == _OWNER_ID
    return sa.false()


def visits_of(kind: OwnerKind) -> sa.ColumnElement[bool]:
    """Which appointments are theirs, where they are joined to their treatment sessions, if they have any."""
    return Appointment.id == _OWNER_ID if kind == "appointment" else sessions_of(kind)


@cache
def _head_of(kind: OwnerKind) -> sa.Select[*tuple[Any, ...]]:
    state = Course.state if kind == "course" else MaintenancePlan.state
    found = (
        sa.select(*HEAD, state.label("own_state")).select_from(Course)
        .join(Patient.__table__, PATIENT.id == Course.patient_id)
        .join(Clinic, Clinic.id == Course.clinic_id)
        .join(ProtocolVersion, ProtocolVersion.id == Course.protocol_version_id))
    if kind == "course":
        return found.where(Course.id == _OWNER_ID)
    return found.join(MaintenancePlan, MaintenancePlan.course_id == Course.id).where(MaintenancePlan.id == _OWNER_ID)


@cache
def _said_alike() -> sa.Select[int]:
    one, other = sa.orm.aliased(MessageItem), sa.orm.aliased(MessageItem)
    return (
        sa.select(other.message_id)
        .join(one, sa.and_(one.kind == other.kind, one.subject_kind == other.subject_kind,
                           one.subject_id == other.subject_id, one.revision == other.revision))
        .where(one.message_id.in_(sa.bindparam("message_ids", expanding=True))))


def _visit_head(db: Session, owner: Owner) -> OwnerHead | None:
    row = db.execute(_head_of_visit(), {OWNER_ID: owner.id}).one_or_none()
    return None if row is None else head_of_visit(db, owner, row)


@cache
def _head_of_visit() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(*VISIT_HEAD)
        .join(Patient.__table__, PATIENT.id == Appointment.patient_id)
        .join(Clinic, Clinic.id == Appointment.clinic_id)
        .where(Appointment.id == _OWNER_ID))


def _appointments(db: Session, owner: Owner) -> Sequence[Any]:
    return db.execute(_appointments_of(owner.kind), {OWNER_ID: owner.id}).all()


@cache
def _appointments_of(kind: OwnerKind) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(*VISIT)
        .outerjoin(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
        .where(visits_of(kind)).order_by(Appointment.id))


def _review(db: Session, head: OwnerHead, sessions: tuple[SessionFacts, ...]) -> ReviewFacts:
    """What ends a course: only one that is completed is judged, and asked about."""
    performed = [each.performed_at for each in sessions if each.performed_at is not None]
    if not head.is_completed or not performed:
        return ReviewFacts()
    is_booked = sa.exists().where(
        Appointment.patient_id == head.patient_id, Appointment.kind == "review",
        Appointment.starts_at >= max(performed),
        Appointment.state.in_((AppointmentState.PROPOSED, AppointmentState.BOOKED, AppointmentState.ARRIVED,
                               AppointmentState.FULFILLED)))
    has_concern = sa.exists().where(
        Task.patient_id == head.patient_id, Task.done_at.is_(None), sa.or_(Task.kind == "symptom", Task.urgent))
    row = db.execute(sa.select(is_booked.label("is_booked"), has_concern.label("has_concern"))).one()
    judged_on = day_of(max(performed), head.quiet.zone) + head.protocol.assessment.after_days * DAY
    return ReviewFacts(judged_on, bool(row.is_booked), head.may_ask_opinion, bool(row.has_concern))


def _full_on(db: Session, head: OwnerHead) -> date | None:
    """The last local date on which the patient got as many messages as the clinic sends on one day."""
    sent = db.scalars(_sent_to(), {"patient_id": head.patient_id, "most": head.most_a_day})
    return day_that_is_full([day_of(at, head.quiet.zone) for at in sent if at is not None], head.most_a_day)


@cache
def _sent_to() -> sa.Select[datetime | None]:
    return (
        sa.select(Message.settled_at)
        .where(Message.patient_id == sa.bindparam("patient_id"),
               Message.state.in_((MessageState.SENT, MessageState.UNCERTAIN)))
        .order_by(Message.settled_at.desc()).limit(sa.bindparam("most")))


def _business_days(db: Session, head: OwnerHead, appointments: tuple[AppointmentFacts, ...]) -> BusinessDays:
    """When the clinic is open, where that matters: only a patient who did not come is written to by it."""
    missed = [each.closed_at for each in appointments if each.is_missed and each.closed_at is not None]
    if not missed:
        return EVERY_DAY
    weekdays = db.scalars(sa.select(OpeningHours.weekday).where(OpeningHours.clinic_id == head.clinic_id))
    closures = db.execute(
        sa.select(Closure.from_on, Closure.to_on)
        .where(Closure.clinic_id == head.clinic_id, Closure.to_on >= day_of(min(missed), head.quiet.zone))
        .order_by(Closure.from_on, Closure.id))
    return BusinessDays(frozenset(weekdays), tuple((row.from_on, row.to_on) for row in closures))


def _sessions(
    db: Session, head: OwnerHead, appointments: tuple[AppointmentFacts, ...]
) -> tuple[SessionFacts, ...]:
    if head.owner.kind == "appointment":
        return visit_as_session(appointments)
    return session_facts(
        head, db.execute(_sessions_of(head.owner.kind), {OWNER_ID: head.owner.id}).all(), appointments)


@cache
def _sessions_of(kind: OwnerKind) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(*PART)
        .outerjoin(Recall, Recall.treatment_session_id == TreatmentSession.id)
        .where(sessions_of(kind)).order_by(TreatmentSession.number))


def _told(
    db: Session, owner: Owner, appointments: Sequence[Any], leaving_out: Collection[int]
) -> HeardSoFar:
    rows = db.execute(
        _heard_of(), {"owner_kind": owner.kind, OWNER_ID: owner.id, "leaving_out": list(leaving_out)}).all()
    return heard(rows, appointments)


@cache
def _heard_of() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(MessageItem.kind, MessageItem.facts, Message.state, IS_SURE.label("is_sure"))
        .join(Message, Message.id == MessageItem.message_id)
        .where(MessageItem.owner_kind == sa.bindparam("owner_kind"), MessageItem.owner_id == _OWNER_ID,
               Message.id.not_in(sa.bindparam("leaving_out", expanding=True)), WAS_HEARD)
        .order_by(MessageItem.id))
