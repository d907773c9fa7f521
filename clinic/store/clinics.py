"""The business and its clinics: where, when, and under which name."""
from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clinic.store.base import Row, one_of


class Business(Row):
    """The one business of this database. `mail_on_since` is when SMTP was switched on; none: it is off.

    `held_since` is when what was moved in or brought back began to hold all messages back, until a person lets them go.
    """

    __tablename__ = "business"
    __table_args__ = (sa.CheckConstraint("id = 1", name="only_one"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    mail_on_since: Mapped[datetime | None]
    held_since: Mapped[datetime | None]


class Clinic(Row):
    """One site: its zone decides every local time, its quiet hours hold back messages."""

    __tablename__ = "clinic"
    __table_args__ = (
        sa.CheckConstraint("quiet_from BETWEEN 0 AND 1439 AND quiet_to BETWEEN 0 AND 1439", name="quiet"),
        sa.CheckConstraint("booking_horizon_days BETWEEN 1 AND 3660", name="horizon"),
        sa.CheckConstraint("start_step_minutes BETWEEN 5 AND 60", name="start_step"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    zone: Mapped[str]
    address: Mapped[str]
    phone: Mapped[str]
    sender_name: Mapped[str]
    sender_email: Mapped[str]
    quiet_from: Mapped[int] = mapped_column(default=20 * 60)
    quiet_to: Mapped[int] = mapped_column(default=8 * 60)
    booking_horizon_days: Mapped[int] = mapped_column(default=400)
    start_step_minutes: Mapped[int] = mapped_column(default=15)
    lock_version: Mapped[int] = mapped_column(default=1)


class OpeningHours(Row):
    """Open on this weekday (Monday 0) from `opens` to `closes`, in minutes (past 1440: the next date)."""

    __tablename__ = "opening_hours"
    __table_args__ = (
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        sa.CheckConstraint("opens >= 0 AND opens < 1440 AND closes > opens AND closes <= 2880", name="span"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id", ondelete="CASCADE"), index=True)
    weekday: Mapped[int]
    opens: Mapped[int]
    closes: Mapped[int]


class Closure(Row):
    """The clinic is closed on these dates, both included."""

    __tablename__ = "closure"
    __table_args__ = (sa.CheckConstraint("to_on >= from_on", name="span"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id", ondelete="CASCADE"), index=True)
    from_on: Mapped[date]
    to_on: Mapped[date]
    reason: Mapped[str]


class TravelTime(Row):
    """Minutes that a practitioner needs between two clinics, either way."""

    __tablename__ = "travel_time"
    __table_args__ = (
        sa.CheckConstraint("one_clinic_id < other_clinic_id", name="pair"),
        sa.CheckConstraint("minutes BETWEEN 0 AND 1440", name="minutes"),
    )
    one_clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True)
    other_clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True)
    minutes: Mapped[int]


class ClinicText(Row):
    """A clinic's own words in its messages: how to find it, what it asks of who cancels, how it closes."""

    __tablename__ = "clinic_text"
    __table_args__ = (one_of("code", ("directions", "cancellation", "closing")),)
    clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id", ondelete="CASCADE"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
