"""The courses, maintenance plans and other visits that may owe a message still."""
from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from clinic.care.states import AppointmentState, CourseState, MaintenanceState, MessageState
from clinic.store.courses import Course, MaintenancePlan
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageItem

RECENT = timedelta(days=30)
"""A course that ended longer ago owes nothing that is not in its rows already."""


def living_courses(now: datetime) -> sa.Select[int]:
    """Those that run, whose dates are held, that ended lately, or that still have something to say."""
    return sa.select(Course.id).where(sa.or_(
        Course.state.in_((CourseState.ACTIVE, CourseState.DRAFT)), Course.ended_on >= (now - RECENT).date(),
        _has_waiting("course", Course.id),
    )).order_by(Course.id)


def living_plans() -> sa.Select[int]:
    """Those that run, or still have something to say."""
    return sa.select(MaintenancePlan.id).where(sa.or_(
        MaintenancePlan.state == MaintenanceState.ACTIVE, _has_waiting("maintenance-plan", MaintenancePlan.id),
    )).order_by(MaintenancePlan.id)


def other_visits(now: datetime) -> sa.Select[int]:
    """Visits for no treatment session that are to come, ended lately, or still have something to say."""
    return sa.select(Appointment.id).where(
        Appointment.treatment_session_id.is_(None),
        sa.or_(Appointment.state.in_((AppointmentState.BOOKED, AppointmentState.ARRIVED)),
               Appointment.closed_at >= now - RECENT, _has_waiting("appointment", Appointment.id)),
    ).order_by(Appointment.id)


def _has_waiting(kind: str, owner_id: sa.ColumnElement[int] | sa.orm.InstrumentedAttribute[int]) -> sa.Exists:
    return sa.exists().where(
        MessageItem.owner_kind == kind, MessageItem.owner_id == owner_id, Message.id == MessageItem.message_id,
        Message.state.in_((MessageState.PENDING, MessageState.HELD)),
    )
