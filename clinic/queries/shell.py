"""What the frame of every page shows: the business, and what waits for attention."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.self_service import REQUESTS
from clinic.queries.open_visits import LEFT_OPEN, open_visit_count
from clinic.queries.people_to_tell import people_count
from clinic.queries.undated import Horizon, due_count, opened_by
from clinic.store.accounts import Task
from clinic.store.clinics import Business
from clinic.store.outbox import TROUBLE, Message, state_is
from clinic.store.types import Instant

NAMELESS = "Clinic"
"""What a business is called that has no name yet."""


@dataclass(frozen=True, slots=True)
class ShellCounts:
    """The name of the business, and how many messages, tasks, sessions without a date and people to tell of a clinic
    wait for somebody. A visit that stays open counts as a task, and so do `requests`: what patients ask for."""

    business: str
    messages_in_trouble: int
    tasks_due: int
    sessions_due: int
    people_to_tell: int
    requests: int


def business_name(db: Session) -> str:
    """The name of the business of this database."""
    return db.scalar(sa.select(Business.name)) or NAMELESS


def shell_counts(db: Session, clinic_id: int, horizon: Horizon, now: datetime) -> ShellCounts:
    """What waits for a person at this clinic, in one statement."""
    return ShellCounts(*db.execute(_COUNTS, {
        "clinic_id": clinic_id, "now": now, "today": horizon.today, "opened_by": opened_by(horizon.today),
        "ended_by": now - LEFT_OPEN}).one())


def _counts() -> sa.Select[Any]:
    clinic_id = sa.bindparam("clinic_id", type_=sa.Integer)
    now, ended_by = (sa.bindparam(name, type_=Instant()) for name in ("now", "ended_by"))
    today, by = (sa.bindparam(name, type_=sa.Date) for name in ("today", "opened_by"))
    trouble = sa.select(sa.func.count()).where(
        Message.clinic_id == clinic_id, Message.patient_id.is_not(None), state_is(*TROUBLE),
        Message.decision.is_(None))
    due = sa.select(sa.func.count()).where(
        Task.clinic_id == clinic_id, Task.done_at.is_(None), Task.due_on <= today)
    asked = sa.select(sa.func.count()).where(
        Task.clinic_id == clinic_id, Task.done_at.is_(None), Task.kind.in_(REQUESTS))
    business = sa.select(Business.name).scalar_subquery()
    return sa.select(
        sa.func.coalesce(business, NAMELESS), trouble.scalar_subquery(),
        due.scalar_subquery() + open_visit_count(clinic_id, ended_by), due_count(clinic_id, by),
        people_count(clinic_id, now), asked.scalar_subquery())


_COUNTS = _counts()
"""Put together once: it is asked by every page, and putting it together takes longer than its answer."""
