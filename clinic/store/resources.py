"""What an appointment can hold: practitioners, rooms, devices, and the patient."""
from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clinic.store.base import Row, one_of

KINDS = ("practitioner", "room", "device", "patient")
_NOTED = sa.text("source IS NULL")


class Resource(Row):
    """Whatever one appointment at a time can hold. Its row is the lock that a booking takes first."""

    __tablename__ = "resource"
    __table_args__ = (one_of("kind", KINDS),)
    __mapper_args__ = {"polymorphic_on": "kind"}
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]


def _resource_id() -> Mapped[int]:
    return mapped_column(sa.ForeignKey("resource.id", ondelete="CASCADE"), primary_key=True)


class Practitioner(Resource):
    """Who treats; one resource across all clinics."""

    __tablename__ = "practitioner"
    __mapper_args__ = {"polymorphic_identity": "practitioner"}
    id: Mapped[int] = _resource_id()
    name: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    lock_version: Mapped[int] = mapped_column(default=1)


class Room(Resource):
    """A room of a clinic; a numbing chair is a room with that feature."""

    __tablename__ = "room"
    __mapper_args__ = {"polymorphic_identity": "room"}
    id: Mapped[int] = _resource_id()
    clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id"), index=True)
    name: Mapped[str]
    features: Mapped[list[Any]] = mapped_column(default=list)
    active: Mapped[bool] = mapped_column(default=True)
    lock_version: Mapped[int] = mapped_column(default=1)


class Device(Resource):
    """A device of a clinic; `device_type` is what a treatment asks for."""

    __tablename__ = "device"
    __mapper_args__ = {"polymorphic_identity": "device"}
    id: Mapped[int] = _resource_id()
    clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id"), index=True)
    name: Mapped[str]
    device_type: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    lock_version: Mapped[int] = mapped_column(default=1)


class Patient(Resource):
    """The person treated. Several may share an address; some have none.

    One that was merged into another keeps its row, and is found nowhere.
    """

    __tablename__ = "patient"
    __table_args__ = (one_of("channel", ("email", "phone", "none")),)
    __mapper_args__ = {"polymorphic_identity": "patient"}
    id: Mapped[int] = _resource_id()
    given_name: Mapped[str]
    family_name: Mapped[str]
    search_text: Mapped[str] = mapped_column(index=True)
    birth_on: Mapped[date | None]
    email: Mapped[str | None] = mapped_column(index=True)
    phone: Mapped[str | None]
    language: Mapped[str] = mapped_column(default="en")
    channel: Mapped[str] = mapped_column(default="email")
    wants_service_messages: Mapped[bool] = mapped_column(default=True)
    wants_reminders: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    marketing_consent_at: Mapped[datetime | None]
    only_times: Mapped[list[Any]] = mapped_column(default=list)
    rather_times: Mapped[list[Any]] = mapped_column(default=list)
    alerts: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    lock_version: Mapped[int] = mapped_column(default=1)


class ClinicalNote(Row):
    """What practitioners write about a patient; reception sees the alerts, never these."""

    __tablename__ = "clinical_note"
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(sa.ForeignKey("patient.id", ondelete="CASCADE"), index=True)
    written_at: Mapped[datetime]
    written_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    text: Mapped[str]


class Qualification(Row):
    """What a practitioner is qualified for, from one date and until its expiry (the last valid date)."""

    __tablename__ = "qualification"
    __table_args__ = (sa.UniqueConstraint("practitioner_id", "code", "valid_from"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    practitioner_id: Mapped[int] = mapped_column(sa.ForeignKey("practitioner.id", ondelete="CASCADE"), index=True)
    code: Mapped[str]
    valid_from: Mapped[date]
    expires_on: Mapped[date | None]


class Certificate(Row):
    """A paper of a practitioner that runs out: `expires_on` is the last valid date. It warns, and stops nothing."""

    __tablename__ = "certificate"
    __table_args__ = (
        one_of("kind", ("registration", "insurance", "training")),
        sa.CheckConstraint("expires_on IS NULL OR expires_on >= valid_from", name="span"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    practitioner_id: Mapped[int] = mapped_column(sa.ForeignKey("practitioner.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    title: Mapped[str]
    valid_from: Mapped[date]
    expires_on: Mapped[date | None] = mapped_column(index=True)


class Rota(Row):
    """A practitioner's weeks, repeated from `starts_on` (a Monday) until `ends_on`; the latest begun rota holds."""

    __tablename__ = "rota"
    __table_args__ = (
        sa.CheckConstraint("weeks BETWEEN 1 AND 8", name="weeks"),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="span"),
        sa.UniqueConstraint("practitioner_id", "starts_on"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    practitioner_id: Mapped[int] = mapped_column(sa.ForeignKey("practitioner.id", ondelete="CASCADE"))
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    weeks: Mapped[int] = mapped_column(default=1)


class RotaSpan(Row):
    """Hours of one weekday of one week of a rota: work at a clinic, or a break.

    A break shorter than its span may be moved within it; one as long as its span is fixed.
    """

    __tablename__ = "rota_span"
    __table_args__ = (
        sa.CheckConstraint("weekday BETWEEN 0 AND 6 AND week BETWEEN 0 AND 7", name="day"),
        sa.CheckConstraint("opens >= 0 AND opens < 1440 AND closes > opens AND closes <= 2880", name="span"),
        sa.CheckConstraint(
            "(clinic_id IS NOT NULL AND break_minutes IS NULL)"
            " OR (clinic_id IS NULL AND break_minutes > 0 AND break_minutes <= closes - opens)",
            name="work_or_break",
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    rota_id: Mapped[int] = mapped_column(sa.ForeignKey("rota.id", ondelete="CASCADE"), index=True)
    week: Mapped[int] = mapped_column(default=0)
    weekday: Mapped[int]
    opens: Mapped[int]
    closes: Mapped[int]
    clinic_id: Mapped[int | None] = mapped_column(sa.ForeignKey("clinic.id"))
    break_minutes: Mapped[int | None]


class RotaDay(Row):
    """A practitioner's hours on one date instead of those of the rota, such as after a swap; no spans: a day off.

    `spans` are as of a RotaSpan: [opens, closes, clinic id or null, break minutes or null].
    """

    __tablename__ = "rota_day"
    __table_args__ = (sa.UniqueConstraint("practitioner_id", "on_date"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    practitioner_id: Mapped[int] = mapped_column(sa.ForeignKey("practitioner.id", ondelete="CASCADE"))
    on_date: Mapped[date]
    spans: Mapped[list[Any]] = mapped_column(default=list)
    reason: Mapped[str] = mapped_column(default="")


class Absence(Row):
    """When a practitioner is away, or a room or device out of service (its downtime).

    `source` names the outside calendar that it comes from; none: written here.
    """

    __tablename__ = "absence"
    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="span"),
        sa.Index("ix_absence_reading", "resource_id", "ends_at"),
        # Of outside calendars there may be thousands, and every message asks for those that are noted here.
        sa.Index("ix_absence_noted", "resource_id", "ends_at", sqlite_where=_NOTED, postgresql_where=_NOTED),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    resource_id: Mapped[int] = mapped_column(sa.ForeignKey("resource.id", ondelete="CASCADE"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str]
    source: Mapped[str | None]
