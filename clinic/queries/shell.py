"""What the frame of every page shows: the business, and what waits for attention."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.states import MessageState
from clinic.queries.open_visits import open_visit_count
from clinic.queries.people_to_tell import people_count
from clinic.queries.undated import Horizon, due_count
from clinic.store.accounts import Task
from clinic.store.clinics import Business
from clinic.store.outbox import Message

TROUBLE = (MessageState.FAILED, MessageState.HELD, MessageState.UNCERTAIN)
"""States of a message that a person has to look at, unless somebody has decided about it."""


@dataclass(frozen=True, slots=True)
class ShellCounts:
    """How many messages, tasks, sessions without a date and people to tell of a clinic wait for somebody.

    A visit that stays open counts as a task.
    """

    messages_in_trouble: int
    tasks_due: int
    sessions_due: int
    people_to_tell: int


def business_name(db: Session) -> str:
    """The name of the business of this database."""
    return db.scalar(sa.select(Business.name)) or "Clinic"


def shell_counts(db: Session, clinic_id: int, horizon: Horizon, now: datetime) -> ShellCounts:
    """What waits for a person at this clinic."""
    trouble = sa.select(sa.func.count()).where(
        Message.clinic_id == clinic_id, Message.patient_id.is_not(None), Message.state.in_(TROUBLE),
        Message.decision.is_(None))
    due = sa.select(sa.func.count()).where(
        Task.clinic_id == clinic_id, Task.done_at.is_(None), Task.due_on <= horizon.today)
    waiting = db.execute(
        sa.select(trouble.scalar_subquery(), due.scalar_subquery() + open_visit_count(clinic_id, now),
                  due_count(clinic_id, horizon),
                  people_count(clinic_id, now))).one()
    return ShellCounts(*waiting)
