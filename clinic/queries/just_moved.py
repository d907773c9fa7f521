"""A visit that was moved a moment ago, what it was before, and whether that can be given back without a word."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.states import AppointmentState
from clinic.planning.local import local_of, zone
from clinic.queries.just_booked import is_told_of_present
from clinic.queries.series import held_by
from clinic.queries.visit_choice import VisitChoice, parse_choice
from clinic.store.accounts import AuditEntry
from clinic.store.diary import Appointment
from clinic.store.resources import Patient

MOVED = "appointment-moved"
"""What the audit calls giving an appointment another time."""


@dataclass(frozen=True, slots=True)
class Former:
    """What an appointment was before its last move: its time with what it held, and all that a move changes besides."""

    choice: VisitChoice
    scheduled_at: datetime
    confirmed_at: datetime | None
    by_clinic: bool

    def document(self, revision: int) -> dict[str, Any]:
        """As the audit keeps it, with the revision that the move led to."""
        return {"revision": revision, "before": str(self.choice), "scheduled_at": self.scheduled_at.isoformat(),
                "confirmed_at": self.confirmed_at and self.confirmed_at.isoformat(), "by_clinic": self.by_clinic}


@dataclass(frozen=True, slots=True)
class JustMoved:
    """The visit as it is and was, in the wall time of its zone."""

    id: int
    clinic_id: int
    patient: str
    local_start: datetime
    was: datetime
    lock_version: int
    former: Former


def former_of(db: Session, appointment: Appointment, number: int) -> Former | None:
    """What an appointment is before it moves; none where it holds nothing that could be held again."""
    held = held_by(db, [appointment.id]).get(appointment.id, ())
    if not held:
        return None
    choice = VisitChoice(number, appointment.starts_at, tuple(map(int, held)))
    return Former(choice, appointment.scheduled_at, appointment.confirmed_at, appointment.changed_by_clinic)


def just_moved(db: Session, appointment_id: int, *, now: datetime) -> JustMoved | None:
    """That visit; none where anything else was done since, the old time has passed, or the patient may have heard."""
    found = db.get(Appointment, appointment_id) if appointment_id else None
    if found is None or found.state not in (AppointmentState.BOOKED, AppointmentState.PROPOSED):
        return None
    former = _last_move(db, found)
    if former is None or former.choice.starts_at <= now or is_told_of_present(db, found):
        return None
    patient, where = db.get_one(Patient, found.patient_id), zone(found.zone)
    return JustMoved(
        found.id, found.clinic_id, f"{patient.given_name} {patient.family_name}",
        found.local_start.replace(tzinfo=where, fold=found.fold), local_of(former.choice.starts_at, where),
        found.lock_version, former)


def _last_move(db: Session, appointment: Appointment) -> Former | None:
    """What it was before the last thing that was done to it, if that was a move of its own."""
    last = db.execute(
        sa.select(AuditEntry.action, AuditEntry.facts)
        .where(AuditEntry.subject_kind == "appointment", AuditEntry.subject_id == appointment.id)
        .order_by(AuditEntry.id.desc()).limit(1)).one_or_none()
    if last is None or last.action != MOVED or last.facts.get("revision") != appointment.revision:
        return None
    facts = last.facts
    return Former(
        parse_choice(facts["before"]), datetime.fromisoformat(facts["scheduled_at"]),
        datetime.fromisoformat(facts["confirmed_at"]) if facts["confirmed_at"] else None, facts["by_clinic"])
