"""What the frame of every page shows: the business, and what waits for attention."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.states import MessageState
from clinic.store.accounts import Task
from clinic.store.clinics import Business
from clinic.store.outbox import Message

TROUBLE = (MessageState.FAILED, MessageState.HELD, MessageState.UNCERTAIN)
"""States of a message that a person has to look at."""


@dataclass(frozen=True, slots=True)
class ShellCounts:
    """How many messages and tasks of a clinic wait for a person."""

    messages_in_trouble: int
    tasks_due: int


def business_name(db: Session) -> str:
    """The name of the business of this database."""
    return db.scalar(sa.select(Business.name)) or "Clinic"


def shell_counts(db: Session, clinic_id: int, *, today: date) -> ShellCounts:
    """What waits for a person at this clinic."""
    trouble = sa.select(sa.func.count()).where(Message.clinic_id == clinic_id, Message.state.in_(TROUBLE))
    due = sa.select(sa.func.count()).where(
        Task.clinic_id == clinic_id, Task.done_at.is_(None), Task.due_on <= today)
    messages_in_trouble, tasks_due = db.execute(
        sa.select(trouble.scalar_subquery(), due.scalar_subquery())).one()
    return ShellCounts(messages_in_trouble, tasks_due)
