"""What one visit hands over to the next: short notes about a patient, until somebody has read them."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.planning.local import DAY, instant
from clinic.store.accounts import Account
from clinic.store.courses import Course, HandoverNote
from clinic.store.diary import Appointment
from clinic.store.protocols import Protocol, ProtocolVersion

MOST = 20
"""Of one patient, on one page."""


@dataclass(frozen=True, slots=True)
class HandoverLine:
    """A note for the next visit; `about` names the protocol of its course, where it is about one."""

    id: int
    patient_id: int
    about: str | None
    text: str
    written_at: datetime
    author: str | None


def unread_notes_of(db: Session, patient_id: int) -> tuple[HandoverLine, ...]:
    """What nobody has read yet about a patient, newest first; in one statement."""
    return unread_notes(db, (patient_id,)).get(patient_id, ())


def unread_notes(db: Session, patient_ids: Collection[int]) -> Mapping[int, tuple[HandoverLine, ...]]:
    """What nobody has read yet about each of these patients, newest first; in one statement."""
    rows = db.execute(_select().where(HandoverNote.patient_id.in_(patient_ids), HandoverNote.read_at.is_(None))
                      .order_by(HandoverNote.id.desc()))
    found: defaultdict[int, list[HandoverLine]] = defaultdict(list)
    for row in rows:
        found[row.patient_id].append(HandoverLine(*row))
    return {ident: tuple(lines[:MOST]) for ident, lines in found.items()}


def notes_version(db: Session, clinic_id: int, on: date, *, where: ZoneInfo) -> str:
    """A name for the notes about those who come to a clinic on that day: another one once any is written or read."""
    coming = sa.select(Appointment.patient_id).where(
        Appointment.clinic_id == clinic_id, Appointment.starts_at >= instant(on, 0, where),
        Appointment.starts_at < instant(on + DAY, 0, where))
    row = db.execute(
        sa.select(sa.func.count(), sa.func.count(HandoverNote.read_at), sa.func.max(HandoverNote.id))
        .where(HandoverNote.patient_id.in_(coming))).one()
    return "-".join(map(str, row))


def _select() -> sa.Select[int, int, str, str, datetime, str]:
    return (
        sa.select(HandoverNote.id, HandoverNote.patient_id, Protocol.name, HandoverNote.text, HandoverNote.written_at,
                  Account.name)
        .outerjoin(Account, Account.id == HandoverNote.written_by)
        .outerjoin(Course, Course.id == HandoverNote.course_id)
        .outerjoin(ProtocolVersion, ProtocolVersion.id == Course.protocol_version_id)
        .outerjoin(Protocol, Protocol.id == ProtocolVersion.protocol_id))
