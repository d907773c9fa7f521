"""Messages that wait, were sent, or were not and why."""
from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clinic.care.states import MessageState
from clinic.store.base import Row, one_of

_PENDING = sa.text("state = 'pending'")
_SENDING = sa.text("state = 'sending'")


class Message(Row):
    """One envelope to one patient. `mime` is rendered once, at the first claim, and never again."""

    __tablename__ = "message"
    __table_args__ = (
        one_of("state", MessageState),
        sa.CheckConstraint("(mime IS NULL) = (mime_sha256 IS NULL)", name="frozen"),
        sa.CheckConstraint("(state = 'sending') = (lease_token IS NOT NULL)", name="lease"),
        sa.Index("ix_message_due", "due_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
        sa.Index("ix_message_leased", "lease_until", sqlite_where=_SENDING, postgresql_where=_SENDING),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id"), index=True)
    state: Mapped[str]
    reason: Mapped[str | None]
    due_at: Mapped[datetime]
    useless_after: Mapped[datetime]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    worker_id: Mapped[str | None]
    dot_at: Mapped[datetime | None]
    message_id: Mapped[str | None] = mapped_column(unique=True)
    sender: Mapped[str | None]
    recipient: Mapped[str | None]
    subject: Mapped[str | None]
    mime: Mapped[bytes | None]
    mime_sha256: Mapped[str | None]


class MessageItem(Row):
    """One thing that a message says. Its key is unique: the same thing is never said twice.

    `facts` keeps what was told when the bytes were frozen (for each appointment its revision and local start).
    """

    __tablename__ = "message_item"
    __table_args__ = (
        sa.UniqueConstraint("kind", "subject_kind", "subject_id", "revision", "generation"),
        one_of("subject_kind", ("course", "maintenance-plan", "treatment-session", "appointment")),
        sa.Index("ix_message_item_owner", "owner_kind", "owner_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(sa.ForeignKey("message.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    owner_kind: Mapped[str]
    owner_id: Mapped[int]
    subject_kind: Mapped[str]
    subject_id: Mapped[int]
    revision: Mapped[int] = mapped_column(default=0)
    generation: Mapped[int] = mapped_column(default=0)
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    dropped: Mapped[str | None]


class MessageAttempt(Row):
    """One step of one try to send; rows are only ever added."""

    __tablename__ = "message_attempt"
    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(sa.ForeignKey("message.id"), index=True)
    number: Mapped[int]
    at: Mapped[datetime]
    worker_id: Mapped[str]
    phase: Mapped[str]
    code: Mapped[int | None]
    text: Mapped[str] = mapped_column(default="")


class WorkerRow(Row):
    """A worker process: its id is new at every start."""

    __tablename__ = "worker"
    id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    started_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime]
