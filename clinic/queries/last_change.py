"""Who changed something last, and when: told to whoever came second. From the audit, which knows nobody's words."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.store.accounts import Account, AuditEntry
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment

SERIES = "series"
"""A course with the appointments of its sessions: any of them may have changed."""
_SAME_AFTERWARDS = {
    "appointment": ("late-told", "appointment-left-behind"),
    "patient": ("link-opened", "links-revoked", "fresh-link-asked", "birth-date-right", "birth-date-wrong", "note-left",
                "note-read", "address-freed"),
    "account": ("signed-in", "signed-out", "digest-chosen"),
    "practitioner": ("running-late", "on-time-again", "calendar-read", "calendar-removed"),
    "clinic": ("day-sheets-written", "texts-changed", "texts-approved", "travel-time-set"),
    "edition": ("edition-tested",),
}
"""What the audit tells of something that is the same afterwards."""


@dataclass(frozen=True, slots=True)
class LastChange:
    """When it was, by which account and of what name; with neither, `actor` says who else acts."""

    at: datetime
    actor: str
    account_id: int | None
    name: str | None


def last_change(db: Session, subject_kind: str, subject_id: int) -> LastChange | None:
    """The newest change of that subject, in one statement; none where the audit has none."""
    row = db.execute(
        sa.select(AuditEntry.at, AuditEntry.actor, AuditEntry.account_id, Account.name)
        .outerjoin(Account, Account.id == AuditEntry.account_id)
        .where(_about(subject_kind, subject_id)).order_by(AuditEntry.id.desc()).limit(1)).one_or_none()
    return None if row is None else LastChange(*row)


def _about(subject_kind: str, subject_id: int) -> sa.ColumnElement[bool]:
    kind, subject = AuditEntry.subject_kind, AuditEntry.subject_id
    if subject_kind == "clinic-text":
        return sa.and_(kind == "clinic", subject == subject_id, AuditEntry.action.like("texts-%"))
    if subject_kind == SERIES:
        visits = sa.select(Appointment.id).join(
            TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id
        ).where(TreatmentSession.course_id == subject_id)
        return sa.or_(_about("course", subject_id), sa.and_(
            kind == "appointment", subject.in_(visits), _changes("appointment")))
    return sa.and_(kind == subject_kind, subject == subject_id, _changes(subject_kind))


def _changes(subject_kind: str) -> sa.ColumnElement[bool]:
    # Patients who confirm on their page change nothing that the desk is shown for change.
    of_patient = sa.and_(AuditEntry.action == "appointment-confirmed", AuditEntry.actor == "patient")
    return sa.and_(AuditEntry.action.not_in(_SAME_AFTERWARDS.get(subject_kind, ())), sa.not_(of_patient))
