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
    wait for somebody. What is open counts, whatever its date: `requests` are what patients ask for, and `to_do` all
    other tasks, with the visits that stay open."""

    business: str
    messages_in_trouble: int
    to_do: int
    sessions_due: int
    people_to_tell: int
    requests: int

    @property
    def tasks(self) -> int:
        """Everything that the tasks of the clinic list."""
        return self.to_do + self.requests


def business_name(db: Session) -> str:
    """The name of the business of this database."""
    return db.scalar(sa.select(Business.name)) or NAMELESS


def shell_counts(db: Session, clinic_id: int, horizon: Horizon, now: datetime) -> ShellCounts:
    """What waits for a person at this clinic, in one statement."""
    return ShellCounts(*db.execute(_COUNTS, {
        "clinic_id": clinic_id, "now": now, "opened_by": opened_by(horizon.today),
        "ended_by": now - LEFT_OPEN}).one())


def _counts() -> sa.Select[Any]:
    clinic_id = sa.bindparam("clinic_id", type_=sa.Integer)
    now, ended_by = (sa.bindparam(name, type_=Instant()) for name in ("now", "ended_by"))
    by = sa.bindparam("opened_by", type_=sa.Date)
    trouble = sa.select(sa.func.count()).where(
        Message.clinic_id == clinic_id, Message.patient_id.is_not(None), state_is(*TROUBLE),
        Message.decision.is_(None))
    others = sa.select(sa.func.count()).where(
        Task.clinic_id == clinic_id, Task.done_at.is_(None), Task.kind.not_in(REQUESTS))
    asked = sa.select(sa.func.count()).where(
        Task.clinic_id == clinic_id, Task.done_at.is_(None), Task.kind.in_(REQUESTS))
    business = sa.select(Business.name).scalar_subquery()
    return sa.select(
        sa.func.coalesce(business, NAMELESS), trouble.scalar_subquery(),
        others.scalar_subquery() + open_visit_count(clinic_id, ended_by), due_count(clinic_id, by),
        people_count(clinic_id, now), asked.scalar_subquery())


_COUNTS = _counts()
"""Put together once: it is asked by every page, and putting it together takes longer than its answer."""
