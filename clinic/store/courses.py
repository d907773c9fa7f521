"""Courses, what they owe, the upkeep that follows, and what one visit hands over to the next."""
from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clinic.care.outcomes import VisitOutcome
from clinic.care.states import CourseState, MaintenanceState, SessionState
from clinic.store.base import Row, one_of

_OWED = sa.text("state = 'owed'")
_PERFORMED = sa.text("performed_on IS NOT NULL")
_ENDED = sa.text("ended_on IS NOT NULL")


class Course(Row):
    """One patient's treatment planned as a whole, at one clinic, on one immutable protocol version."""

    __tablename__ = "course"
    __table_args__ = (
        one_of("state", CourseState), one_of("laxity", ("none", "mild", "moderate", "severe")),
        sa.Index("ix_course_ended", "ended_on", sqlite_where=_ENDED, postgresql_where=_ENDED),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    clinic_id: Mapped[int] = mapped_column(sa.ForeignKey("clinic.id"), index=True)
    protocol_version_id: Mapped[int] = mapped_column(sa.ForeignKey("protocol_version.id"), index=True)
    practitioner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("practitioner.id"))
    state: Mapped[str]
    indication: Mapped[str]
    laxity: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    ended_on: Mapped[date | None]
    ended_reason: Mapped[str | None]
    lock_version: Mapped[int] = mapped_column(default=1)


class Screening(Row):
    """What was asked and answered before a course was booked, and what the rules said."""

    __tablename__ = "screening"
    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id", ondelete="CASCADE"), index=True)
    answered_at: Mapped[datetime]
    answered_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    answers: Mapped[dict[str, Any]]
    findings: Mapped[list[Any]]


class CourseOverride(Row):
    """Where a course departs from its protocol, or went past a warning: what, why and by whom."""

    __tablename__ = "course_override"
    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id", ondelete="CASCADE"), index=True)
    code: Mapped[str]
    value: Mapped[dict[str, Any]]
    reason: Mapped[str]
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))


class MaintenancePlan(Row):
    """Upkeep after a completed course: `sessions` more, each `interval_days` after the one before."""

    __tablename__ = "maintenance_plan"
    __table_args__ = (
        one_of("state", MaintenanceState),
        sa.CheckConstraint("shortest_days > 0 AND shortest_days <= interval_days AND interval_days <= longest_days",
                           name="interval"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(sa.ForeignKey("course.id"), unique=True)
    state: Mapped[str]
    interval_days: Mapped[int]
    shortest_days: Mapped[int]
    longest_days: Mapped[int]
    created_at: Mapped[datetime]
    lock_version: Mapped[int] = mapped_column(default=1)


class TreatmentSession(Row):
    """One planned delivery, owned by exactly one course or maintenance plan; owed until it is completed.

    Its window counts from the session before: planned while that is ahead, real once it is completed. One that was
    given in part says which areas were treated and which were left out.
    """

    __tablename__ = "treatment_session"
    __table_args__ = (
        one_of("state", SessionState),
        sa.CheckConstraint("(course_id IS NULL) <> (maintenance_plan_id IS NULL)", name="one_owner"),
        sa.CheckConstraint("(state = 'completed') = (performed_at IS NOT NULL)", name="performed"),
        one_of("outcome", VisitOutcome),
        sa.CheckConstraint("outcome IS NULL OR state = 'completed'", name="outcome_of"),
        sa.CheckConstraint(
            "(areas_left IS NOT NULL) = (outcome IS NOT NULL AND outcome = 'partly-treated')"
            " AND (areas_treated IS NULL) = (areas_left IS NULL)", name="areas"),
        sa.UniqueConstraint("course_id", "number"),
        sa.UniqueConstraint("maintenance_plan_id", "number"),
        sa.Index("ix_treatment_session_owed", "earliest_on", sqlite_where=_OWED, postgresql_where=_OWED),
        sa.Index("ix_treatment_session_performed", "performed_on",
                 sqlite_where=_PERFORMED, postgresql_where=_PERFORMED),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int | None] = mapped_column(sa.ForeignKey("course.id", ondelete="CASCADE"))
    maintenance_plan_id: Mapped[int | None] = mapped_column(sa.ForeignKey("maintenance_plan.id", ondelete="CASCADE"))
    number: Mapped[int]
    treatment_code: Mapped[str]
    state: Mapped[str]
    earliest_on: Mapped[date | None]
    ideal_on: Mapped[date | None]
    latest_on: Mapped[date | None]
    performed_at: Mapped[datetime | None]
    performed_on: Mapped[date | None]
    outcome: Mapped[str | None]
    areas_treated: Mapped[str | None]
    areas_left: Mapped[str | None]
    lock_version: Mapped[int] = mapped_column(default=1)


class Recall(Row):
    """A patient is due back and must be asked. Whether booked or done follows from its session."""

    __tablename__ = "recall"
    id: Mapped[int] = mapped_column(primary_key=True)
    treatment_session_id: Mapped[int] = mapped_column(
        sa.ForeignKey("treatment_session.id", ondelete="CASCADE"), unique=True)
    ask_on: Mapped[date] = mapped_column(index=True)


class RecallAttempt(Row):
    """One time that a patient was asked to come back."""

    __tablename__ = "recall_attempt"
    id: Mapped[int] = mapped_column(primary_key=True)
    recall_id: Mapped[int] = mapped_column(sa.ForeignKey("recall.id", ondelete="CASCADE"), index=True)
    asked_at: Mapped[datetime]
    asked_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    channel: Mapped[str]
    outcome: Mapped[str]


class HandoverNote(Row):
    """What somebody leaves for the next visit of a patient, and who read it. No message ever says it.

    Its words stay as they were read; a note of a course belongs to that course's patient.
    """

    __tablename__ = "handover_note"
    __table_args__ = (
        sa.CheckConstraint("text <> ''", name="text"),
        sa.CheckConstraint("(read_at IS NULL) = (read_by IS NULL)", name="read"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(sa.ForeignKey("patient.id", ondelete="CASCADE"), index=True)
    course_id: Mapped[int | None] = mapped_column(sa.ForeignKey("course.id", ondelete="CASCADE"), index=True)
    text: Mapped[str]
    written_at: Mapped[datetime]
    written_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    read_at: Mapped[datetime | None]
    read_by: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
