"""What a patient would be told of a visit that is about to be booked: the messages it would owe, and when."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.ahead import Ahead
from clinic.care.foreseen import Before, Saying, foresee
from clinic.care.message_kinds import SCHEDULE, MessageKind
from clinic.care.owner_facts import NO_SESSION, AppointmentFacts, Owner, OwnerFacts
from clinic.care.states import AppointmentState, SessionState
from clinic.care.together import SOON
from clinic.planning.local import local_of
from clinic.queries.owner_facts import OwnerHead, owner_facts, owner_head
from clinic.queries.owner_rows import NOBODYS_VISIT_HEAD, PATIENT, head_of_visit, visit_as_session
from clinic.store.clinics import Clinic
from clinic.store.resources import Patient

_NEW = 0
"""Stands where the id of the appointment will."""


@dataclass(frozen=True, slots=True)
class Foretold:
    """One e-mail about the visit, in the clinic's wall time, by what it says; `is_soon` says: before the hour is over.
    """

    at: datetime
    kinds: tuple[MessageKind, ...]
    is_soon: bool = False


def foretold_of_session(
    db: Session, owner: Owner, treatment_session_id: int, starts_at: datetime, *, now: datetime
) -> tuple[Foretold, ...]:
    """What goes out about a session of a course or its upkeep, were it booked now for that time."""
    head = owner_head(db, owner)
    assert head is not None  # its session was found
    facts = owner_facts(db, head)
    sessions = tuple(replace(each, state=SessionState.BOOKED) if each.id == treatment_session_id else each
                     for each in facts.sessions)
    new = _appointment(head, treatment_session_id, starts_at, now)
    return _foretold(head, replace(facts, sessions=sessions, appointments=(*facts.appointments, new)), starts_at, now)


def foretold_of_visit(
    db: Session, patient_id: int, clinic_id: int, starts_at: datetime, *, now: datetime
) -> tuple[Foretold, ...]:
    """What goes out about a visit by itself, were it booked now for that time; of every kind of visit the same."""
    row = db.execute(
        sa.select(*NOBODYS_VISIT_HEAD).select_from(Patient.__table__).join(Clinic, sa.true())
        .where(PATIENT.id == patient_id, Clinic.id == clinic_id)).one()
    head = head_of_visit(db, Owner("appointment", _NEW), row)
    new = _appointment(head, NO_SESSION, starts_at, now)
    facts = OwnerFacts(
        owner=head.owner, is_active=True, is_completed=False, patient=head.patient, quiet=head.quiet,
        sessions=visit_as_session([new]), appointments=(new,), rules=head.rules)
    return _foretold(head, facts, starts_at, now)


def _appointment(head: OwnerHead, treatment_session_id: int, starts_at: datetime, now: datetime) -> AppointmentFacts:
    where = head.quiet.zone
    local = local_of(starts_at, where)
    return AppointmentFacts(
        _NEW, treatment_session_id, head.clinic_id, AppointmentState.BOOKED, 0, local.replace(tzinfo=None, fold=0),
        local.fold, where.key, starts_at, now)


def _foretold(head: OwnerHead, facts: OwnerFacts, starts_at: datetime, now: datetime) -> tuple[Foretold, ...]:
    mails = foresee([Ahead(((now, facts),))], begins_at=now, until=starts_at, most_a_day=head.most_a_day,
                    before=Before())
    found = ((mail.at, tuple(_about_it(mail.said))) for mail in mails)
    return tuple(Foretold(local_of(at, facts.quiet.zone), kinds, at <= now + SOON) for at, kinds in found if kinds)


def _about_it(said: tuple[Saying, ...]) -> Iterator[MessageKind]:
    for each in said:
        _, subject_kind, subject_id, _ = each.item.key
        names_it = any(visit.appointment_id == _NEW for visit in each.item.visits)
        if (each.item.kind in SCHEDULE and names_it) or (subject_kind, subject_id) == ("appointment", _NEW):
            yield each.item.kind
