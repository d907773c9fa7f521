"""Builders of what is known of a course, with Monday 1 March 2027, 09:00 in Lisbon as now."""
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from clinic.care.owed import OwedItem, VisitChange
from clinic.care.owner_facts import AppointmentFacts, Owner, OwnerFacts, PatientFacts, SessionFacts, Told
from clinic.care.quiet import QuietHours
from clinic.care.states import AppointmentState, SessionState
from clinic.planning.local import resolve, zone

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
QUIET = QuietHours(20 * 60, 8 * 60, zone("Europe/Lisbon"))
REACHED = PatientFacts("maria@example.org")


def visit(
    number: int, day: date, hour: int = 10, *, id: int | None = None, revision: int = 0, minute: int = 0,
    state: AppointmentState = AppointmentState.BOOKED, scheduled_at: datetime = NOW,
    closed_at: datetime | None = None, where: str = "Europe/Lisbon", ended_cause: str | None = None,
    confirmed_at: datetime | None = None, by_clinic: bool = False,
) -> AppointmentFacts:
    """An appointment for session `number` (whose id is the number)."""
    local = datetime.combine(day, time(hour, minute))
    return AppointmentFacts(
        id=id or 100 + number, treatment_session_id=number, clinic_id=1, state=state, revision=revision,
        local_start=local, fold=0, zone=where, starts_at=resolve(local, zone(where)),
        scheduled_at=scheduled_at, closed_at=closed_at, ended_cause=ended_cause, confirmed_at=confirmed_at,
        by_clinic=by_clinic,
    )


def owed_session(number: int, **facts: object) -> SessionFacts:
    """A session that has not taken place; its preparation begins five days ahead."""
    return replace(SessionFacts(number, number, SessionState.OWED, precare_days=5), **facts)  # type: ignore[arg-type]


def done_session(number: int, performed_at: datetime, recorded_at: datetime | None = None) -> SessionFacts:
    """A session that was performed, and recorded at once unless said otherwise."""
    return SessionFacts(number, number, SessionState.COMPLETED, performed_at, recorded_at or performed_at,
                        precare_days=5)


def course(*appointments: AppointmentFacts, sessions: tuple[SessionFacts, ...] = (), **facts: object) -> OwnerFacts:
    """A course with these appointments; a session that is not given is owed."""
    given = {each.id for each in sessions}
    numbers = sorted({each.treatment_session_id for each in appointments} - given)
    known = tuple(sorted([*sessions, *(owed_session(number) for number in numbers)], key=lambda each: each.number))
    return replace(OwnerFacts(Owner("course", 7), True, False, REACHED, QUIET, known, appointments),
                   **facts)  # type: ignore[arg-type]


def told_by(facts: OwnerFacts, item: OwedItem) -> OwnerFacts:
    """The same, after the patient has read that item."""
    by_id = {each.id: each for each in facts.appointments}
    heard = {told.appointment_id: told for told in facts.told}
    for each in item.visits:
        for gone in each.withdrawn:
            heard[gone] = told_of(by_id[gone], cancelled=True)
        if each.change is not VisitChange.CANCELLED:
            heard[each.appointment_id] = told_of(by_id[each.appointment_id])
    return replace(facts, told=tuple(heard.values()))


def told_of(appointment: AppointmentFacts, *, cancelled: bool = False) -> Told:
    """What a patient knows who was told of the appointment as it is."""
    return Told(appointment.id, appointment.treatment_session_id, appointment.clinic_id, appointment.revision,
                appointment.local_start, appointment.fold, appointment.zone, cancelled)


def days(count: int) -> timedelta:
    """That many days of 24 hours."""
    return timedelta(days=count)
