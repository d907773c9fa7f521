"""Who signs in, what they may, what was done, and requests that came twice."""
from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clinic.access import Role
from clinic.store.base import Row, one_of


class Account(Row):
    """Who signs in. `email` is kept in lower case."""

    __tablename__ = "account"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    practitioner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("practitioner.id"))
    active: Mapped[bool] = mapped_column(default=True)
    wants_digest: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    lock_version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[datetime]


class AccountRole(Row):
    """A role that an account holds at a clinic."""

    __tablename__ = "account_role"
    __table_args__ = (one_of("role", Role),)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)


class BrowserSession(Row):
    """One signed-in browser. The cookie holds a secret, the row only its hash; a sign-out deletes the row."""

    __tablename__ = "browser_session"
    id_hash: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id", ondelete="CASCADE"), index=True)
    clinic_id: Mapped[int | None] = mapped_column(sa.ForeignKey("clinic.id"))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SignInAttempt(Row):
    """A failed sign-in, counted by account and by network before any password is hashed."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (sa.Index("ix_sign_in_attempt_key", "key", "at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    at: Mapped[datetime]


class IdempotencyKey(Row):
    """A form that was sent: the same key with the same content gives the first answer again."""

    __tablename__ = "idempotency_key"
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_sha256: Mapped[str]
    answer: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(index=True)


class AuditEntry(Row):
    """What was done, by whom and when; rows are only ever added, and hold ids, never names."""

    __tablename__ = "audit"
    __table_args__ = (sa.Index("ix_audit_subject", "subject_kind", "subject_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    clinic_id: Mapped[int | None] = mapped_column(sa.ForeignKey("clinic.id"))
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Task(Row):
    """Something a person of the clinic has to do, such as a consultation to arrange, or what a patient asks for.

    `wished` are the instants at which a patient who asks for another time could come, `reply` what became of what they
    asked for, in the words of whoever saw to it.
    """

    __tablename__ = "task"
    __table_args__ = (
        one_of("kind", ("consultation", "call", "other", "move", "cancel", "unprepared", "symptom", "bounce")),
        sa.CheckConstraint("(done_at IS NULL) = (done_by IS NULL)", name="done"),
        sa.CheckConstraint("reply IS NULL OR done_at IS NOT NULL", name="replied"),
        sa.Index("ix_task_open", "clinic_id", sqlite_where=sa.text("done_at IS NULL"),
                 postgresql_where=sa.text("done_at IS NULL")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    kind: Mapped[str]
    urgent: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    appointment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("appointment.id"))
    text: Mapped[str]
    wished: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    reply: Mapped[str | None]
    due_on: Mapped[date]
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    done_at: Mapped[datetime | None]
    done_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
