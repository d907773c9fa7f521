"""Consultations and what waits for them: a visit that took place, and dates that were held until then."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from clinic.care.consultations import hold_span, missing_consultation, outside_span
from clinic.care.parts import needs_of
from clinic.care.states import APPOINTMENT_MOVES, AppointmentState, CourseState
from clinic.planning import Finding, Weight
from clinic.planning.local import DAY, day_of, instant, zone
from clinic.queries.consultations import CONSULTATION, consultations_of, held_courses
from clinic.queries.forbidden import forbidden
from clinic.queries.series import Place, Series, course_series, held_by
from clinic.services.holding import refresh_windows
from clinic.services.locked_appointments import closed, open_appointment, settle_appointment
from clinic.services.overrides import keep_reasons, not_entitled, unsettled
from clinic.services.reconcile import Owner, reconcile
from clinic.services.work import Done, Refused, UnitOfWork, check_version, record
from clinic.store.clinics import Clinic
from clinic.store.diary import Appointment
from clinic.store.locks import lock_appointments, lock_course

NOT_HELD = Finding("not-held", Weight.BLOCKS, "No dates of this course are held any more")
GONE = Finding("taken", Weight.BLOCKS, "The hold has run out, and one of these dates is somebody else's by now: stop "
               "the course and plan it anew")


def complete_visit(work: UnitOfWork, appointment_id: int, *, lock_version: int) -> Done[int] | Refused:
    """Notes that a visit of no course took place. A consultation confirms the dates that waited for it."""
    opened = open_appointment(work, appointment_id, lock_version)
    appointment = opened.appointment
    if AppointmentState.FULFILLED not in APPOINTMENT_MOVES[AppointmentState(appointment.state)]:
        return Refused((closed(appointment),))
    if opened.about is not None:
        return Refused((Finding("session", Weight.BLOCKS, "A session is completed on the page of its course"),))
    if day_of(work.now, zone(appointment.zone)) < appointment.local_start.date():
        return Refused((Finding("not-yet", Weight.BLOCKS, "A visit cannot be completed before its day"),))
    appointment.state, appointment.closed_at = AppointmentState.FULFILLED, work.now
    work.db.flush()
    if appointment.kind == CONSULTATION:
        for held in held_courses(work.db, appointment.patient_id, now=work.now):
            _confirm_if_held(work, held.id)
    settle_appointment(work, opened, "visit-completed", kind=appointment.kind)
    return Done(appointment.id)


def confirm_dates(
    work: UnitOfWork, course_id: int, *, lock_version: int, overrides: Mapping[str, str] | None = None
) -> Done[int] | Refused:
    """Books the dates that a course holds: from now on it runs. Without a consultation it needs a reason."""
    course = lock_course(work.db, course_id)
    check_version("course", course, lock_version)
    series = course_series(work.db, course_id, now=work.now)
    if not _held(series):
        return Refused((NOT_HELD,))
    today = day_of(work.now, zone(work.db.get_one(Clinic, course.clinic_id).zone))
    known = consultations_of(work.db, course.patient_id, course.protocol_version_id, today=today)
    findings = () if known.counts(today) else (missing_consultation(known),)
    standing = unsettled(findings, overrides or {}) or not_entitled(work, course.clinic_id, findings)
    standing = forbidden(work.db, series, today=today) or standing
    if standing:
        return Refused(standing)
    if not _confirm(work, series):
        return Refused((GONE,))
    keep_reasons(work, course_id, findings, overrides or {})
    work.commit()
    return Done(course_id, findings)


def hold_until(work: UnitOfWork, course_id: int, *, until_on: date, lock_version: int) -> Done[int] | Refused:
    """Holds a course's dates until the end of another day; the patient is told of it."""
    course = lock_course(work.db, course_id)
    check_version("course", course, lock_version)
    series = course_series(work.db, course_id, now=work.now)
    held = _held(series)
    if not held:
        return Refused((NOT_HELD,))
    where = zone(work.db.get_one(Clinic, course.clinic_id).zone)
    today, first_on = day_of(work.now, where), min(each.local_start.date() for each in held)
    known = consultations_of(work.db, course.patient_id, course.protocol_version_id, today=today)
    span = hold_span(known, first_on=first_on, today=today)
    if span is None or not span.first <= until_on <= span.last:
        return Refused((outside_span(first_on),))
    lock_appointments(work.db, [each.id for each in held])
    for each in held:
        each.hold_expires_at, each.scheduled_at = instant(until_on + DAY, 0, where), work.now
        # What the patient was told of it is not true any more, so it is said anew.
        each.revision, each.lock_version = each.revision + 1, each.lock_version + 1
    record(work, "hold-changed", "course", course_id, clinic_id=course.clinic_id, until_on=until_on.isoformat())
    work.db.flush()
    reconcile(work, Owner("course", course_id))
    work.commit()
    return Done(course_id)


def _confirm_if_held(work: UnitOfWork, course_id: int) -> None:
    """What a consultation does to a course that waited for it; one that somebody has ended meanwhile, or for which
    something is noted that forbids its dates, stays as it is."""
    course = lock_course(work.db, course_id)
    series = course_series(work.db, course_id, now=work.now)
    today = day_of(work.now, zone(work.db.get_one(Clinic, course.clinic_id).zone))
    if _held(series) and not forbidden(work.db, series, today=today):
        _confirm(work, series)


def _held(series: Series) -> list[Appointment]:
    if series.course.state != CourseState.DRAFT:
        return []
    return [place.appointment for place in series.places if place.appointment]


def _confirm(work: UnitOfWork, series: Series) -> bool:
    """Books what is held, if all of it still is. No commit."""
    appointments = _held(series)
    lock_appointments(work.db, [each.id for each in appointments])
    kept = held_by(work.db, [each.id for each in appointments])
    if any(not _holds_all(place, kept) for place in series.places if place.appointment):
        return False
    for each in appointments:
        each.state, each.hold_expires_at, each.scheduled_at = AppointmentState.BOOKED, None, work.now
        each.lock_version += 1
    series.course.state = CourseState.ACTIVE
    series.course.lock_version += 1
    work.db.flush()
    refresh_windows(series, series.windows())
    record(work, "dates-confirmed", "course", series.course.id, clinic_id=series.course.clinic_id)
    work.db.flush()
    reconcile(work, Owner("course", series.course.id))
    return True


def _holds_all(place: Place, kept: Mapping[int, tuple[str, ...]]) -> bool:
    assert place.appointment is not None  # only places with a date are asked
    return len(kept.get(place.appointment.id, ())) == len(needs_of(place.step.parts))
