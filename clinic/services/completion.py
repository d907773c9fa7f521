"""Completing a session, and what follows the last one: the maintenance plan and its recall."""
from __future__ import annotations

from datetime import date, datetime, timedelta

from clinic.care.protocols import Interval
from clinic.care.states import (
    APPOINTMENT_MOVES,
    AppointmentState,
    CourseState,
    MaintenanceState,
    SessionState,
)
from clinic.care.windows import Window, window_after
from clinic.planning import Finding, Weight
from clinic.planning.local import day_of, zone
from clinic.queries.session_problem import Series, series_of
from clinic.services.appointments import locked_series, owner_of
from clinic.services.holding import refresh_windows
from clinic.services.reconcile import Owner, reconcile
from clinic.services.work import Done, Refused, UnitOfWork, check_version, record
from clinic.store.courses import MaintenancePlan, Recall, TreatmentSession
from clinic.store.diary import Appointment

RECALL_DAYS_BEFORE = 21
"""A patient is asked this long before the ideal date of upkeep. Our default; clinic systems use 12 to 28 days."""


def complete_appointment(
    work: UnitOfWork, appointment_id: int, *, lock_version: int, performed_at: datetime | None = None
) -> Done[int] | Refused:
    """Notes that the session was performed, at `performed_at` (now if not said; it may be earlier, never later).

    Later sessions count from that date. The last session completes the course and begins its upkeep; a completed
    maintenance session owes the next one.
    """
    appointment = work.db.get_one(Appointment, appointment_id)
    row = work.db.get_one(TreatmentSession, appointment.treatment_session_id)
    series = locked_series(work, row)
    work.db.refresh(appointment)
    check_version("appointment", appointment, lock_version)
    at = performed_at or work.now
    refusal = _refusal(appointment, at, work.now)
    if refusal is not None:
        return Refused((refusal,))
    appointment.state = AppointmentState.FULFILLED
    appointment.closed_at = work.now
    row.state = SessionState.COMPLETED
    row.performed_at = at
    row.performed_on = day_of(at, zone(appointment.zone))
    row.lock_version += 1
    work.db.flush()
    record(work, "session-completed", "treatment_session", row.id, clinic_id=appointment.clinic_id)
    series = series_of(work.db, row, now=work.now)
    refresh_windows(series, series.windows())
    begun = _what_follows(work, series, row)
    reconcile(work, owner_of(row))
    if begun is not None:
        reconcile(work, Owner("maintenance-plan", begun.id))
    work.commit()
    return Done(appointment.id)


def _refusal(appointment: Appointment, at: datetime, now: datetime) -> Finding | None:
    if AppointmentState.FULFILLED not in APPOINTMENT_MOVES[AppointmentState(appointment.state)]:
        return Finding("closed", Weight.BLOCKS, f"This appointment is {appointment.state}: it cannot be completed")
    if at > now:
        return Finding("not-yet", Weight.BLOCKS, "A session cannot be completed before it happens", "performed_at")
    if day_of(at, zone(appointment.zone)) != appointment.local_start.date():
        return Finding("other-day", Weight.BLOCKS,
                       "The session was planned for another date: move the appointment to the day it took place",
                       "performed_at")
    return None


def _what_follows(work: UnitOfWork, series: Series, row: TreatmentSession) -> MaintenancePlan | None:
    """The next maintenance session, or, after the last session of a course, its completion and its upkeep."""
    assert row.performed_on is not None
    if series.plan is not None:
        if series.plan.state == MaintenanceState.ACTIVE:
            _owe_upkeep(work, series.plan, series, row.number + 1, row)
        return None
    if any(place.row.state in (SessionState.OWED, SessionState.BOOKED) for place in series.places):
        return None
    series.course.state = CourseState.COMPLETED
    series.course.ended_on = row.performed_on
    series.course.lock_version += 1
    record(work, "course-completed", "course", series.course.id, clinic_id=series.course.clinic_id)
    maintenance = series.protocol.maintenance
    plan = MaintenancePlan(
        course_id=series.course.id, state=MaintenanceState.ACTIVE, interval_days=maintenance.interval.ideal,
        shortest_days=maintenance.interval.shortest, longest_days=maintenance.interval.longest,
        created_at=work.now)
    work.db.add(plan)
    work.db.flush()
    _owe_upkeep(work, plan, series, 1, row)
    return plan


def _owe_upkeep(
    work: UnitOfWork, plan: MaintenancePlan, series: Series, number: int, after: TreatmentSession
) -> None:
    """The maintenance session that follows one performed, owed with its window, and its recall."""
    assert after.performed_on is not None
    window = window_after(
        after.performed_on, Interval(plan.shortest_days, plan.interval_days, plan.longest_days))
    owed = TreatmentSession(
        maintenance_plan_id=plan.id, number=number, treatment_code=series.protocol.maintenance.treatment,
        state=SessionState.OWED, earliest_on=window.earliest_on, ideal_on=window.ideal_on,
        latest_on=window.latest_on)
    work.db.add(owed)
    work.db.flush()
    work.db.add(Recall(treatment_session_id=owed.id, ask_on=_ask_on(window, after)))
    record(work, "upkeep-owed", "treatment_session", owed.id, clinic_id=series.course.clinic_id)


def _ask_on(window: Window, after: TreatmentSession) -> date:
    assert after.performed_on is not None
    return max(window.ideal_on - timedelta(days=RECALL_DAYS_BEFORE), after.performed_on + timedelta(days=1))
