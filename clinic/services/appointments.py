"""One appointment's life at the desk: booked for an owed session, moved, cancelled, arrived, not treated, not come."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clinic.care.outcomes import NoShowCause, NotTreatedCause
from clinic.care.states import (
    APPOINTMENT_MOVES,
    AppointmentState,
    CourseState,
    MaintenanceState,
    SessionState,
)
from clinic.planning import Finding, Weight
from clinic.planning.local import DAY, day_of, zone
from clinic.queries.missed import effect_of_noshow
from clinic.queries.repair import judged_alone
from clinic.queries.rest_of_course import pin_of, rest_of_course
from clinic.queries.series import Place, Series, series_of
from clinic.queries.visit_choice import VisitChoice
from clinic.services.courses import cancel
from clinic.services.holding import (
    TAKEN,
    Taken,
    change_time,
    expire_holds,
    free,
    new_appointment,
    refresh_windows,
)
from clinic.services.missed import add_sessions
from clinic.services.overrides import keep_reasons, unsettled
from clinic.services.reconcile import Owner, reconcile
from clinic.services.work import Done, Refused, UnitOfWork, check_version, record
from clinic.store.clinics import Clinic
from clinic.store.courses import MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.locks import lock_course, lock_resources


def book_session(
    work: UnitOfWork, treatment_session_id: int, choice: VisitChoice, *, overrides: Mapping[str, str] | None = None
) -> Done[int] | Refused:
    """Books a time for a session that is owed, of a course or of a maintenance plan."""
    row = work.db.get_one(TreatmentSession, treatment_session_id)
    series = locked_series(work, row)
    place = series.place(row.id)
    if row.state != SessionState.OWED or place.appointment is not None:
        return Refused((Finding("not-owed", Weight.BLOCKS, "This session is not waiting for a date any more"),))
    if not _goes_on(series):
        return Refused((Finding("ended", Weight.BLOCKS, "This course is not active"),))
    findings = _judged(work, series, place, choice)
    standing = unsettled(findings, overrides or {})
    if standing:
        return Refused(standing)
    clinic = work.db.get_one(Clinic, series.course.clinic_id)
    try:
        appointment = new_appointment(work, clinic, series.course.patient_id, row, place.step, choice)
    except Taken:
        return Refused((TAKEN,))
    row.state = SessionState.BOOKED
    row.lock_version += 1
    keep_reasons(work, series.course.id, findings, overrides or {}, row.number)
    _settle(work, row, "session-booked", appointment)
    return Done(appointment.id, findings)


def move_appointment(
    work: UnitOfWork, appointment_id: int, choice: VisitChoice, *, lock_version: int,
    overrides: Mapping[str, str] | None = None,
) -> Done[int] | Refused:
    """Gives an appointment a new time, or says what stands in the way."""
    row, series, appointment = _opened(work, appointment_id, lock_version)
    if appointment.state != AppointmentState.BOOKED:
        return Refused((_closed(appointment),))
    if not _goes_on(series):
        return Refused((Finding("ended", Weight.BLOCKS, "This course is not active"),))
    place = series.place(row.id)
    findings = _judged(work, series, place, choice)
    standing = unsettled(findings, overrides or {})
    if standing:
        return Refused(standing)
    clinic = work.db.get_one(Clinic, appointment.clinic_id)
    try:
        change_time(work, clinic, appointment, place.step, choice)
    except Taken:
        return Refused((TAKEN,))
    keep_reasons(work, series.course.id, findings, overrides or {}, row.number)
    _settle(work, row, "appointment-moved", appointment)
    return Done(appointment.id, findings)


def cancel_appointment(
    work: UnitOfWork, appointment_id: int, *, reason: str, lock_version: int
) -> Done[int] | Refused:
    """Cancels an appointment; its session stays owed."""
    row, _, appointment = _opened(work, appointment_id, lock_version)
    if AppointmentState.CANCELLED not in APPOINTMENT_MOVES[AppointmentState(appointment.state)]:
        return Refused((_closed(appointment),))
    cancel(work, appointment, reason)
    _owe_again(row)
    _settle(work, row, "appointment-cancelled", appointment)
    return Done(appointment.id)


def end_untreated(
    work: UnitOfWork, appointment_id: int, *, cause: NotTreatedCause, lock_version: int, details: str = ""
) -> Done[int] | Refused:
    """Notes that the patient came and was not treated: the visit is over, the session stays owed.

    Nothing is said to the patient, who was here and knows. Refused before the appointment's date.
    """
    row, _, appointment = _opened(work, appointment_id, lock_version)
    if AppointmentState.CANCELLED not in APPOINTMENT_MOVES[AppointmentState(appointment.state)]:
        return Refused((_closed(appointment),))
    if day_of(work.now, zone(appointment.zone)) < appointment.local_start.date():
        return Refused((Finding(
            "not-yet", Weight.BLOCKS, "This appointment is on a later date: cancel or move it instead"),))
    _close(work, row, appointment, AppointmentState.CANCELLED, cause)
    appointment.cancellation_reason = details.strip() or None
    _settle(work, row, "appointment-not-treated", appointment, cause=cause.value)
    return Done(appointment.id)


def mark_noshow(
    work: UnitOfWork, appointment_id: int, *, lock_version: int, cause: NoShowCause = NoShowCause.FORGOT
) -> Done[int] | Refused:
    """Notes that the patient did not come, and why; the session stays owed. Refused before the appointment's start.

    The protocol's rule for that cause may add sessions to the course: see `care.outcomes.missed_effect`.
    """
    row, series, appointment = _opened(work, appointment_id, lock_version)
    if AppointmentState.NOSHOW not in APPOINTMENT_MOVES[AppointmentState(appointment.state)]:
        return Refused((_closed(appointment),))
    if work.now < appointment.starts_at:
        return Refused((Finding("not-yet", Weight.BLOCKS, "This appointment has not begun yet: cancel it instead"),))
    effect = effect_of_noshow(work.db, series, row, cause, now=work.now, where=appointment.zone)
    _close(work, row, appointment, AppointmentState.NOSHOW, cause)
    add_sessions(work, series, row, appointment.id, cause, effect)
    _settle(work, row, "appointment-noshow", appointment, cause=cause.value)
    return Done(appointment.id)


def mark_arrived(work: UnitOfWork, appointment_id: int, *, lock_version: int) -> Done[int] | Refused:
    """Notes that the patient is here. Refused on any other date than the appointment's."""
    row, _, appointment = _opened(work, appointment_id, lock_version)
    if AppointmentState.ARRIVED not in APPOINTMENT_MOVES[AppointmentState(appointment.state)]:
        return Refused((_closed(appointment),))
    if day_of(work.now, zone(appointment.zone)) != appointment.local_start.date():
        return Refused((Finding("other-day", Weight.BLOCKS, "This appointment is not today"),))
    appointment.state = AppointmentState.ARRIVED
    appointment.arrived_at = work.now
    _settle(work, row, "appointment-arrived", appointment)
    return Done(appointment.id)


def locked_series(work: UnitOfWork, row: TreatmentSession) -> Series:
    """The session's course or maintenance plan, its course's row locked and read afresh."""
    course_id = row.course_id
    if course_id is None:
        course_id = work.db.get_one(MaintenancePlan, row.maintenance_plan_id).course_id
    lock_course(work.db, course_id)
    expire_holds(work)
    work.db.refresh(row)
    return series_of(work.db, row, now=work.now)


def owner_of(row: TreatmentSession) -> Owner:
    """The course or maintenance plan that owns a session, as the messages name it."""
    if row.course_id is not None:
        return Owner("course", row.course_id)
    assert row.maintenance_plan_id is not None
    return Owner("maintenance-plan", row.maintenance_plan_id)


def _opened(
    work: UnitOfWork, appointment_id: int, lock_version: int
) -> tuple[TreatmentSession, Series, Appointment]:
    appointment = work.db.get_one(Appointment, appointment_id)
    row = work.db.get_one(TreatmentSession, appointment.treatment_session_id)
    series = locked_series(work, row)
    work.db.refresh(appointment)
    check_version("appointment", appointment, lock_version)
    return row, series, appointment


def _close(
    work: UnitOfWork, row: TreatmentSession, appointment: Appointment, state: AppointmentState,
    cause: NotTreatedCause | NoShowCause,
) -> None:
    """Ends an appointment at which nothing was done. Its time is past: to the patient no date changes."""
    free(work, [appointment.id])
    appointment.state = state
    appointment.ended_cause = cause.value
    appointment.closed_at = work.now
    _owe_again(row)


def _owe_again(row: TreatmentSession) -> None:
    row.state = SessionState.OWED
    row.lock_version += 1


def _goes_on(series: Series) -> bool:
    if series.plan is not None:
        return series.plan.state == MaintenanceState.ACTIVE
    return series.course.state == CourseState.ACTIVE


def _judged(work: UnitOfWork, series: Series, place: Place, choice: VisitChoice) -> tuple[Finding, ...]:
    if choice.number != place.row.number:
        return (Finding("visits", Weight.BLOCKS, "This time was offered for another session"),)
    lock_resources(work.db, [series.course.patient_id, *choice.resource_ids])
    # No further than the choice, for everybody else waits while we read: the next day, whichever zone it is.
    rest = rest_of_course(work.db, series, now=work.now, until_on=choice.starts_at.date() + DAY)
    return judged_alone(rest, choice.number, pin_of(choice), rest.before)


def _settle(work: UnitOfWork, row: TreatmentSession, action: str, appointment: Appointment, **facts: Any) -> None:
    """What follows every change of an appointment: windows, audit, messages, one commit."""
    work.db.flush()
    series = series_of(work.db, row, now=work.now)
    refresh_windows(series, series.windows())
    record(work, action, "appointment", appointment.id, clinic_id=appointment.clinic_id, **facts)
    reconcile(work, owner_of(row))
    work.commit()


def _closed(appointment: Appointment) -> Finding:
    return Finding("closed", Weight.BLOCKS, f"This appointment is {appointment.state}: it cannot be changed so")
