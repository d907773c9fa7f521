"""Which messages came back, and whose address is dead."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.store.outbox import Bounce
from clinic.store.resources import Patient

CAME_BACK = "it came back"
"""How the reason of a message begins that a mail system gave back."""


@dataclass(frozen=True, slots=True)
class DeadAddress:
    """Since when nothing goes to an address, and what the mail system said of it last."""

    since: datetime
    status: str
    said: str


def dead_address(db: Session, email: str | None) -> DeadAddress | None:
    """Why nothing goes to an address; none: something does."""
    if not email:
        return None
    rows = db.execute(
        sa.select(Bounce.at, Bounce.status, Bounce.text)
        .where(Bounce.email == email.lower(), Bounce.is_hard, Bounce.lifted_at.is_(None)).order_by(Bounce.id)).all()
    return DeadAddress(rows[0].at, rows[-1].status, rows[-1].text) if rows else None


def bounces_of(db: Session, message_id: int) -> Sequence[Bounce]:
    """The reports about a message, in the order in which they came."""
    return db.scalars(sa.select(Bounce).where(Bounce.message_id == message_id).order_by(Bounce.id)).all()


def patients_at(db: Session, address: str, *, most: int) -> Sequence[int]:
    """The first patients who have an address, given in small letters, by their ids."""
    patient = Patient.__table__.c
    return db.scalars(
        sa.select(patient.id).where(
            sa.or_(patient.email == address, sa.func.lower(patient.email) == address),
            patient.merged_into_id.is_(None)).order_by(patient.id).limit(most)).all()
