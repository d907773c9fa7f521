"""Booking and stopping a whole course."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from clinic.care.consultations import Consultations, hold_span, judge_consultation, outside_span
from clinic.care.protocols import Protocol, Step, steps_for
from clinic.care.screening import (
    Screening,
    ScreeningAnswers,
    answers_document,
    findings_document,
    screen,
)
from clinic.care.states import COURSE_MOVES, AppointmentState, CourseState, SessionState
from clinic.planning import Finding, Placement, Weight, blocks, judge
from clinic.planning.local import DAY, day_of, instant, zone
from clinic.queries.consultations import consultations_of
from clinic.queries.course_asks import CourseRequest, course_problem, not_askable
from clinic.queries.protocol_contents import protocol_of
from clinic.queries.series import course_series
from clinic.queries.visit_choice import VisitChoice
from clinic.services.holding import (
    TAKEN,
    Taken,
    cancel,
    free_lapsed,
    new_appointment,
    purpose_of,
    refresh_windows,
)
from clinic.services.lapsing import lapse
from clinic.services.overrides import keep_reasons, not_entitled, unsettled
from clinic.services.reconcile import Owner, reconcile
from clinic.services.referrals import ask_consultation
from clinic.services.work import Done, Refused, UnitOfWork, check_version, record
from clinic.store.clinics import Clinic
from clinic.store.courses import Course, TreatmentSession
from clinic.store.courses import Screening as ScreeningRow
from clinic.store.locks import lock_appointments, lock_course, lock_resources


def book_course(
    work: UnitOfWork, request: CourseRequest, visits: Sequence[VisitChoice], *,
    overrides: Mapping[str, str] | None = None, hold_until: date | None = None,
) -> Done[int] | Refused:
    """Books every chosen visit of a new course, or nothing; the sessions past the visits stay owed, undated.

    Where a consultation is missing and the protocol's dates wait for one, they are held until the end of `hold_until`
    (a day that suggests itself, if not said). Severe laxity refuses a lifting course and opens a consultation task;
    that task is all that is then kept.
    """
    reasons = overrides or {}
    clinic = work.db.get_one(Clinic, request.clinic_id)
    protocol = protocol_of(work.db, request.protocol_version_id)
    where = zone(clinic.zone)
    wrong = not_askable(work.db, request) or _no_plan(request, visits)
    if wrong:
        return Refused(wrong)
    screened = screen(
        protocol, request.answers, today=day_of(work.now, where), first_on=day_of(visits[0].starts_at, where))
    if screened.tasks and blocks(screened.findings):
        return _refer(work, clinic, request, screened)
    hold = _hold_of(work, request, visits, where, hold_until)
    if isinstance(hold, Finding):
        return Refused((hold,))
    said = (*screened.findings, *judge_consultation(hold.known, today=day_of(work.now, where)))
    standing = unsettled(said, reasons) or not_entitled(work, clinic.id, (*said, *_waived(protocol, request.answers)))
    if standing:
        return Refused(standing)
    wanted = [request.patient_id, *(each for visit in visits for each in visit.resource_ids)]
    lock_resources(work.db, wanted)
    free_lapsed(work, wanted)
    steps = steps_for(protocol, request.sessions)
    findings = _judged(work, request, protocol, steps[:len(visits)], visits)
    standing = unsettled(findings, reasons)
    if standing:
        return Refused(standing)
    course = _add_course(work, request, held=hold.until_at is not None)
    keep_reasons(work, course.id, said, reasons)
    keep_reasons(work, course.id, findings, reasons, visits[0].number if len(visits) == 1 else None)
    _keep_screening(work, course, request.answers, screened)
    try:
        _add_sessions(work, clinic, course, steps, visits, hold.until_at)
    except Taken:
        return Refused((TAKEN,))
    series = course_series(work.db, course.id, now=work.now)
    refresh_windows(series, series.windows())
    ask_consultation(work, clinic, request.patient_id, screened)
    record(work, "dates-held" if hold.until_at else "course-booked", "course", course.id, clinic_id=clinic.id,
           visits=len(visits), sessions=len(steps))
    reconcile(work, Owner("course", course.id))
    work.commit()
    return Done(course.id, (*said, *findings))


def stop_course(work: UnitOfWork, course_id: int, *, reason: str, lock_version: int) -> Done[int] | Refused:
    """Stops a course early: its coming appointments are cancelled, its open sessions will not be done."""
    course = lock_course(work.db, course_id)
    check_version("course", course, lock_version)
    lapse(work, Owner("course", course_id))
    if CourseState.REVOKED not in COURSE_MOVES[CourseState(course.state)]:
        return Refused((Finding("ended", Weight.BLOCKS, "This course has already ended"),))
    series = course_series(work.db, course.id, now=work.now)
    lock_appointments(work.db, [place.appointment.id for place in series.places if place.appointment])
    if any(place.appointment and place.appointment.state == AppointmentState.ARRIVED for place in series.places):
        return Refused((Finding(
            "arrived", Weight.BLOCKS, "The patient is here for a session: complete or cancel that visit first"),))
    for place in series.places:
        if place.appointment is not None:
            cancel(work, place.appointment, "course-stopped")
        if place.row.state != SessionState.COMPLETED:
            place.row.state = SessionState.NOT_DONE
            place.row.lock_version += 1
    course.state = CourseState.REVOKED
    course.ended_on = day_of(work.now, zone(work.db.get_one(Clinic, course.clinic_id).zone))
    course.ended_reason = reason
    record(work, "course-stopped", "course", course.id, clinic_id=course.clinic_id)
    reconcile(work, Owner("course", course.id))
    work.commit()
    return Done(course.id)


@dataclass(frozen=True, slots=True)
class _Hold:
    """What is known of the patient's consultations, and until when the dates are only held for want of one."""

    known: Consultations
    until_at: datetime | None = None


def _hold_of(
    work: UnitOfWork, request: CourseRequest, visits: Sequence[VisitChoice], where: ZoneInfo, hold_until: date | None
) -> _Hold | Finding:
    """Whether the dates are only held, and until when; what is wrong with the day that was asked for."""
    today = day_of(work.now, where)
    known = consultations_of(work.db, request.patient_id, request.protocol_version_id, today=today)
    if not known.must_hold(today):
        return _Hold(known)
    first_on = day_of(min(visit.starts_at for visit in visits), where)
    span = hold_span(known, first_on=first_on, today=today)
    until_on = hold_until or (span.suggested if span else None)
    if span is None or until_on is None:
        return Finding("no-day-to-hold", Weight.BLOCKS, "A consultation comes before this course: choose a plan that "
                       "begins tomorrow or later", "not_before")
    if not span.first <= until_on <= span.last:
        return outside_span(first_on)
    return _Hold(known, instant(until_on + DAY, 0, where))


def _no_plan(request: CourseRequest, visits: Sequence[VisitChoice]) -> tuple[Finding, ...]:
    numbers = [visit.number for visit in visits]
    if not visits or numbers != list(range(1, len(visits) + 1)) or len(visits) > request.sessions:
        return (Finding("visits", Weight.BLOCKS, "Choose a plan that begins with the first session"),)
    return ()


def _refer(work: UnitOfWork, clinic: Clinic, request: CourseRequest, screened: Screening) -> Refused:
    """Keeps the consultation that screening asks for, and nothing else."""
    lock_resources(work.db, [request.patient_id])
    ask_consultation(work, clinic, request.patient_id, screened)
    work.commit()
    return Refused(screened.findings)


def _waived(protocol: Protocol, answers: ScreeningAnswers) -> tuple[Finding, ...]:
    """The counts of days that were declared over before their time: for a practitioner, like a warning."""
    return tuple(
        Finding(each.code, Weight.WARNS, f"{each.title}: {each.defer_days} days have to pass.", each.code)
        for each in protocol.contraindications
        if each.waivable and each.defer_days and each.code in answers.applies
        and answers.cleared.get(each.code, "").strip())


def _judged(
    work: UnitOfWork, request: CourseRequest, protocol: Protocol, steps: Sequence[Step],
    visits: Sequence[VisitChoice],
) -> tuple[Finding, ...]:
    where = zone(work.db.get_one(Clinic, request.clinic_id).zone)
    first_on = min(day_of(visits[0].starts_at, where), request.not_before_on)
    last_on = max(day_of(visit.starts_at, where) for visit in visits)
    problem = course_problem(work.db, request, protocol, steps, first_on, now=work.now, until_on=last_on)
    return judge(problem, [
        Placement(visit.number, visit.starts_at, tuple(map(str, visit.resource_ids))) for visit in visits])


def _add_course(work: UnitOfWork, request: CourseRequest, *, held: bool) -> Course:
    answers = request.answers
    course = Course(
        patient_id=request.patient_id, clinic_id=request.clinic_id,
        state=CourseState.DRAFT if held else CourseState.ACTIVE,
        protocol_version_id=request.protocol_version_id, practitioner_id=request.practitioner_id,
        indication=answers.indication or "", laxity=answers.laxity or "none",
        created_at=work.now, created_by=work.actor.account_id)
    work.db.add(course)
    work.db.flush()
    return course


def _keep_screening(work: UnitOfWork, course: Course, answers: ScreeningAnswers, screened: Screening) -> None:
    work.db.add(ScreeningRow(
        course_id=course.id, answered_at=work.now, answered_by=work.actor.account_id,
        answers=answers_document(answers), findings=findings_document(screened.findings)))


def _add_sessions(
    work: UnitOfWork, clinic: Clinic, course: Course, steps: Sequence[Step], visits: Sequence[VisitChoice],
    held_until_at: datetime | None,
) -> None:
    chosen = {visit.number: visit for visit in visits}
    rows = [
        TreatmentSession(
            course_id=course.id, number=step.number, treatment_code=step.treatment,
            state=SessionState.BOOKED if step.number in chosen else SessionState.OWED)
        for step in steps]
    work.db.add_all(rows)
    work.db.flush()
    for row, step in zip(rows, steps, strict=True):
        if step.number in chosen:
            new_appointment(work, clinic, course.patient_id, purpose_of(row, step), chosen[step.number],
                            held_until_at=held_until_at)
