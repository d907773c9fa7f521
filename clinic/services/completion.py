"""Completing a session, and what follows the last one: the maintenance plan and its recall."""
from __future__ import annotations

from datetime import date, datetime, timedelta

from clinic.care.outcomes import PartlyTreated, VisitOutcome
from clinic.care.protocols import Interval
from clinic.care.recalls import ask_on
from clinic.care.states import (
    APPOINTMENT_MOVES,
    AppointmentState,
    CourseState,
    MaintenanceState,
    SessionState,
)
from clinic.care.windows import windows
from clinic.planning import Finding, Weight
from clinic.planning.local import day_of, zone
from clinic.planning.words import date_words
from clinic.queries.missed import effect_of_lateness
from clinic.queries.series import Series, series_again, series_of
from clinic.services.counting import count_in_order
from clinic.services.holding import free, refresh_windows
from clinic.services.locked_appointments import locked_series, owner_of
from clinic.services.missed import add_sessions
from clinic.services.reconcile import Owner, reconcile
from clinic.services.work import Done, Refused, UnitOfWork, check_version, record
from clinic.store.accounts import Task
from clinic.store.courses import MaintenancePlan, Recall, TreatmentSession
from clinic.store.diary import Appointment

RECORDED_WITHIN = timedelta(days=366)
"""A treatment longer ago than this is taken for a slip of the keyboard. Our default: no source gives a figure."""
DECIDE_WITHIN = timedelta(days=7)
"""What becomes of areas that were left out is to be decided within these days. Our default: no source gives one."""


def complete_appointment(
    work: UnitOfWork, appointment_id: int, *, lock_version: int, performed_at: datetime | None = None,
    partly: PartlyTreated | None = None,
) -> Done[int] | Refused:
    """Notes that the session was performed, at `performed_at` (now if not said; it may be earlier, never later).

    It may have been on another date than planned: then what was held at the planned time is free again, and a
    planned date that is still to come is called off. Later sessions count from the real date. The last session
    completes the course and begins its upkeep; a completed maintenance session owes the next one. Where an earlier
    session is still owed it is that one which was given: see `care.counting`. `partly` says which areas were left out:
    the session counts as performed, and a practitioner is asked to decide.
    """
    appointment = work.db.get_one(Appointment, appointment_id)
    row = work.db.get_one(TreatmentSession, appointment.treatment_session_id)
    series = locked_series(work, row)
    work.db.refresh(appointment)
    check_version("appointment", appointment, lock_version)
    refusal = _refusal(series, row, appointment, performed_at, work.now)
    if refusal is not None:
        return Refused((refusal,))
    given = count_in_order(work, series, row, appointment)
    if given is not row:
        row, series = given, series_again(work.db, series, now=work.now)
    _perform(work, appointment, row, performed_at or work.now)
    _keep_outcome(work, series, row, appointment, partly)
    assert row.performed_on is not None
    late = effect_of_lateness(work.db, series, row, row.performed_on)
    if late is not None:
        missed, effect = late
        add_sessions(work, series, row, missed.appointment_id, missed.cause, effect)
    work.db.flush()
    record(work, "session-completed", "treatment_session", row.id, clinic_id=appointment.clinic_id,
           outcome=row.outcome, performed_on=row.performed_on.isoformat())
    series = series_of(work.db, row, now=work.now)
    refresh_windows(series, series.windows())
    begun = _what_follows(work, series, row)
    reconcile(work, owner_of(row))
    if begun is not None:
        reconcile(work, Owner("maintenance-plan", begun.id))
    work.commit()
    return Done(appointment.id)


def _refusal(
    series: Series, row: TreatmentSession, appointment: Appointment, performed_at: datetime | None, now: datetime
) -> Finding | None:
    at = performed_at or now
    on = day_of(at, zone(appointment.zone))
    if AppointmentState.FULFILLED not in APPOINTMENT_MOVES[AppointmentState(appointment.state)]:
        return Finding("closed", Weight.BLOCKS, f"This appointment is {appointment.state}: it cannot be completed")
    if at > now:
        return Finding("not-yet", Weight.BLOCKS, "A session cannot be completed before it happens", "performed_at")
    if now - at > RECORDED_WITHIN:
        return Finding("long-ago", Weight.BLOCKS, "This is more than a year ago: check the date", "performed_at")
    if performed_at is None and on != appointment.local_start.date():
        return Finding("other-day", Weight.BLOCKS, "The session was planned for another date: say when it took place",
                       "performed_at")
    before = _before(series, row)
    if before is not None and on <= before:
        return Finding("before-previous", Weight.BLOCKS, "The session before it was performed on "
                       f"{date_words(before)}: this one can only have been later", "performed_at")
    return None


def _before(series: Series, row: TreatmentSession) -> date | None:
    """The date of the last session performed of those that come before this one."""
    performed = [place.row.performed_on for place in series.places
                 if place.row.number < row.number and place.row.performed_on is not None]
    return max([*performed, *([series.before_on] if series.before_on else [])], default=None)


def _perform(work: UnitOfWork, appointment: Appointment, row: TreatmentSession, at: datetime) -> None:
    row.state = SessionState.COMPLETED
    row.performed_at = at
    row.performed_on = day_of(at, zone(appointment.zone))
    row.lock_version += 1
    appointment.state = AppointmentState.FULFILLED
    appointment.closed_at = work.now
    if row.performed_on != appointment.local_start.date():
        free(work, [appointment.id])
        if appointment.starts_at > work.now:
            appointment.revision += 1  # the calendar entry of a date that is called off


def _keep_outcome(
    work: UnitOfWork, series: Series, row: TreatmentSession, appointment: Appointment, partly: PartlyTreated | None
) -> None:
    if partly is None:
        row.outcome = VisitOutcome.TREATED
        return
    row.outcome, row.areas_treated, row.areas_left = VisitOutcome.PARTLY_TREATED, partly.treated, partly.left
    task = Task(
        clinic_id=series.course.clinic_id, patient_id=series.course.patient_id, kind="other", created_at=work.now,
        created_by=work.actor.account_id, due_on=day_of(work.now, zone(appointment.zone)) + DECIDE_WITHIN,
        text=f"{series.protocol.name}, session {row.number}, was treated in part. Treated: {partly.treated}. "
             f"Left out: {partly.left}. A practitioner decides whether and when to treat what was left out.")
    work.db.add(task)
    work.db.flush()
    record(work, "left-out-asked", "task", task.id, clinic_id=task.clinic_id)


def _what_follows(work: UnitOfWork, series: Series, row: TreatmentSession) -> MaintenancePlan | None:
    """The next maintenance session, or, after the last session of a course, its completion and its upkeep."""
    assert row.performed_on is not None
    if series.plan is not None:
        if series.plan.state != MaintenanceState.REVOKED:
            _owe_upkeep(work, series.plan, series, row.number + 1, row)
        return None
    if any(place.row.state in (SessionState.OWED, SessionState.BOOKED) for place in series.places):
        return None
    # Not always the one recorded last: a session may be entered after a later one.
    performed = [place.row for place in series.places if place.row.performed_on is not None]
    last = max(performed, key=lambda each: (each.performed_on, each.number))
    # What put the course on hold speaks against its upkeep too: that rests until someone lets it go on.
    rests = series.course.state == CourseState.ON_HOLD
    series.course.state = CourseState.COMPLETED
    series.course.ended_on = last.performed_on
    series.course.lock_version += 1
    record(work, "course-completed", "course", series.course.id, clinic_id=series.course.clinic_id)
    maintenance = series.protocol.maintenance
    plan = MaintenancePlan(
        course_id=series.course.id, state=MaintenanceState.ON_HOLD if rests else MaintenanceState.ACTIVE,
        interval_days=maintenance.interval.ideal, shortest_days=maintenance.interval.shortest,
        longest_days=maintenance.interval.longest, created_at=work.now)
    work.db.add(plan)
    work.db.flush()
    _owe_upkeep(work, plan, series, 1, last)
    return plan


def _owe_upkeep(
    work: UnitOfWork, plan: MaintenancePlan, series: Series, number: int, after: TreatmentSession
) -> None:
    """The maintenance session that follows one performed, owed with its window, and its recall.

    What was heard of the patient, and keeps the next session from a date, keeps upkeep from it too.
    """
    assert after.performed_on is not None
    interval = Interval(plan.shortest_days, plan.interval_days, plan.longest_days)
    window = windows([None, interval], [after.performed_on, None], [None, series.not_before_on])[1]
    assert window is not None  # it counts from a date
    owed = TreatmentSession(
        maintenance_plan_id=plan.id, number=number, treatment_code=series.protocol.maintenance.treatment,
        state=SessionState.OWED, earliest_on=window.earliest_on, ideal_on=window.ideal_on,
        latest_on=window.latest_on)
    work.db.add(owed)
    work.db.flush()
    work.db.add(Recall(treatment_session_id=owed.id, ask_on=ask_on(window, after.performed_on)))
    record(work, "upkeep-owed", "treatment_session", owed.id, clinic_id=series.course.clinic_id)
