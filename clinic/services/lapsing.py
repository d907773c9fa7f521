"""Holds whose time is up: each is ended under the lock of its own course, which then stands as if it had never been."""
from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from clinic.care.owner_facts import Owner
from clinic.care.states import AppointmentState, CourseState, SessionState
from clinic.planning.local import day_of, zone
from clinic.queries.diary_facts import ACTIVE
from clinic.queries.series import course_series, maintenance_series
from clinic.services.holding import cancel, refresh_windows
from clinic.services.reconcile import reconcile
from clinic.services.work import UnitOfWork, record
from clinic.store.claims import lock_owner
from clinic.store.clinics import Clinic
from clinic.store.courses import Course, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.locks import lock_appointments

EXPIRED = "hold-expired"
"""Why an appointment was cancelled, or a course ended, whose hold ran out."""
BATCH = 50


def lapse_holds(work: UnitOfWork) -> int:
    """Ends the holds that have run out, course by course, each in a commit of its own; how many.

    A course that somebody holds is left to them, or to the next time.
    """
    ended = 0
    for owner in _owners_of_lapsed(work):
        if lock_owner(work.db, owner, skip_locked=True):
            ended += lapse(work, owner)
            _put_right(work, owner)
        work.commit()
    return ended


def lapse(work: UnitOfWork, owner: Owner) -> int:
    """Ends the lapsed holds of an owner whose row is locked, without a commit; how many.

    Their sessions are owed again. A course of which nothing is held any more ends: it was never begun.
    """
    found = work.db.scalars(
        sa.select(Appointment)
        .outerjoin(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
        .where(Appointment.state == AppointmentState.PROPOSED, Appointment.hold_expires_at <= work.now, _whose(owner))
        .order_by(Appointment.id)).all()
    if not found:
        return 0
    lock_appointments(work.db, [each.id for each in found])
    for appointment in found:
        cancel(work, appointment, EXPIRED)
        record(work, EXPIRED, "appointment", appointment.id, clinic_id=appointment.clinic_id)
        if appointment.treatment_session_id is not None:
            row = work.db.get_one(TreatmentSession, appointment.treatment_session_id)
            row.state, row.lock_version = SessionState.OWED, row.lock_version + 1
    work.db.flush()
    if owner.kind == "course":
        _end_unbegun(work, owner.id)
    return len(found)


def _end_unbegun(work: UnitOfWork, course_id: int) -> None:
    course = work.db.get_one(Course, course_id)
    rows: Sequence[TreatmentSession] = work.db.scalars(
        sa.select(TreatmentSession).where(TreatmentSession.course_id == course_id)).all()
    still_held = sa.select(Appointment.id).where(
        Appointment.treatment_session_id.in_([row.id for row in rows]), Appointment.state.in_(ACTIVE))
    if course.state != CourseState.DRAFT or work.db.scalar(still_held.limit(1)) is not None:
        return
    for row in rows:
        row.state, row.lock_version = SessionState.NOT_DONE, row.lock_version + 1
    course.state, course.ended_reason, course.lock_version = CourseState.REVOKED, EXPIRED, course.lock_version + 1
    course.ended_on = day_of(work.now, zone(work.db.get_one(Clinic, course.clinic_id).zone))
    record(work, "course-lapsed", "course", course.id, clinic_id=course.clinic_id)
    work.db.flush()


def _put_right(work: UnitOfWork, owner: Owner) -> None:
    if owner.kind != "appointment":
        series = (course_series if owner.kind == "course" else maintenance_series)(work.db, owner.id, now=work.now)
        refresh_windows(series, series.windows())
        work.db.flush()
    reconcile(work, owner)


def _whose(owner: Owner) -> sa.ColumnElement[bool]:
    if owner.kind == "course":
        return TreatmentSession.course_id == owner.id
    if owner.kind == "maintenance-plan":
        return TreatmentSession.maintenance_plan_id == owner.id
    return Appointment.id == owner.id


def _owners_of_lapsed(work: UnitOfWork) -> list[Owner]:
    rows = work.db.execute(
        sa.select(TreatmentSession.course_id, TreatmentSession.maintenance_plan_id, Appointment.id)
        .select_from(Appointment)
        .outerjoin(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
        .where(Appointment.state == AppointmentState.PROPOSED, Appointment.hold_expires_at <= work.now)
        .order_by(Appointment.hold_expires_at, Appointment.id).limit(BATCH)).all()
    owners = [
        Owner("course", course_id) if course_id else Owner("maintenance-plan", plan_id) if plan_id
        else Owner("appointment", appointment_id)
        for course_id, plan_id, appointment_id in rows]
    return list(dict.fromkeys(owners))
