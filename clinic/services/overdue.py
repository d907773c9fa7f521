"""Sessions whose window closed without a date: nobody is written to any more, a person is asked to call."""
from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from clinic.care.owner_facts import Owner
from clinic.care.states import CourseState, SessionState
from clinic.planning.local import day_of, zone
from clinic.planning.words import date_words
from clinic.services.work import UnitOfWork, record
from clinic.store.accounts import AuditEntry, Task
from clinic.store.claims import lock_owner
from clinic.store.clinics import Clinic
from clinic.store.courses import Course, TreatmentSession

ASKED = "session-overdue"
"""Under what name it is kept that a call was asked for."""


def ask_to_call(work: UnitOfWork, *, limit: int = 50) -> int:
    """Opens a task for each course whose next session has passed its window without a date; how many.

    Once for each window: a session whose window moves and passes again is asked about again. Safe to run twice and in
    parallel. Upkeep is asked about by its recall alone.
    """
    opened = 0
    for clinic_id, today in _todays(work).items():
        for session_id, course_id in _overdue(work, clinic_id, today)[:limit]:
            if lock_owner(work.db, Owner("course", course_id), skip_locked=True):
                opened += _ask(work, session_id, course_id, today)
    work.commit()
    return opened


def _todays(work: UnitOfWork) -> dict[int, date]:
    rows = work.db.execute(sa.select(Clinic.id, Clinic.zone).order_by(Clinic.id))
    return {row.id: day_of(work.now, zone(row.zone)) for row in rows}


def _overdue(
    work: UnitOfWork, clinic_id: int, today: date, *, course_id: int | None = None
) -> list[tuple[int, int]]:
    """The first session without a date of each living course, where its window is over and nobody was asked since."""
    earlier = sa.orm.aliased(TreatmentSession)
    first = sa.select(sa.func.min(earlier.number)).where(
        earlier.course_id == Course.id, earlier.state == SessionState.OWED).scalar_subquery()
    asked_at = sa.select(sa.func.max(AuditEntry.at)).where(
        AuditEntry.subject_kind == "treatment_session", AuditEntry.subject_id == TreatmentSession.id,
        AuditEntry.action == ASKED).scalar_subquery()
    rows = work.db.execute(
        sa.select(TreatmentSession.id, Course.id, TreatmentSession.latest_on, asked_at, Clinic.zone)
        .join(Course, Course.id == TreatmentSession.course_id).join(Clinic, Clinic.id == Course.clinic_id)
        .where(TreatmentSession.state == SessionState.OWED, TreatmentSession.latest_on < today,
               TreatmentSession.number == first, Course.state == CourseState.ACTIVE, Course.clinic_id == clinic_id,
               Course.id == course_id if course_id else sa.true())
        .order_by(TreatmentSession.latest_on, TreatmentSession.id))
    return [(session_id, found_in) for session_id, found_in, latest_on, at, where in rows
            if at is None or latest_on is None or day_of(at, zone(where)) <= latest_on]


def _ask(work: UnitOfWork, session_id: int, course_id: int, today: date) -> int:
    """Opens the task, if what was read still holds now that the course is ours."""
    work.db.expire_all()
    course = work.db.get_one(Course, course_id)
    if (session_id, course_id) not in _overdue(work, course.clinic_id, today, course_id=course_id):
        return 0
    row = work.db.get_one(TreatmentSession, session_id)
    assert row.latest_on is not None  # it has passed
    work.db.add(Task(
        clinic_id=course.clinic_id, patient_id=course.patient_id, kind="call", due_on=today, created_at=work.now,
        text=f"Call the patient: session {row.number} was due by {date_words(row.latest_on)} and has no date."))
    record(work, ASKED, "treatment_session", row.id, clinic_id=course.clinic_id)
    work.db.flush()
    return 1
