"""Appointments, the spans of people and things that they hold, and who is late on a day."""
from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clinic.care.outcomes import NoShowCause, NotTreatedCause
from clinic.care.states import AppointmentState
from clinic.store.base import Row, listed, one_of

_ACTIVE = sa.text("state IN ('proposed', 'booked', 'arrived') AND treatment_session_id IS NOT NULL")
_HOLDS = sa.text("state = 'proposed'")
_IS_HERE = sa.text("state = 'arrived'")


class Appointment(Row):
    """A time held for a patient. Local start, zone and fold decide; `starts_at` and `ends_at` are derived.

    `lock_version` moves at each write; `revision` only when time, place or cancellation changes, and is the
    SEQUENCE of the calendar entry whose `uid` stays for life. One that is `pinned` is never moved by the planner.
    `told_start` is the local start that the patient knew when it was moved in from another system; none: made here.
    `ended_cause` says of a patient who came why they were not treated (it is cancelled then), and of one who did not
    come why not; the words of the desk are in `cancellation_reason`. `confirmed_at` is when the patient said that they
    come, to this time; `changed_by_clinic` says that the clinic, not the patient, was the cause of its last change.
    `begun_at` is when a patient who is here was taken in, where somebody said so.
    `practitioner_id` is whoever treats, the longest where there are several: it stays when what was held is free again,
    so that the figures know whose visits were missed.
    """

    __tablename__ = "appointment"
    __table_args__ = (
        one_of("state", AppointmentState),
        one_of("kind", ("session", "consultation", "patch-test", "review", "other")),
        sa.CheckConstraint("(kind = 'session') = (treatment_session_id IS NOT NULL)", name="about"),
        sa.CheckConstraint("ends_at > starts_at", name="span"),
        sa.CheckConstraint("(state = 'proposed') = (hold_expires_at IS NOT NULL)", name="hold"),
        sa.CheckConstraint(
            "ended_cause IS NULL"
            f" OR state = 'cancelled' AND ended_cause IN ({listed(NotTreatedCause)})"
            f" OR state = 'noshow' AND ended_cause IN ({listed(NoShowCause)})", name="ended_cause"),
        sa.CheckConstraint("begun_at IS NULL OR state IN ('arrived', 'fulfilled', 'cancelled')", name="begun"),
        sa.Index("uq_appointment_one_active", "treatment_session_id", unique=True,
                 sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
        sa.Index("ix_appointment_clinic_starts", "clinic_id", "starts_at"),
        sa.Index("ix_appointment_here", "clinic_id", "ends_at", sqlite_where=_IS_HERE, postgresql_where=_IS_HERE),
        sa.Index("ix_appointment_holds", "hold_expires_at", sqlite_where=_HOLDS, postgresql_where=_HOLDS),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id"))
    patient_id: Mapped[int] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    kind: Mapped[str]
    treatment_session_id: Mapped[int | None] = mapped_column(sa.ForeignKey("treatment_session.id"), index=True)
    treatment_code: Mapped[str]
    state: Mapped[str]
    uid: Mapped[str] = mapped_column(unique=True)
    local_start: Mapped[datetime] = mapped_column(sa.DateTime(timezone=False))
    zone: Mapped[str]
    fold: Mapped[int]
    minutes: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    lock_version: Mapped[int] = mapped_column(default=1)
    revision: Mapped[int] = mapped_column(default=0)
    scheduled_at: Mapped[datetime]
    hold_expires_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    cancellation_reason: Mapped[str | None]
    ended_cause: Mapped[str | None]
    pinned: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    told_start: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=False))
    confirmed_at: Mapped[datetime | None]
    practitioner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("practitioner.id"))
    changed_by_clinic: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    begun_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))


class ResourceBooking(Row):
    """A span of one resource that an appointment holds: the row exists if and only if it blocks.

    `need` is the place in the treatment's list of needs, from 1; 0 is the patient.
    """

    __tablename__ = "resource_booking"
    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="span"),
        sa.UniqueConstraint("appointment_id", "need"),
        sa.Index("ix_resource_booking_reading", "resource_id", "ends_at", "starts_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    appointment_id: Mapped[int] = mapped_column(sa.ForeignKey("appointment.id", ondelete="CASCADE"))
    resource_id: Mapped[int] = mapped_column(sa.ForeignKey("resource.id"))
    clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id"))
    need: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class RunningLate(Row):
    """A practitioner is so many minutes late at a clinic on a date, as was said at an instant; no row: on time."""

    __tablename__ = "running_late"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "on_date", "practitioner_id"),
        sa.CheckConstraint("minutes BETWEEN 1 AND 600", name="minutes"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id", ondelete="CASCADE"))
    practitioner_id: Mapped[int] = mapped_column(sa.ForeignKey("practitioner.id", ondelete="CASCADE"), index=True)
    on_date: Mapped[date]
    minutes: Mapped[int]
    at: Mapped[datetime]
    by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
