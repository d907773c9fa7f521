"""Messages that wait, were sent, or were not and why."""
from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clinic.care.states import ContactOutcome, MessageDecision, MessageState
from clinic.store.base import Row, listed, one_of

SUBJECT_KINDS = (
    "course", "maintenance-plan", "treatment-session", "appointment", "patient", "subscriber", "edition", "account",
)
"""What an item can be about: care of a patient, the patient themselves, or what goes to others."""

_PENDING = sa.text("state = 'pending'")
_SENDING = sa.text("state = 'sending'")
_WAITING = sa.text("state IN ('pending', 'held')")
_SETTLED = sa.text("settled_at IS NOT NULL AND patient_id IS NOT NULL")
TROUBLE = (MessageState.FAILED, MessageState.HELD, MessageState.UNCERTAIN)
"""States of a message that a person has to look at, unless somebody has decided about it."""
UNSENT = (MessageState.FAILED, MessageState.UNCERTAIN, MessageState.WITHHELD)
"""States of a message that was to go and told nobody anything, as far as is known."""
_IN_TROUBLE = sa.text(f"state IN ({listed(TROUBLE)}) AND decision IS NULL")
_UNSENT = sa.text(f"state IN ({listed(UNSENT)})")


class Message(Row):
    """One envelope to one person: a patient, a subscriber of the newsletter, or an account (its digest).

    `mime` is rendered once, at the first claim, and never again. `looked_at` is when a person of the clinic read it
    before it went. Where a person decided about it (skip it; told, or printed, instead), the machine leaves it alone.
    `note` is a personal line that somebody added to it, `hastened_at` when somebody let it go before its time;
    `priority` is that of `clinic/care/priority.py`.
    """

    __tablename__ = "message"
    __table_args__ = (
        one_of("state", MessageState),
        sa.CheckConstraint(
            "(CASE WHEN patient_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN subscriber_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN account_id IS NULL THEN 0 ELSE 1 END) = 1", name="one_person"),
        one_of("decision", MessageDecision),
        sa.CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided"),
        sa.CheckConstraint("decision IS NULL OR state NOT IN ('pending', 'sending', 'held')", name="decided_rests"),
        sa.CheckConstraint("(mime IS NULL) = (mime_sha256 IS NULL)", name="frozen"),
        sa.CheckConstraint("(state = 'sending') = (lease_token IS NOT NULL)", name="lease"),
        sa.CheckConstraint("priority BETWEEN 0 AND 2", name="priority"),
        sa.Index("ix_message_due", "priority", "due_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
        sa.Index("ix_message_leased", "lease_until", sqlite_where=_SENDING, postgresql_where=_SENDING),
        sa.Index("ix_message_trouble", "clinic_id", sqlite_where=_IN_TROUBLE, postgresql_where=_IN_TROUBLE),
        sa.Index("ix_message_unsent", "clinic_id", "useless_after", sqlite_where=_UNSENT, postgresql_where=_UNSENT),
        sa.Index("ix_message_listed", "clinic_id", "state", "settled_at", "due_at"),
        sa.Index("ix_message_useless", "useless_after", sqlite_where=_WAITING, postgresql_where=_WAITING),
        sa.Index("ix_message_settled", "clinic_id", "settled_at", "state", "patient_id", "decision",
                 sqlite_where=_SETTLED, postgresql_where=_SETTLED),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int | None] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    subscriber_id: Mapped[int | None] = mapped_column(sa.ForeignKey("subscriber.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id"))
    state: Mapped[str]
    reason: Mapped[str | None]
    priority: Mapped[int] = mapped_column(default=1, server_default="1")
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
    note: Mapped[str | None]
    hastened_at: Mapped[datetime | None]
    looked_at: Mapped[datetime | None]
    looked_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    decision: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))


def state_is(*states: MessageState) -> sa.ColumnElement[bool]:
    """Whether a message is in one of these states, which stand in the statement itself: a database takes the index of
    some messages only where it sees, when it plans, that no others are asked for."""
    named: list[sa.ColumnElement[str]] = [sa.literal_column(f"'{state.value}'") for state in states]
    return Message.state == named[0] if len(named) == 1 else Message.state.in_(named)


class MessageItem(Row):
    """One thing that a message says. Its key is unique: the same thing is never said twice.

    `facts` keeps what was told when the bytes were frozen (for each appointment its revision and local start).
    """

    __tablename__ = "message_item"
    __table_args__ = (
        sa.UniqueConstraint("kind", "subject_kind", "subject_id", "revision", "generation"),
        one_of("subject_kind", SUBJECT_KINDS),
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


class ContactAttempt(Row):
    """One time that a person tried to tell a patient what a message could not; rows are only ever added."""

    __tablename__ = "contact_attempt"
    __table_args__ = (one_of("outcome", ContactOutcome),)
    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(sa.ForeignKey("message.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    outcome: Mapped[str]
    note: Mapped[str] = mapped_column(default="")


class Bounce(Row):
    """What a mail system reported of a message: it gave up, or is only late. A hard one lies in the address, and blocks
    it (in small letters) until a person lifts that."""

    __tablename__ = "bounce"
    __table_args__ = (
        sa.UniqueConstraint("message_id", "digest"),
        sa.CheckConstraint("lifted_at IS NULL OR is_hard", name="lifted"),
        sa.CheckConstraint("is_final OR NOT is_hard", name="final"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(sa.ForeignKey("message.id"), index=True)
    email: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    is_final: Mapped[bool] = mapped_column(default=True)
    is_hard: Mapped[bool]
    status: Mapped[str]
    text: Mapped[str] = mapped_column(default="")
    digest: Mapped[str]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))


class WorkerRow(Row):
    """A worker process: its id is new at every start. `swept_at` is when it last looked at every course, `trouble` what
    keeps it from the mail server, since when, and `folder_trouble` from the folder of what came back.
    """

    __tablename__ = "worker"
    __table_args__ = (sa.CheckConstraint("(trouble IS NULL) = (trouble_since IS NULL)", name="trouble"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    started_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime]
    swept_at: Mapped[datetime | None]
    trouble: Mapped[str | None]
    trouble_since: Mapped[datetime | None]
    folder_trouble: Mapped[str | None]
