"""A course or maintenance plan that runs, as its sessions in order, and each of them as the planner takes it."""
from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.course_changes import interval_before
from clinic.care.protocols import Interval, Protocol, Step, maintenance_step, steps_for
from clinic.care.states import SessionState
from clinic.care.windows import Window, joined, windows
from clinic.planning import Pin
from clinic.planning import Step as PlannedStep
from clinic.planning.local import DAY
from clinic.queries.course_changes import interval_changes, not_before_on
from clinic.queries.diary_facts import ACTIVE
from clinic.queries.problems import planned_step
from clinic.queries.protocol_contents import protocol_of
from clinic.store.courses import Course, MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking

LONGEST = 3660
_OVER = (SessionState.COMPLETED, SessionState.NOT_DONE)


@dataclass(frozen=True, slots=True)
class Place:
    """One session of an owner: its row, its step, the interval before it, and the appointment that it has."""

    row: TreatmentSession
    step: Step
    interval: Interval | None
    appointment: Appointment | None

    @property
    def on(self) -> date | None:
        """The date of the session, performed or planned."""
        return self.row.performed_on or (self.appointment.local_start.date() if self.appointment else None)


@dataclass(frozen=True, slots=True)
class Series:
    """The sessions of one course or maintenance plan, in order; `before_on` is what the first one counts from.

    No open session may be before `not_before_on`: what was heard of the patient speaks against it.
    """

    course: Course
    plan: MaintenancePlan | None
    protocol: Protocol
    places: tuple[Place, ...]
    before_on: date | None
    not_before_on: date | None = None

    @property
    def last_on(self) -> date | None:
        """The date of the last session performed, of the course or, before upkeep began, of what it follows."""
        performed = [place.row.performed_on for place in self.places if place.row.performed_on]
        return max([*performed, *([self.before_on] if self.before_on else [])], default=None)

    def place(self, treatment_session_id: int) -> Place:
        """The place of that session."""
        return next(place for place in self.places if place.row.id == treatment_session_id)

    def windows(self) -> tuple[Window | None, ...]:
        """The window of each session, from the sessions before as they now stand."""
        intervals: list[Interval | None] = [None, *(place.interval for place in self.places)]
        dates: list[date | None] = [self.before_on, *(place.on for place in self.places)]
        return windows(intervals, dates, [None, *self.floors])[1:]

    @property
    def floors(self) -> tuple[date | None, ...]:
        """For each session the date before which it may not be; none for those that are over."""
        return tuple(None if place.row.state in _OVER else self.not_before_on for place in self.places)


def series_of(db: Session, treatment_session: TreatmentSession, *, now: datetime) -> Series:
    """The course or maintenance plan that owns this session, with all its sessions; a hold that lapsed is none."""
    if treatment_session.course_id is not None:
        return course_series(db, treatment_session.course_id, now=now)
    assert treatment_session.maintenance_plan_id is not None
    return maintenance_series(db, treatment_session.maintenance_plan_id, now=now)


def series_again(db: Session, series: Series, *, now: datetime) -> Series:
    """The same course or maintenance plan as its rows now stand."""
    if series.plan is not None:
        return maintenance_series(db, series.plan.id, now=now)
    return course_series(db, series.course.id, now=now)


def course_series(db: Session, course_id: int, *, now: datetime, version_id: int | None = None) -> Series:
    """The sessions of a course, each after the interval that the course itself has changed, else its protocol's.

    With `version_id` they are those that the course would have under that version of its protocol.
    """
    course = db.get_one(Course, course_id)
    protocol = protocol_of(db, version_id or course.protocol_version_id)
    rows = _rows(db, TreatmentSession.course_id == course_id, now)
    steps = steps_for(protocol, max((row.number for row, _ in rows), default=1))
    changes = interval_changes(db, course_id)
    places = tuple(
        Place(row, steps[row.number - 1], interval_before(steps[row.number - 1], changes), held) for row, held in rows)
    return Series(course, None, protocol, places, None, not_before_on(db, course, protocol))


def maintenance_series(db: Session, maintenance_plan_id: int, *, now: datetime) -> Series:
    """The sessions of a maintenance plan, counted from the last one of the course."""
    plan = db.get_one(MaintenancePlan, maintenance_plan_id)
    course = db.get_one(Course, plan.course_id)
    protocol = protocol_of(db, course.protocol_version_id)
    step = maintenance_step(protocol)
    interval = Interval(plan.shortest_days, plan.interval_days, plan.longest_days)
    rows = _rows(db, TreatmentSession.maintenance_plan_id == maintenance_plan_id, now)
    before_on = db.scalar(
        sa.select(sa.func.max(TreatmentSession.performed_on)).where(TreatmentSession.course_id == course.id))
    places = tuple(Place(row, replace(step, number=row.number), interval, held) for row, held in rows)
    return Series(course, plan, protocol, places, before_on, not_before_on(db, course, protocol))


def _rows(
    db: Session, of_owner: sa.ColumnElement[bool], now: datetime
) -> list[tuple[TreatmentSession, Appointment | None]]:
    lasts = sa.or_(Appointment.hold_expires_at.is_(None), Appointment.hold_expires_at > now)
    rows = db.execute(
        sa.select(TreatmentSession, Appointment)
        .outerjoin(Appointment, sa.and_(
            Appointment.treatment_session_id == TreatmentSession.id, Appointment.state.in_(ACTIVE), lasts))
        .where(of_owner).order_by(TreatmentSession.number))
    return [(row, held) for row, held in rows]


def held_by(db: Session, appointment_ids: list[int]) -> dict[int, tuple[str, ...]]:
    """What each of these appointments holds, in the order of its treatment's needs."""
    rows = db.execute(
        sa.select(ResourceBooking.appointment_id, ResourceBooking.resource_id)
        .where(ResourceBooking.appointment_id.in_(appointment_ids), ResourceBooking.need > 0)
        .order_by(ResourceBooking.appointment_id, ResourceBooking.need))
    found: dict[int, tuple[str, ...]] = {}
    for appointment_id, resource_id in rows:
        found[appointment_id] = (*found.get(appointment_id, ()), str(resource_id))
    return found


def steps_of(
    series: Series, pins: Mapping[int, Pin | None], late: Container[int] = ()
) -> list[tuple[int, PlannedStep]]:
    """The open sessions that `pins` names, by number and as the planner takes them; a pin is where one stands.

    Sessions between that are not named stretch the interval. Those in `late` have no last date. A first session that
    is made up for after a later one was performed keeps the protocol's interval to that one. One that stands without
    all that it needs keeps its time and holds nothing.
    """
    steps: list[tuple[int, PlannedStep]] = []
    since, performed_on = list[Interval](), None
    for place in series.places:
        if place.row.state in _OVER:
            if place.row.state == SessionState.COMPLETED:
                since, performed_on = [], place.row.performed_on
            continue
        number = place.row.number
        before = place.interval or (series.protocol.interval if series.last_on else None)
        if before is not None:
            since.append(before)
        if number not in pins:
            continue
        interval = joined(since) if since and (steps or series.last_on) else None
        first_days = [series.not_before_on]
        if steps and interval is not None and before is not None:
            # The gap counts from the step before in the list. Sessions performed while an earlier one is still open are
            # no steps: neither the one before this one in number nor the last of all may be too close.
            first_days += [_days_after(performed_on, interval), _days_after(series.last_on, before)]
        since, performed_on = [], None
        first_on = max((day for day in first_days if day is not None), default=None)
        step = replace(planned_step(place.step, interval), from_on=first_on, number=number)
        pin = pins[number]
        if pin is not None and len(pin.resources) != len(step.needs):
            step, pin = replace(step, needs=()), replace(pin, resources=())
        step = replace(step, pinned=pin)
        if number in late and step.gap is not None:
            step = replace(step, gap=replace(step.gap, max=max(step.gap.max, LONGEST)))
        steps.append((number, step))
    return steps


def _days_after(performed_on: date | None, interval: Interval) -> date | None:
    return None if performed_on is None else performed_on + interval.shortest * DAY
