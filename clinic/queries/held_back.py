"""What waits since the clinic moved in, until a person lets it go."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.states import MessageState
from clinic.queries.messages import MessageRow, message_rows
from clinic.store.clinics import Business
from clinic.store.outbox import Message, state_is

SHOWN = 50
_WAITS = state_is(MessageState.PENDING)


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Since when nothing leaves, how many messages wait, how many of them would leave at once, and how many are past
    their use and will not be sent."""

    since: datetime
    waiting: int
    due: int
    useless: int


@dataclass(frozen=True, slots=True)
class HeldBackPage:
    """The same with those of one clinic that would leave first, and how many of them there are."""

    all: HeldBack
    here: HeldBack
    first: tuple[MessageRow, ...]


def held_back(db: Session, now: datetime) -> HeldBack | None:
    """What waits at all clinics together; none where messages leave as ever. One statement then, else two."""
    since = db.scalar(sa.select(Business.held_since))
    return None if since is None else _counted(db, since, now, sa.true())


def held_back_page(db: Session, clinic_id: int, now: datetime) -> HeldBackPage | None:
    """What waits, with the first of one clinic; none where messages leave as ever."""
    everything = held_back(db, now)
    if everything is None:
        return None
    at_clinic = Message.clinic_id == clinic_id
    first = message_rows(db, sa.and_(at_clinic, _WAITS, Message.useless_after >= now), limit=SHOWN)
    return HeldBackPage(everything, _counted(db, everything.since, now, at_clinic), first)


def _counted(db: Session, since: datetime, now: datetime, which: sa.ColumnElement[bool]) -> HeldBack:
    is_useless = Message.useless_after < now
    is_due = sa.and_(Message.due_at <= now, sa.not_(is_useless))
    row = db.execute(sa.select(
        sa.func.count(),
        sa.func.coalesce(sa.func.sum(sa.case((is_due, 1), else_=0)), 0),
        sa.func.coalesce(sa.func.sum(sa.case((is_useless, 1), else_=0)), 0),
    ).select_from(Message).where(_WAITS, which)).one()
    useless = int(row[2])
    return HeldBack(since, row[0] - useless, int(row[1]), useless)
