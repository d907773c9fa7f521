"""What a missed session means for its course, as the rows stand: asked before it is noted, and when it is."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.outcomes import MissedEffect, MissedRule, NoShowCause, missed_effect
from clinic.care.states import AppointmentState, CourseState, SessionState
from clinic.planning.local import DAY, day_of, zone
from clinic.queries.series import Series
from clinic.store.courses import CourseOverride, TreatmentSession
from clinic.store.diary import Appointment

MISSED = "missed"
"""The code under which a course keeps that sessions were added for a missed one."""


@dataclass(frozen=True, slots=True)
class EarlierNoShow:
    """A visit for a session that the patient missed, and why."""

    appointment_id: int
    cause: NoShowCause


def effect_of_noshow(
    db: Session, series: Series, row: TreatmentSession, cause: NoShowCause, *, now: datetime, where: str
) -> MissedEffect:
    """What follows if it is noted now that the patient did not come to this session."""
    return _effect(db, series, row, cause, given_from=day_of(now, zone(where)) + DAY)


def effect_of_lateness(
    db: Session, series: Series, row: TreatmentSession, performed_on: date
) -> tuple[EarlierNoShow, MissedEffect] | None:
    """What follows if a session that the patient missed before is given on that date; none where nothing is added."""
    missed = _missed_before(db, row.id)
    if missed is None:
        return None
    effect = _effect(db, series, row, missed.cause, given_from=performed_on)
    return (missed, effect) if effect.added else None


def _effect(
    db: Session, series: Series, row: TreatmentSession, cause: NoShowCause, *, given_from: date
) -> MissedEffect:
    if cause is not NoShowCause.BY_CLINIC and _is_counted(db, series, row):
        return MissedEffect(0, MissedRule.KEEP, "The session stays owed. It was missed before: nothing more is added.")
    completed = sum(
        place.row.state == SessionState.COMPLETED for place in series.places if place.row.id != row.id)
    return missed_effect(
        series.protocol.missed, cause, latest_on=_latest_on(series, row), given_from=given_from, completed=completed)


def _latest_on(series: Series, row: TreatmentSession) -> date | None:
    """The last date of the session's window where passing it matters: in a course that goes on."""
    if series.plan is not None or series.course.state != CourseState.ACTIVE:
        return None
    window = next(
        window for place, window in zip(series.places, series.windows(), strict=True) if place.row.id == row.id)
    return window.latest_on if window else None


def _is_counted(db: Session, series: Series, row: TreatmentSession) -> bool:
    """Whether sessions were added for this one already: a session is missed once, however often nobody comes."""
    kept = db.scalars(sa.select(CourseOverride.value).where(
        CourseOverride.course_id == series.course.id, CourseOverride.code == MISSED))
    return any(value.get("treatment_session") == row.id for value in kept)


def _missed_before(db: Session, treatment_session_id: int) -> EarlierNoShow | None:
    """The last visit for the session that the patient missed through no fault of the clinic."""
    found = db.execute(
        sa.select(Appointment.id, Appointment.ended_cause)
        .where(Appointment.treatment_session_id == treatment_session_id, Appointment.state == AppointmentState.NOSHOW,
               Appointment.ended_cause != NoShowCause.BY_CLINIC.value)
        .order_by(Appointment.id.desc()).limit(1)).one_or_none()
    return EarlierNoShow(found.id, NoShowCause(found.ended_cause)) if found else None
