"""Sessions that a course gets for a missed one, as its protocol says."""
from __future__ import annotations

from clinic.care.outcomes import MissedEffect, NoShowCause
from clinic.care.protocols import steps_for
from clinic.care.states import SessionState
from clinic.queries.missed import MISSED
from clinic.queries.series import Series
from clinic.services.work import UnitOfWork, record
from clinic.store.courses import CourseOverride, TreatmentSession


def add_sessions(
    work: UnitOfWork, series: Series, row: TreatmentSession, appointment_id: int, cause: NoShowCause,
    effect: MissedEffect,
) -> None:
    """Adds what the effect says at the end of the course, owed and undated, and keeps why. No commit."""
    if not effect.added:
        return
    last = max(place.row.number for place in series.places)
    work.db.add_all(
        TreatmentSession(course_id=series.course.id, number=step.number, treatment_code=step.treatment,
                         state=SessionState.OWED)
        for step in steps_for(series.protocol, last + effect.added)[last:])
    work.db.add(CourseOverride(
        course_id=series.course.id, code=MISSED, reason=effect.text, made_at=work.now,
        made_by=work.actor.account_id, value={
            "finding": f"Session {row.number} was missed", "treatment_session": row.id,
            "appointment": appointment_id, "cause": cause.value, "rule": effect.rule.value, "added": effect.added}))
    work.db.flush()
    record(work, "course-extended", "course", series.course.id, clinic_id=series.course.clinic_id,
           sessions=effect.added, cause=cause.value, rule=effect.rule.value)
