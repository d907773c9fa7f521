"""What became of what a patient asked for on their page, as that page says it: what they asked, and the answer."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.self_service import ANSWERED, AS_WISHED, Answer, answer_now
from clinic.care.states import AppointmentState
from clinic.planning.local import day_of, zone
from clinic.queries.just_moved import MOVED
from clinic.store.accounts import AuditEntry, Task
from clinic.store.diary import Appointment

SHOWN_FOR = timedelta(days=14)
"""How long an answer stands on the page. Our default."""
SHOWN = 5


@dataclass(frozen=True, slots=True)
class MyAnswer:
    """One request and its answer. `local_start` is when the visit is now, `reply` what the clinic wrote."""

    kind: str
    answer: Answer
    asked_on: date
    local_start: datetime
    answered_on: date | None
    reply: str


def my_answers(
    db: Session, patient_id: int, which: sa.ColumnElement[bool], *, now: datetime
) -> tuple[MyAnswer, ...]:
    """What the patient asked about those of their visits that are to come, the newest first; in one statement."""
    rows = db.execute(
        sa.select(Task.kind, Task.created_at, Task.done_at, Task.reply, Appointment.local_start,
                  Appointment.zone, Appointment.state, has_moved_since_asked().label("has_moved"))
        .join(Appointment, Appointment.id == Task.appointment_id)
        .where(Task.patient_id == patient_id, Task.kind.in_(ANSWERED), Appointment.starts_at > now, which,
               sa.or_(Task.done_at.is_(None), Task.done_at > now - SHOWN_FOR))
        .order_by(Task.created_at.desc(), Task.id.desc()).limit(SHOWN))
    return tuple(map(_answer, rows))


def has_moved_since_asked() -> sa.Exists:
    """Whether the visit of a task was given another time after the task was opened."""
    return sa.exists().where(
        AuditEntry.subject_kind == "appointment", AuditEntry.subject_id == Task.appointment_id,
        AuditEntry.action == MOVED, AuditEntry.at >= Task.created_at)


def _answer(row: Any) -> MyAnswer:
    where = zone(row.zone)
    answer = answer_now(AppointmentState(row.state), is_done=row.done_at is not None, has_moved=row.has_moved)
    return MyAnswer(row.kind, answer, day_of(row.created_at, where), row.local_start,
                    day_of(row.done_at, where) if row.done_at else None,
                    "" if row.reply in AS_WISHED else row.reply or "")
