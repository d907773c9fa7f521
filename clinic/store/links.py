"""Links in messages, and the browsers that came in by one."""
from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clinic.store.base import Row, one_of

PURPOSES = ("my-course", "opt-in", "stop")


class Link(Row):
    """What the holder of a secret may do: see one course or visit of one patient, or begin or stop the newsletter.

    The row holds only the secret's hash. It ends at `expires_at`, or before when it is revoked.
    """

    __tablename__ = "link"
    __table_args__ = (
        one_of("purpose", PURPOSES),
        sa.CheckConstraint("(purpose = 'my-course') = (patient_id IS NOT NULL)", name="patient"),
        sa.CheckConstraint("(purpose <> 'my-course') = (subscriber_id IS NOT NULL)", name="subscriber"),
        sa.CheckConstraint("(owner_kind IS NULL) = (owner_id IS NULL)", name="owner"),
        sa.Index("ix_link_owner", "owner_kind", "owner_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    purpose: Mapped[str]
    patient_id: Mapped[int | None] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    subscriber_id: Mapped[int | None] = mapped_column(sa.ForeignKey("subscriber.id"), index=True)
    owner_kind: Mapped[str | None]
    owner_id: Mapped[int | None]
    message_id: Mapped[int | None] = mapped_column(sa.ForeignKey("message.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class PatientBrowser(Row):
    """A browser that came in by a link and pressed Continue: it sees that link's course for a short while.

    What is about health is shown once the birth date was given; few wrong dates are allowed.
    """

    __tablename__ = "patient_browser"
    id_hash: Mapped[str] = mapped_column(primary_key=True)
    link_id: Mapped[int] = mapped_column(sa.ForeignKey("link.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    born_at: Mapped[datetime | None]
    wrong_dates: Mapped[int] = mapped_column(default=0)
