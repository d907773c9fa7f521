"""Everything that decides on the messages of a clinic's patients, read at once for all of them.

It is what `owner_facts` reads one by one, in a number of statements that does not grow with the patients.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, get_args

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.business_days import EVERY_DAY, BusinessDays
from clinic.care.foreseen import Before, Key
from clinic.care.owner_facts import Owner, OwnerFacts, OwnerKind, ReviewFacts, SessionFacts, owner_named
from clinic.care.states import FINAL_DECISIONS, AppointmentState, MessageState, SessionState
from clinic.planning.local import DAY, day_of
from clinic.queries.living import living_courses, living_plans, other_visits
from clinic.queries.owner_rows import (
    HEAD,
    IS_SURE,
    PART,
    PATIENT,
    VISIT,
    VISIT_HEAD,
    WAS_HEARD,
    OwnerHead,
    appointment_facts,
    head_of,
    head_of_visit,
    heard,
    held_dates,
    session_facts,
    visit_as_session,
)
from clinic.queries.protocol_contents import read_ahead
from clinic.store.accounts import Task
from clinic.store.clinics import Clinic, Closure, OpeningHours
from clinic.store.courses import Course, MaintenancePlan, Recall, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageItem
from clinic.store.protocols import ProtocolVersion
from clinic.store.resources import Patient

MOST_OWNERS = 500
"""So many courses, plans and visits of a clinic are looked at, the oldest of each first."""

_STANDS = (AppointmentState.BOOKED, AppointmentState.ARRIVED)
_KINDS: tuple[OwnerKind, ...] = get_args(OwnerKind)
_Rows = Mapping[Owner, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class KnownOwner:
    """One owner with its protocol's id, what decides on its messages, and when each of its visits ends; another visit
    has no protocol."""

    head: OwnerHead
    protocol_id: int | None
    facts: OwnerFacts
    ends: Mapping[int, datetime]


@dataclass(frozen=True, slots=True)
class KnownPatient:
    """The owners of one patient at a clinic, and what they have been sent before."""

    owners: tuple[KnownOwner, ...]
    before: Before


@dataclass(frozen=True, slots=True)
class ClinicOwners:
    """The patients of a clinic to whom something may be owed; not all of them where there are too many."""

    patients: tuple[KnownPatient, ...]
    is_all: bool


def clinic_owners(db: Session, clinic_id: int, *, now: datetime, until: datetime) -> ClinicOwners:
    """Who may be owed a message until then, with all that decides on it."""
    ids = {kind: db.scalars(found.limit(MOST_OWNERS)).all() for kind, found in _living(clinic_id, now, until)}
    heads = _heads(db, ids)
    parts, visits, said = _parts(db, ids), _visits(db, ids), _said(db, ids)
    facts = _facts(db, clinic_id, heads, parts, visits, said)
    found: defaultdict[int, list[KnownOwner]] = defaultdict(list)
    for head, protocol_id in heads:
        ends = {row.id: row.ends_at for row in visits.get(head.owner, ())}
        found[head.patient_id].append(KnownOwner(head, protocol_id, facts[head.owner], ends))
    sent_at = _sent_at(db, found, now)
    patients = tuple(
        KnownPatient(tuple(owners), Before(_settled(owners, said), _days(sent_at[ident], owners)))
        for ident, owners in found.items())
    return ClinicOwners(patients, all(len(each) < MOST_OWNERS for each in ids.values()))


def _living(clinic_id: int, now: datetime, until: datetime) -> Iterable[tuple[OwnerKind, sa.Select[int]]]:
    yield "course", living_courses(now).where(Course.clinic_id == clinic_id)
    # Most plans are asked about in months to come.
    recalled = sa.exists().where(
        TreatmentSession.maintenance_plan_id == MaintenancePlan.id, Recall.treatment_session_id == TreatmentSession.id,
        TreatmentSession.state == SessionState.OWED, Recall.ask_on <= until.date() + DAY)
    visited = sa.exists().where(
        TreatmentSession.maintenance_plan_id == MaintenancePlan.id, sa.or_(
            TreatmentSession.state == SessionState.BOOKED,
            TreatmentSession.performed_at >= now - 31 * DAY))
    yield "maintenance-plan", living_plans().where(
        MaintenancePlan.course_id == Course.id, Course.clinic_id == clinic_id, sa.or_(recalled, visited))
    yield "appointment", other_visits(now).where(Appointment.clinic_id == clinic_id)


def _heads(db: Session, ids: Mapping[OwnerKind, Sequence[int]]) -> list[tuple[OwnerHead, int | None]]:
    found: list[tuple[OwnerHead, int | None]] = []
    joined = (
        sa.select(*HEAD, MaintenancePlan.id.label("plan_id"), Course.state.label("course_state"),
                  MaintenancePlan.state.label("plan_state"))
        .select_from(Course)
        .join(Patient.__table__, PATIENT.id == Course.patient_id).join(Clinic, Clinic.id == Course.clinic_id)
        .join(ProtocolVersion, ProtocolVersion.id == Course.protocol_version_id)
        .outerjoin(MaintenancePlan, MaintenancePlan.course_id == Course.id))
    wanted = {kind: frozenset(each) for kind, each in ids.items()}
    rows = db.execute(joined.where(sa.or_(
        Course.id.in_(ids["course"]), MaintenancePlan.id.in_(ids["maintenance-plan"]))).order_by(Course.id)).all()
    read_ahead(db, {row.protocol_version_id for row in rows})
    for row in rows:
        if row.id in wanted["course"]:
            found.append((head_of(db, Owner("course", row.id), row, row.course_state), row.protocol_id))
        if row.plan_id in wanted["maintenance-plan"]:
            found.append((head_of(db, Owner("maintenance-plan", row.plan_id), row, row.plan_state), row.protocol_id))
    visits = db.execute(
        sa.select(Appointment.id, *VISIT_HEAD)
        .join(Patient.__table__, PATIENT.id == Appointment.patient_id)
        .join(Clinic, Clinic.id == Appointment.clinic_id)
        .where(Appointment.id.in_(ids["appointment"])).order_by(Appointment.id))
    return found + [(head_of_visit(db, Owner("appointment", row.id), row), None) for row in visits]


def _parts(db: Session, ids: Mapping[OwnerKind, Sequence[int]]) -> _Rows:
    rows = db.execute(
        sa.select(*PART, TreatmentSession.course_id, TreatmentSession.maintenance_plan_id)
        .outerjoin(Recall, Recall.treatment_session_id == TreatmentSession.id)
        .where(_are_theirs(ids)).order_by(TreatmentSession.number))
    return _by_owner((_owner_of_part(row), row) for row in rows)


def _visits(db: Session, ids: Mapping[OwnerKind, Sequence[int]]) -> _Rows:
    rows = db.execute(
        sa.select(*VISIT, Appointment.ends_at, TreatmentSession.course_id, TreatmentSession.maintenance_plan_id)
        .outerjoin(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
        .where(sa.or_(_are_theirs(ids), Appointment.id.in_(ids["appointment"]))).order_by(Appointment.id))
    return _by_owner(
        (Owner("appointment", row.id) if row.treatment_session_id is None else _owner_of_part(row), row)
        for row in rows)


def _said(db: Session, ids: Mapping[OwnerKind, Sequence[int]]) -> _Rows:
    """Every message item of theirs, the oldest first; only what was heard has its facts."""
    rows = db.execute(
        sa.select(MessageItem.kind, MessageItem.owner_kind, MessageItem.owner_id, MessageItem.subject_kind,
                  MessageItem.subject_id, MessageItem.revision, MessageItem.dropped, Message.state, Message.decision,
                  IS_SURE.label("is_sure"), sa.case((WAS_HEARD, MessageItem.facts)).label("facts"))
        .join(Message, Message.id == MessageItem.message_id)
        .where(sa.or_(*(sa.and_(MessageItem.owner_kind == kind, MessageItem.owner_id.in_(ids[kind]))
                        for kind in _KINDS)))
        .order_by(MessageItem.id))
    return _by_owner((owner_named(row.owner_kind, row.owner_id), row) for row in rows)


def _facts(
    db: Session, clinic_id: int, heads: Sequence[tuple[OwnerHead, int | None]], parts: _Rows, visits: _Rows, said: _Rows
) -> dict[Owner, OwnerFacts]:
    ended = {head.patient_id for head, _ in heads if head.is_completed}
    reviewed, worried = _reviewed(db, ended), _worried(db, ended)
    weekdays = frozenset(db.scalars(sa.select(OpeningHours.weekday).where(OpeningHours.clinic_id == clinic_id)))
    closures = [(row.from_on, row.to_on) for row in db.execute(
        sa.select(Closure.from_on, Closure.to_on).where(Closure.clinic_id == clinic_id)
        .order_by(Closure.from_on, Closure.id))]
    found = {}
    for head, _ in heads:
        rows = visits.get(head.owner, ())
        appointments = tuple(appointment_facts(row) for row in rows if row.state != AppointmentState.PROPOSED)
        so_far = heard([row for row in said.get(head.owner, ()) if row.facts is not None], rows)
        sessions = visit_as_session(appointments) if head.owner.kind == "appointment" else session_facts(
            head, parts.get(head.owner, ()), appointments)
        missed = [day_of(each.closed_at, head.quiet.zone) for each in appointments if each.is_missed and each.closed_at]
        found[head.owner] = OwnerFacts(
            owner=head.owner, is_active=head.is_active, is_completed=head.is_completed, patient=head.patient,
            quiet=head.quiet, sessions=sessions, appointments=appointments, told=so_far.told,
            told_precare=so_far.precare, is_being_told=so_far.is_being_told,
            business=BusinessDays(weekdays, tuple(each for each in closures if each[1] >= min(missed)))
            if missed else EVERY_DAY,
            screened_on=day_of(head.screened_at, head.quiet.zone) if head.screened_at else None,
            held=held_dates(head, rows), told_held=so_far.of_held, rules=head.rules,
            review=_review(head, sessions, reviewed.get(head.patient_id), head.patient_id in worried))
    return found


def _review(
    head: OwnerHead, sessions: Sequence[SessionFacts], reviewed_at: datetime | None, is_worried: bool
) -> ReviewFacts:
    performed = [each.performed_at for each in sessions if each.performed_at is not None]
    if not head.is_completed or not performed:
        return ReviewFacts()
    judged_on = day_of(max(performed), head.quiet.zone) + head.protocol.assessment.after_days * DAY
    return ReviewFacts(judged_on, reviewed_at is not None and reviewed_at >= max(performed), head.may_ask_opinion,
                       is_worried)


def _reviewed(db: Session, patient_ids: Iterable[int]) -> dict[int, datetime]:
    """When the last review of each begins or began."""
    rows = db.execute(
        sa.select(Appointment.patient_id, sa.func.max(Appointment.starts_at).label("last_at"))
        .where(Appointment.patient_id.in_(patient_ids), Appointment.kind == "review",
               Appointment.state.in_((AppointmentState.PROPOSED, *_STANDS, AppointmentState.FULFILLED)))
        .group_by(Appointment.patient_id))
    return {row.patient_id: row.last_at for row in rows}


def _worried(db: Session, patient_ids: Iterable[int]) -> frozenset[int]:
    return frozenset(db.scalars(
        sa.select(Task.patient_id).where(
            Task.patient_id.in_(patient_ids), Task.done_at.is_(None), sa.or_(Task.kind == "symptom", Task.urgent))))


def _sent_at(db: Session, patient_ids: Iterable[int], now: datetime) -> Mapping[int, list[datetime]]:
    """When they were sent their latest messages: no limit of a day reaches further back."""
    found: defaultdict[int, list[datetime]] = defaultdict(list)
    for ident, at in db.execute(
            sa.select(Message.patient_id, Message.settled_at)
            .where(Message.patient_id.in_(patient_ids), Message.settled_at >= now - 2 * DAY,
                   Message.state.in_((MessageState.SENT, MessageState.UNCERTAIN)))
            .order_by(Message.settled_at.desc())):
        if ident is not None and at is not None:
            found[ident].append(at)
    return found


def _days(sent_at: Iterable[datetime], owners: Sequence[KnownOwner]) -> tuple[date, ...]:
    return tuple(day_of(at, owners[0].head.quiet.zone) for at in sent_at)


def _settled(owners: Iterable[KnownOwner], said: _Rows) -> frozenset[Key]:
    """What is not said again: the newest of its kind was sent, or waits for a person, or a person decided about it."""
    latest = {(row.kind, row.subject_kind, row.subject_id, row.revision): row
              for owner in owners for row in said.get(owner.head.owner, ())}
    return frozenset(key for key, row in latest.items() if not _is_open(row))


def _is_open(row: Any) -> bool:
    if row.decision in FINAL_DECISIONS:
        return False
    return row.dropped is not None or row.state in (
        MessageState.PENDING, MessageState.WITHHELD, MessageState.SUPERSEDED)


def _are_theirs(ids: Mapping[OwnerKind, Sequence[int]]) -> sa.ColumnElement[bool]:
    return sa.or_(TreatmentSession.course_id.in_(ids["course"]),
                  TreatmentSession.maintenance_plan_id.in_(ids["maintenance-plan"]))


def _owner_of_part(row: Any) -> Owner:
    if row.course_id is not None:
        return Owner("course", row.course_id)
    return Owner("maintenance-plan", row.maintenance_plan_id)


def _by_owner(pairs: Iterable[tuple[Owner, Any]]) -> _Rows:
    found: defaultdict[Owner, list[Any]] = defaultdict(list)
    for owner, row in pairs:
        found[owner].append(row)
    return found
