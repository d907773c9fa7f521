"""The protocol library: treatments in parts, protocols in immutable versions."""
from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clinic.store.base import Row, one_of


class Treatment(Row):
    """A thing the clinic offers; `parts` say who and what is held from when to when.

    A protocol version carries its own copy of the parts, so a change here never alters a running course.
    """

    __tablename__ = "treatment"
    __table_args__ = (one_of("kind", ("session", "consultation", "patch-test", "review", "other")),)
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[str]
    parts: Mapped[list[Any]]
    active: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    lock_version: Mapped[int] = mapped_column(default=1, server_default="1")


class Protocol(Row):
    """How a treatment is to be spaced; what it says stands in its versions.

    `consultation` is the clinic's own choice: none asked for, one before any booking, or dates held until a named day
    subject to it.
    """

    __tablename__ = "protocol"
    __table_args__ = (one_of("consultation", ("none", "before", "hold")),)
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    consultation: Mapped[str] = mapped_column(default="none", server_default="none")


class ProtocolVersion(Row):
    """One version: `document` never changes once written; its state moves from draft to approved to retired."""

    __tablename__ = "protocol_version"
    __table_args__ = (
        sa.UniqueConstraint("protocol_id", "number"),
        one_of("state", ("draft", "approved", "retired")),
        sa.CheckConstraint(
            "state = 'draft' OR (approved_by IS NOT NULL AND approved_at IS NOT NULL)", name="approved_by_someone"
        ),
        sa.Index("uq_protocol_version_one_approved", "protocol_id", unique=True,
                 sqlite_where=sa.text("state = 'approved'"), postgresql_where=sa.text("state = 'approved'")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    protocol_id: Mapped[int] = mapped_column(sa.ForeignKey("protocol.id"))
    number: Mapped[int]
    document: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default="draft")
    created_at: Mapped[datetime]
    approved_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    approved_at: Mapped[datetime | None]
