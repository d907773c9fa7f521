"""What a clinic seldom has, and a screen is about: held dates, a course at rest, a newer version, an edition that was
sent."""
from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.app import Kit
from clinic.services.resting import hold_course
from clinic.services.work import Actor, Done
from clinic.store.accounts import Account
from clinic.store.courses import Course, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.engine import for_writing
from clinic.store.newsletter import Edition, EditionText
from clinic.store.protocols import ProtocolVersion


def add_what_is_rare(kit: Kit, clinic_id: int, shown: int, now: datetime) -> None:
    """One of each, never of the course that the screens are about."""
    with Session(for_writing(kit.engine)) as db:
        held, resting = _courses(db, clinic_id, shown)
        _hold_dates(db, held, now)
        _renew(db, db.get_one(Course, resting), now)
        _send(db, clinic_id, now)
        version = db.get_one(Course, resting).lock_version
        db.commit()
    with kit.work(Actor("screens")) as work:
        assert isinstance(hold_course(work, resting, reason="Abroad until May", lock_version=version), Done)


def _courses(db: Session, clinic_id: int, shown: int) -> tuple[int, int]:
    """A course of which nothing was given yet, and one that is on its way."""
    given = sa.func.sum(sa.case((TreatmentSession.state == "completed", 1), else_=0))
    booked = sa.func.sum(sa.case((TreatmentSession.state == "booked", 1), else_=0))
    of = (sa.select(Course.id).join(TreatmentSession, TreatmentSession.course_id == Course.id)
          .where(Course.clinic_id == clinic_id, Course.state == "active", Course.id != shown)
          .group_by(Course.id).order_by(Course.id).limit(1))
    return (db.scalars(of.having(given == 0, booked == sa.func.count())).one(),
            db.scalars(of.having(given > 0, booked > 0)).one())


def _hold_dates(db: Session, course_id: int, now: datetime) -> None:
    db.get_one(Course, course_id).state = "draft"
    for visit in db.scalars(sa.select(Appointment).join(
            TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
            .where(TreatmentSession.course_id == course_id, Appointment.state == "booked")):
        visit.state, visit.hold_expires_at = "proposed", now + timedelta(days=3)


def _renew(db: Session, course: Course, now: datetime) -> None:
    """The protocol of this course has a newer version since."""
    old = db.get_one(ProtocolVersion, course.protocol_version_id)
    old.state = "retired"
    db.flush()
    db.add(ProtocolVersion(
        protocol_id=old.protocol_id, number=old.number + 1, document=old.document, state="approved", created_at=now,
        approved_by=old.approved_by, approved_at=now))


def _send(db: Session, clinic_id: int, now: datetime) -> None:
    sent = Edition(
        clinic_id=clinic_id, title="Winter", interests=[], state="approved", created_at=now - timedelta(days=60),
        approved_at=now - timedelta(days=50), agreed=8, send_at=now - timedelta(days=50),
        queued_at=now - timedelta(days=50), approved_by=db.scalar(sa.select(sa.func.min(Account.id))))
    db.add(sent)
    db.flush()
    db.add(EditionText(edition_id=sent.id, language="en", subject="Winter skin", blocks=[
        {"heading": "Cold days", "text": "Use a richer cream, and drink enough."}]))
