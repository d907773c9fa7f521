"""The newsletter: who asked for it, and its editions."""
from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clinic.store.base import Row, one_of

SUBSCRIBER_STATES = ("asked", "subscribed", "stopped")
EDITION_STATES = ("draft", "approved", "stopped")


class Subscriber(Row):
    """An address that asked for the newsletter; it counts once its owner said so a second time.

    What they agreed to is kept in its wording, with where and when they did.
    """

    __tablename__ = "subscriber"
    __table_args__ = (
        one_of("state", SUBSCRIBER_STATES),
        sa.CheckConstraint("state <> 'subscribed' OR consented_at IS NOT NULL", name="consent"),
        sa.CheckConstraint("(state = 'stopped') = (stopped_at IS NOT NULL)", name="stopped"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    language: Mapped[str] = mapped_column(default="en")
    interests: Mapped[list[Any]] = mapped_column(default=list)
    patient_id: Mapped[int | None] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    state: Mapped[str]
    asked_at: Mapped[datetime]
    asked_times: Mapped[int] = mapped_column(default=1)
    consent_source: Mapped[str]
    consent_wording: Mapped[str]
    consented_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]


class Edition(Row):
    """One edition of news and tips, for who reads its languages and follows its interests (none: everybody).

    Whoever approved it agreed to send it to so many: those who had consented by then. The worker writes their messages
    down in the order of their ids; `queued_to` is the last id that it has got to, `queued_at` when it came to an end.
    """

    __tablename__ = "edition"
    __table_args__ = (
        one_of("state", EDITION_STATES),
        sa.CheckConstraint("state <> 'approved' OR send_at IS NOT NULL", name="send"),
        sa.CheckConstraint("(approved_at IS NULL) = (agreed IS NULL)", name="agreed"),
        sa.CheckConstraint("(state = 'draft') = (approved_at IS NULL)", name="approved"),
        sa.CheckConstraint("(state = 'stopped') = (stopped_at IS NOT NULL)", name="stopped"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id"), index=True)
    title: Mapped[str]
    interests: Mapped[list[Any]] = mapped_column(default=list)
    state: Mapped[str] = mapped_column(default="draft")
    send_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    agreed: Mapped[int | None]
    queued_to: Mapped[int] = mapped_column(default=0)
    queued_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    stopped_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    in_archive: Mapped[bool] = mapped_column(default=True)
    lock_version: Mapped[int] = mapped_column(default=1)


class EditionText(Row):
    """An edition in one language: its subject and its blocks of headed paragraphs."""

    __tablename__ = "edition_text"
    edition_id: Mapped[int] = mapped_column(sa.ForeignKey("edition.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str]
    blocks: Mapped[list[Any]] = mapped_column(default=list)
