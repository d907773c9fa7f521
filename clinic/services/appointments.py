"""One appointment's life at the desk: booked for an owed session, moved, cancelled, arrived, not treated, not come.

A visit that belongs to no course takes the same way, with no series to keep in order.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clinic.care.outcomes import NoShowCause, NotTreatedCause
from clinic.care.parts import Part
from clinic.care.states import (
    APPOINTMENT_MOVES,
    AppointmentState,
    CourseState,
    MaintenanceState,
    SessionState,
)
from clinic.planning import Finding, Weight
from clinic.planning.local import DAY, day_of, zone
from clinic.planning.words import date_words
from clinic.queries.just_moved import MOVED, former_of
from clinic.queries.missed import effect_of_noshow
from clinic.queries.other_visits import visit_type, wish_of
from clinic.queries.repair import judged_alone
from clinic.queries.rest_of_course import pin_of, rest_of_course
from clinic.queries.series import Place, Series, series_of
from clinic.queries.visit_choice import VisitChoice
from clinic.services.courses import cancel
from clinic.services.holding import (
    TAKEN,
    Taken,
    change_time,
    free,
    free_lapsed,
    new_appointment,
    purpose_of,
    refresh_windows,
)
from clinic.services.lapsing import lapse
from clinic.services.missed import add_sessions
from clinic.services.overrides import keep_reasons, unsettled
from clinic.services.reconcile import Owner, reconcile
from clinic.services.visits import judged_visit
from clinic.services.work import Done, Refused, UnitOfWork, check_version, record
from clinic.store.claims import lock_owner
from clinic.store.clinics import Clinic
from clinic.store.courses import MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.locks import lock_course, lock_resources


@dataclass(frozen=True, slots=True)
class About:
    """The treatment session that an appointment is for, among the others of its course or maintenance plan."""

    row: TreatmentSession
    series: Series

    @property
    def place(self) -> Place:
        """Its place in the series."""
        return self.series.place(self.row.id)


@dataclass(frozen=True, slots=True)
class Opened:
    """An appointment that is about to change; a visit that belongs to no course is about no session."""

    appointment: Appointment
    about: About | None


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
    _follow(work, Opened(appointment, About(row, series)), "session-booked")
    return Done(appointment.id, findings)


def move_appointment(
    work: UnitOfWork, appointment_id: int, choice: VisitChoice, *, lock_version: int,
    overrides: Mapping[str, str] | None = None, by_clinic: bool = False,
) -> Done[int] | Refused:
    """Gives an appointment a new time, or says what stands in the way. `by_clinic`: the clinic is the cause."""
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
    try:
        change_time(work, clinic, appointment, parts_of(work, opened), choice, by_clinic=by_clinic)
    except Taken:
        return Refused((TAKEN,))
    if about:
        keep_reasons(work, about.series.course.id, findings, overrides or {}, about.row.number)
    _follow(work, opened, MOVED, **(former.document(appointment.revision) if former else {}))
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
    _owe_again(opened)
    _follow(work, opened, "appointment-cancelled")
    return Done(appointment.id)


def end_untreated(
    work: UnitOfWork, appointment_id: int, *, cause: NotTreatedCause, lock_version: int, details: str = ""
) -> Done[int] | Refused:
    """Notes that the patient came and was not treated: the visit is over, the session stays owed.

    Nothing is said to the patient, who was here and knows. Refused before the appointment's date.
    """
    opened = open_appointment(work, appointment_id, lock_version)
    appointment = opened.appointment
    if AppointmentState.CANCELLED not in APPOINTMENT_MOVES[AppointmentState(appointment.state)]:
        return Refused((closed(appointment),))
    if day_of(work.now, zone(appointment.zone)) < appointment.local_start.date():
        return Refused((Finding(
            "not-yet", Weight.BLOCKS, "This appointment is on a later date: cancel or move it instead"),))
    _close(work, opened, AppointmentState.CANCELLED, cause)
    appointment.cancellation_reason = details.strip() or None
    settle_appointment(work, opened, "appointment-not-treated", cause=cause.value)
    return Done(appointment.id)


def mark_noshow(
    work: UnitOfWork, appointment_id: int, *, lock_version: int, cause: NoShowCause = NoShowCause.FORGOT
) -> Done[int] | Refused:
    """Notes that the patient did not come, and why; the session stays owed. Refused before the appointment's start.

    The protocol's rule for that cause may add sessions to the course: see `care.outcomes.missed_effect`.
    """
    opened = open_appointment(work, appointment_id, lock_version)
    appointment, about = opened.appointment, opened.about
    if AppointmentState.NOSHOW not in APPOINTMENT_MOVES[AppointmentState(appointment.state)]:
        return Refused((closed(appointment),))
    if work.now < appointment.starts_at:
        return Refused((Finding("not-yet", Weight.BLOCKS, "This appointment has not begun yet: cancel it instead"),))
    effect = about and effect_of_noshow(work.db, about.series, about.row, cause, now=work.now, where=appointment.zone)
    _close(work, opened, AppointmentState.NOSHOW, cause)
    if about and effect:
        add_sessions(work, about.series, about.row, appointment.id, cause, effect)
    settle_appointment(work, opened, "appointment-noshow", cause=cause.value)
    return Done(appointment.id)


def mark_arrived(work: UnitOfWork, appointment_id: int, *, lock_version: int) -> Done[int] | Refused:
    """Notes that the patient is here. Refused on any other date than the appointment's."""
    opened = open_appointment(work, appointment_id, lock_version)
    appointment = opened.appointment
    if AppointmentState.ARRIVED not in APPOINTMENT_MOVES[AppointmentState(appointment.state)]:
        return Refused((closed(appointment),))
    if day_of(work.now, zone(appointment.zone)) != appointment.local_start.date():
        return Refused((Finding("other-day", Weight.BLOCKS, "This appointment is not today"),))
    appointment.state = AppointmentState.ARRIVED
    appointment.arrived_at = work.now
    settle_appointment(work, opened, "appointment-arrived")
    return Done(appointment.id)


def locked_series(work: UnitOfWork, row: TreatmentSession) -> Series:
    """The session's course or maintenance plan, its course's row locked and read afresh."""
    course_id = row.course_id
    if course_id is None:
        course_id = work.db.get_one(MaintenancePlan, row.maintenance_plan_id).course_id
    lock_course(work.db, course_id)
    lapse(work, owner_of(row))
    work.db.refresh(row)
    return series_of(work.db, row, now=work.now)


def owner_of(row: TreatmentSession) -> Owner:
    """The course or maintenance plan that owns a session, as the messages name it."""
    if row.course_id is not None:
        return Owner("course", row.course_id)
    assert row.maintenance_plan_id is not None
    return Owner("maintenance-plan", row.maintenance_plan_id)


def open_appointment(work: UnitOfWork, appointment_id: int, lock_version: int) -> Opened:
    """The appointment with what it is for, locked and read afresh; Stale where it has moved on since it was shown."""
    appointment = work.db.get_one(Appointment, appointment_id)
    about = None
    if appointment.treatment_session_id is None:
        lock_owner(work.db, Owner("appointment", appointment_id))
    else:
        row = work.db.get_one(TreatmentSession, appointment.treatment_session_id)
        about = About(row, locked_series(work, row))
    work.db.refresh(appointment)
    check_version("appointment", appointment, lock_version)
    return Opened(appointment, about)


def settle_appointment(work: UnitOfWork, opened: Opened, action: str, **facts: Any) -> None:
    """What follows every change of an appointment: windows, audit, messages, one commit."""
    _follow(work, opened, action, **facts)
    work.commit()


def _follow(work: UnitOfWork, opened: Opened, action: str, **facts: Any) -> None:
    work.db.flush()
    appointment, owner = opened.appointment, Owner("appointment", opened.appointment.id)
    if opened.about:
        series = series_of(work.db, opened.about.row, now=work.now)
        refresh_windows(series, series.windows())
        owner = owner_of(opened.about.row)
    record(work, action, "appointment", appointment.id, clinic_id=appointment.clinic_id, **facts)
    reconcile(work, owner)


def closed(appointment: Appointment) -> Finding:
    """Why an appointment in that state cannot be changed as was asked."""
    return Finding("closed", Weight.BLOCKS, f"This appointment is {appointment.state}: it cannot be changed so")


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


def parts_of(work: UnitOfWork, opened: Opened) -> tuple[Part, ...]:
    """The parts that the visit is made of: those of its protocol version, or those of its treatment as it now is."""
    if opened.about:
        return opened.about.place.step.parts
    asked = visit_type(work.db, opened.appointment.treatment_code)
    assert asked is not None  # it was judged by them just now
    return asked.parts


def _close(
    work: UnitOfWork, opened: Opened, state: AppointmentState, cause: NotTreatedCause | NoShowCause
) -> None:
    """Ends an appointment at which nothing was done. Its time is past: to the patient no date changes."""
    appointment = opened.appointment
    free(work, [appointment.id])
    appointment.state = state
    appointment.ended_cause = cause.value
    appointment.closed_at = work.now
    _owe_again(opened)


def _owe_again(opened: Opened) -> None:
    if opened.about:
        opened.about.row.state = SessionState.OWED
        opened.about.row.lock_version += 1


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
