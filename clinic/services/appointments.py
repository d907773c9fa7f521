"""A time for the patient: booked for an owed session, moved, cancelled."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from clinic.care.states import APPOINTMENT_MOVES, AppointmentState, CourseState, MaintenanceState, SessionState
from clinic.planning import Finding, Weight
from clinic.planning.local import DAY, day_of, zone
from clinic.planning.words import date_words
from clinic.queries.just_moved import MOVED, former_of
from clinic.queries.notice import asked_off_at
from clinic.queries.other_visits import wish_of
from clinic.queries.repair import judged_alone
from clinic.queries.rest_of_course import pin_of, rest_of_course
from clinic.queries.series import Place, Series
from clinic.queries.visit_choice import VisitChoice
from clinic.services.holding import (
    TAKEN,
    Taken,
    cancel,
    change_time,
    free_lapsed,
    new_appointment,
    purpose_of,
)
from clinic.services.locked_appointments import (
    About,
    Opened,
    closed,
    follow,
    locked_series,
    open_appointment,
    owe_again,
    parts_of,
)
from clinic.services.overrides import gone_past, keep_reasons, unsettled
from clinic.services.visits import judged_visit
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.store.clinics import Clinic
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.locks import lock_resources


def book_session(
    work: UnitOfWork, treatment_session_id: int, choice: VisitChoice, *, overrides: Mapping[str, str] | None = None
) -> Done[int] | Refused:
    """Books a time for a session that is owed, of a course or of a maintenance plan."""
    outcome = lay_session(work, treatment_session_id, choice, overrides=overrides)
    if isinstance(outcome, Done):
        work.commit()
    return outcome


def lay_session(
    work: UnitOfWork, treatment_session_id: int, choice: VisitChoice, *, overrides: Mapping[str, str] | None = None
) -> Done[int] | Refused:
    """The same without the commit, for whoever books more than that."""
    row = work.db.get_one(TreatmentSession, treatment_session_id)
    series = locked_series(work, row)
    place = series.place(row.id)
    if row.state != SessionState.OWED or place.appointment is not None:
        return Refused((Finding("not-owed", Weight.BLOCKS, "This session is not waiting for a date any more"),))
    if not _goes_on(series):
        return Refused((_not_going_on(series),))
    findings = _judged(work, series, place, choice)
    standing = unsettled(findings, overrides or {})
    if standing:
        return Refused(standing)
    clinic = work.db.get_one(Clinic, series.course.clinic_id)
    try:
        appointment = new_appointment(work, clinic, series.course.patient_id, purpose_of(row, place.step), choice)
    except Taken:
        return Refused((TAKEN,))
    row.state = SessionState.BOOKED
    row.lock_version += 1
    keep_reasons(work, series.course.id, findings, overrides or {}, row.number)
    follow(work, Opened(appointment, About(row, series)), "session-booked")
    return Done(appointment.id, findings)


def move_appointment(
    work: UnitOfWork, appointment_id: int, choice: VisitChoice, *, lock_version: int,
    overrides: Mapping[str, str] | None = None, by_clinic: bool = False,
) -> Done[int] | Refused:
    """Gives an appointment a new time, or says what stands in the way. `by_clinic`: the clinic is the cause.

    One that is there already is left alone: nobody is told, and the move before it can still be taken back.
    """
    outcome = lay_elsewhere(
        work, appointment_id, choice, lock_version=lock_version, overrides=overrides, by_clinic=by_clinic)
    if isinstance(outcome, Done):
        work.commit()
    return outcome


def lay_elsewhere(
    work: UnitOfWork, appointment_id: int, choice: VisitChoice, *, lock_version: int,
    overrides: Mapping[str, str] | None = None, by_clinic: bool = False,
) -> Done[int] | Refused:
    """The same without the commit, for whoever changes more than that."""
    opened = open_appointment(work, appointment_id, lock_version)
    appointment, about = opened.appointment, opened.about
    wrong = _not_movable(opened, choice)
    if wrong is not None:
        return Refused((wrong,))
    findings = _judged(work, about.series, about.place, choice) if about else judged_visit(
        work, wish_of(appointment), choice)
    standing = unsettled(findings, overrides or {})
    if standing:
        return Refused(standing)
    clinic, former = work.db.get_one(Clinic, appointment.clinic_id), former_of(work.db, appointment, choice.number)
    if former and former.choice.is_same_place(choice):
        return Done(appointment.id, findings)
    try:
        change_time(work, clinic, appointment, parts_of(work, opened), choice, by_clinic=by_clinic)
    except Taken:
        return Refused((TAKEN,))
    if about:
        keep_reasons(work, about.series.course.id, findings, overrides or {}, about.row.number)
    kept = former.document(appointment.revision) if former else {}
    follow(work, opened, MOVED, **kept, **({} if about else gone_past(findings)))
    return Done(appointment.id, findings)


def cancel_appointment(
    work: UnitOfWork, appointment_id: int, *, reason: str, lock_version: int, by_clinic: bool = False
) -> Done[int] | Refused:
    """Cancels an appointment, `by_clinic` where the clinic is the cause; its session, if it is for one, stays owed."""
    outcome = lay_off(work, appointment_id, reason=reason, lock_version=lock_version, by_clinic=by_clinic)
    if isinstance(outcome, Done):
        work.commit()
    return outcome


def lay_off(
    work: UnitOfWork, appointment_id: int, *, reason: str, lock_version: int, by_clinic: bool = False
) -> Done[int] | Refused:
    """The same without the commit, for whoever cancels more than that."""
    opened = open_appointment(work, appointment_id, lock_version)
    appointment = opened.appointment
    if AppointmentState.CANCELLED not in APPOINTMENT_MOVES[AppointmentState(appointment.state)]:
        return Refused((closed(appointment),))
    if _is_last_held(opened):
        return Refused((Finding("last-held", Weight.BLOCKS, "This is the last date that is held for this course: stop "
                                "the course instead, or move the date"),))
    cancel(work, appointment, reason, by_clinic=by_clinic)
    owe_again(opened)
    asked_at = work.db.scalar(sa.select(asked_off_at(Appointment)).where(Appointment.id == appointment.id))
    follow(work, opened, "appointment-cancelled", **({"asked_at": asked_at.isoformat()} if asked_at else {}))
    return Done(appointment.id)


def _not_movable(opened: Opened, choice: VisitChoice) -> Finding | None:
    appointment, about = opened.appointment, opened.about
    if appointment.state not in (AppointmentState.BOOKED, AppointmentState.PROPOSED):
        return closed(appointment)
    if about is None:
        return None
    held_until_at = appointment.hold_expires_at
    if held_until_at is None:
        return None if _goes_on(about.series) else _not_going_on(about.series)
    if choice.starts_at < held_until_at:
        return Finding("before-consultation", Weight.BLOCKS, "The dates of this course are held subject to a "
                       f"consultation, until {_last_day(held_until_at, appointment.zone)}: choose a later date, or "
                       "confirm the dates first")
    return None


def _last_day(until_at: datetime, where: str) -> str:
    return date_words(day_of(until_at, zone(where)) - DAY)


def _is_last_held(opened: Opened) -> bool:
    if opened.about is None or opened.about.series.course.state != CourseState.DRAFT:
        return False
    return sum(place.appointment is not None for place in opened.about.series.places) == 1


def _goes_on(series: Series) -> bool:
    if series.plan is not None:
        return series.plan.state == MaintenanceState.ACTIVE
    return series.course.state == CourseState.ACTIVE


def _not_going_on(series: Series) -> Finding:
    if series.course.state == CourseState.DRAFT:
        return Finding("held", Weight.BLOCKS, "The dates of this course are held subject to a consultation: confirm "
                       "them first")
    return Finding("ended", Weight.BLOCKS, "This course is not active")


def _judged(work: UnitOfWork, series: Series, place: Place, choice: VisitChoice) -> tuple[Finding, ...]:
    if choice.number != place.row.number:
        return (Finding("visits", Weight.BLOCKS, "This time was offered for another session"),)
    wanted = [series.course.patient_id, *choice.resource_ids]
    lock_resources(work.db, wanted)
    free_lapsed(work, wanted)
    # No further than the choice, for everybody else waits while we read: the next day, whichever zone it is.
    rest = rest_of_course(work.db, series, now=work.now, until_on=choice.starts_at.date() + DAY)
    return judged_alone(rest, choice.number, pin_of(choice), rest.before)
