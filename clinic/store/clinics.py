"""The business and its clinics: where, when, and under which name."""
from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clinic.care.states import PatientsMay
from clinic.store.base import Row, one_of

_OF_ALL = sa.text("protocol_id IS NULL")


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
    """One site: its zone decides every local time, its quiet hours hold back messages.

    `most_messages_a_day` is after how many on one day a patient gets no more but what keeps them safe. What patients
    may do with their dates on their own page is `patients_move` and `patients_cancel`, and `notice_hours` before a
    date no more than ask. `emergency_phone` is whom they call where a sign must be seen at once.
    """

    __tablename__ = "clinic"
    __table_args__ = (
        sa.CheckConstraint("quiet_from BETWEEN 0 AND 1439 AND quiet_to BETWEEN 0 AND 1439", name="quiet"),
        sa.CheckConstraint("booking_horizon_days BETWEEN 1 AND 3660", name="horizon"),
        sa.CheckConstraint("start_step_minutes BETWEEN 5 AND 60", name="start_step"),
        sa.CheckConstraint("most_messages_a_day BETWEEN 1 AND 20", name="most_messages"),
        one_of("patients_move", PatientsMay),
        one_of("patients_cancel", PatientsMay),
        sa.CheckConstraint("notice_hours BETWEEN 0 AND 336", name="notice"),
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
    most_messages_a_day: Mapped[int] = mapped_column(default=3, server_default="3")
    out_of_hours_phone: Mapped[str | None]
    emergency_phone: Mapped[str | None]
    patients_move: Mapped[str] = mapped_column(default="ask", server_default="ask")
    patients_cancel: Mapped[str] = mapped_column(default="ask", server_default="ask")
    notice_hours: Mapped[int] = mapped_column(default=24, server_default="24")
    review_url: Mapped[str | None]
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
    """A version of what a clinic says in its own words in its messages; the newest counts, and an empty one means ours.

    It never changes. `code` names the text: how to find the clinic, its rule about cancelling, how it closes, or a part
    of one kind of message, such as "recall/subject".
    """

    __tablename__ = "clinic_text"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "code", "language", "version"),
        sa.CheckConstraint("version >= 1", name="version"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id", ondelete="CASCADE"))
    code: Mapped[str]
    language: Mapped[str] = mapped_column(default="en")
    version: Mapped[int] = mapped_column(default=1)
    text: Mapped[str]
    made_at: Mapped[datetime | None]
    made_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))


class MessageRule(Row):
    """Where a clinic, for all its protocols or for one, departs from which messages we send and when.

    The newest for its clinic, protocol and kind counts; `rule` is the document that `care.message_rules` reads.
    """

    __tablename__ = "message_rule"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "protocol_id", "kind", "version"),
        sa.Index("uq_message_rule_of_all", "clinic_id", "kind", "version", unique=True,
                 sqlite_where=_OF_ALL, postgresql_where=_OF_ALL),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id", ondelete="CASCADE"))
    protocol_id: Mapped[int | None] = mapped_column(sa.ForeignKey("protocol.id"))
    kind: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    rule: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))


class TranslationApproval(Row):
    """Somebody of the clinic has read these texts in that language, and lets them go to patients."""

    __tablename__ = "translation_approval"
    __table_args__ = (sa.UniqueConstraint("language", "subject", "sha256"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    language: Mapped[str]
    subject: Mapped[str]
    sha256: Mapped[str]
    approved_at: Mapped[datetime]
    approved_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
