"""Locks that a booking takes first, always in one order, so that two bookings never wait for each other."""
from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from clinic.store.courses import Course
from clinic.store.diary import Appointment
from clinic.store.guards import OVERLAP
from clinic.store.resources import Resource


def lock_course(db: Session, course_id: int) -> Course:
    """The course's row, locked: whoever changes anything of a course holds it. Raises NoResultFound."""
    return db.scalars(
        sa.select(Course).where(Course.id == course_id).with_for_update()
        .execution_options(populate_existing=True)).one()


def lock_patients(db: Session, patient_ids: Iterable[int]) -> None:
    """Everything of these patients: visits of no course, courses, then their own rows, each in the order of their ids.

    Whoever ends a visit holds it and then takes courses; whoever changes a course holds it and then takes its patient.
    Nothing may have been written before: what was booked while we waited makes us let go and begin again.
    """
    ids = sorted(set(patient_ids))
    visits = sa.select(Appointment.id).where(
        Appointment.patient_id.in_(ids), Appointment.treatment_session_id.is_(None)).order_by(Appointment.id)
    courses = sa.select(Course.id).where(Course.patient_id.in_(ids)).order_by(Course.id)
    while True:
        taken = [db.scalars(found.with_for_update()).all() for found in (visits, courses)]
        lock_resources(db, ids)
        if taken == [db.scalars(found).all() for found in (visits, courses)]:
            return
        db.rollback()


def lock_resources(db: Session, resource_ids: Iterable[int]) -> None:
    """Locks these resources in the order of their ids. SQLite's one writer holds them all already."""
    # Not FOR UPDATE: a raw insert checks that its resource is there after its row is written. If that had to wait for
    # this lock while we wait for its row, neither could go on.
    db.execute(
        sa.select(Resource.__table__.c.id).where(Resource.__table__.c.id.in_(sorted(set(resource_ids))))
        .order_by(Resource.__table__.c.id).with_for_update(key_share=True))


def lock_appointments(db: Session, appointment_ids: Iterable[int]) -> None:
    """Locks these appointments in the order of their ids, before the first of them is changed."""
    db.execute(
        sa.select(Appointment.id).where(Appointment.id.in_(sorted(set(appointment_ids))))
        .order_by(Appointment.id).with_for_update(key_share=True))


def is_overlap(error: DBAPIError) -> bool:
    """Whether the database refused because a resource is held by something else at that time."""
    return OVERLAP in str(error.orig)
