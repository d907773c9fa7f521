"""What happened in some months at some clinics, as rows for the figures: one statement for each kind of row.

The sessions given are tens of thousands in a year: they come as lists of numbers, and not each as a row.
"""
from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.figures.counted import Happened
from clinic.care.figures.happened import (
    DATED_WITHIN,
    GONE_QUIET,
    QUIET_AFTER,
    CourseEnd,
    End,
    Ended,
    Given,
    Visit,
    course_end,
    visit_end,
)
from clinic.care.figures.months import Months, month_of
from clinic.care.states import AppointmentState, CourseState, SessionState
from clinic.planning.local import day_of
from clinic.queries.notice import asked_off_at
from clinic.store.courses import Course, MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.expressions import days_between, epoch, first_of_month, lists_as_json
from clinic.store.protocols import ProtocolVersion

# Tables, not mapped classes: the rows of a year are tens of thousands, and nothing is to be loaded of them.
_GIVEN: Any = TreatmentSession.__table__
_NEXT, _VISIT = _GIVEN.alias("next"), Appointment.__table__.alias("visit")
_COURSE, _PLAN, _VERSION = (each.__table__.c for each in (Course, MaintenancePlan, ProtocolVersion))
_ASKED_OFF_AT = sa.case((_VISIT.c.state == AppointmentState.CANCELLED, asked_off_at(_VISIT.c)))
_PAST = (AppointmentState.BOOKED, AppointmentState.ARRIVED)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which clinics (each with its zone, and the hours of notice that it asks for), which months, and at will one
    protocol and one practitioner alone."""

    clinics: Mapping[int, ZoneInfo]
    notice: Mapping[int, int]
    months: Months
    now: datetime
    protocol_id: int | None = None
    practitioner_id: int | None = None

    def spans(self) -> Iterator[tuple[list[int], datetime, datetime]]:
        """The clinics of each zone, with the instants from and until which the months last there."""
        found: defaultdict[ZoneInfo, list[int]] = defaultdict(list)
        for clinic_id, where in self.clinics.items():
            found[where].append(clinic_id)
        for where, clinic_ids in found.items():
            yield clinic_ids, *self.months.instants(where)


def happened(db: Session, asked: Asked) -> Happened:
    """All that happened in those months; in four statements."""
    return Happened(_given(db, asked), _visits(db, asked), [*_ended(db, asked), *_quiet(db, asked)])


def _given(db: Session, asked: Asked) -> list[Given]:
    given, following, visit, held = _GIVEN.c, _NEXT.c, _VISIT.c, Appointment.__table__.alias("held").c
    stopped_by_then = sa.and_(_COURSE.state == CourseState.REVOKED, _COURSE.ended_on <= given.performed_on)
    evening = epoch(given.performed_at) + int(DATED_WITHIN.total_seconds())
    has_date = sa.exists().where(
        held.treatment_session_id == following.id, epoch(held.created_at) <= evening,
        sa.or_(held.closed_at.is_(None), epoch(held.closed_at) > evening))
    next_dated = sa.case(
        (sa.or_(visit.id.is_(None), following.id.is_(None), stopped_by_then,
                following.performed_on <= given.performed_on), None),
        else_=has_date)
    month = first_of_month(given.performed_on)
    rows = db.execute(
        sa.select(
            month, _COURSE.clinic_id, _VERSION.protocol_id, visit.practitioner_id,
            lists_as_json(
                _COURSE.patient_id, sa.case((given.course_id.is_not(None), given.number)),
                days_between(given.performed_on, given.ideal_on), _outside(), next_dated))
        .select_from(
            _GIVEN.outerjoin(MaintenancePlan.__table__, _PLAN.id == given.maintenance_plan_id)
            .join(Course.__table__, _COURSE.id == sa.func.coalesce(given.course_id, _PLAN.course_id))
            .join(ProtocolVersion.__table__, _VERSION.id == _COURSE.protocol_version_id))
        .outerjoin(_VISIT, sa.and_(visit.treatment_session_id == given.id, visit.state == AppointmentState.FULFILLED))
        .outerjoin(_NEXT, sa.and_(following.course_id == given.course_id, following.number == given.number + 1))
        .where(given.performed_on >= asked.months.from_on, given.performed_on < asked.months.until_on,
               *_which(asked, visit.practitioner_id))
        .group_by(month, _COURSE.clinic_id, _VERSION.protocol_id, visit.practitioner_id))
    return [Given(month_of(first_on), *group, *json.loads(lists)) for first_on, *group, lists in rows]


def _outside() -> sa.ColumnElement[int | None]:
    """By how many days a session missed its window: 0 from its first to its last day, negative before it."""
    given = _GIVEN.c
    return sa.case(
        (sa.or_(given.earliest_on.is_(None), given.latest_on.is_(None)), None),
        (given.performed_on < given.earliest_on, days_between(given.performed_on, given.earliest_on)),
        (given.performed_on > given.latest_on, days_between(given.performed_on, given.latest_on)), else_=0)


def _visits(db: Session, asked: Asked) -> list[Visit]:
    visit, given = _VISIT.c, _GIVEN.c
    in_months = sa.or_(*(
        sa.and_(visit.clinic_id.in_(ids), visit.starts_at >= begins, visit.starts_at < min(ends, asked.now))
        for ids, begins, ends in asked.spans()))
    is_given = sa.and_(visit.kind == "session", visit.state == AppointmentState.FULFILLED)
    rows = db.execute(
        sa.select(
            visit.local_start, visit.clinic_id, _VERSION.protocol_id, visit.practitioner_id, visit.patient_id,
            visit.state, visit.ended_cause, visit.cancellation_reason, visit.changed_by_clinic,
            epoch(visit.starts_at) - epoch(sa.func.coalesce(_ASKED_OFF_AT, visit.closed_at)))
        # One outer join after the other: within brackets SQLite would read every session first.
        .select_from(
            _VISIT.outerjoin(_GIVEN, given.id == visit.treatment_session_id)
            .outerjoin(MaintenancePlan.__table__, _PLAN.id == given.maintenance_plan_id)
            .outerjoin(Course.__table__, _COURSE.id == sa.func.coalesce(given.course_id, _PLAN.course_id))
            .outerjoin(ProtocolVersion.__table__, _VERSION.id == _COURSE.protocol_version_id))
        .where(in_months, ~is_given, visit.state != AppointmentState.PROPOSED,
               sa.or_(visit.state.not_in(_PAST), visit.ends_at <= asked.now),
               *_one(_VERSION.protocol_id, asked.protocol_id),
               *_one(visit.practitioner_id, asked.practitioner_id))).all()
    found = (_visit(row, asked) for row in rows)
    return [each for each in found if each.end is not End.NONE and asked.months.covers(each.on)]


def _visit(row: Any, asked: Asked) -> Visit:
    start, clinic_id, protocol_id, who, patient_id, state, ended_cause, reason, by_clinic, seconds = row
    notice = None if seconds is None else timedelta(seconds=seconds)
    end, cause = visit_end(
        AppointmentState(state), ended_cause=ended_cause, reason=reason, by_clinic=by_clinic, notice=notice,
        notice_hours=asked.notice[clinic_id])
    return Visit(start.date(), clinic_id, protocol_id, who, patient_id, end, cause, notice)


def _ended(db: Session, asked: Asked) -> list[Ended]:
    given, course = _GIVEN.c, Course.__table__
    rows = db.execute(
        sa.select(
            _COURSE.ended_on, _COURSE.clinic_id, _VERSION.protocol_id, _LAST_HANDS.label("who"), _COURSE.patient_id,
            _COURSE.state, _COURSE.ended_reason, sa.func.count(given.id), sa.func.min(given.performed_on),
            sa.func.max(given.performed_on))
        .select_from(course.join(ProtocolVersion.__table__, _VERSION.id == _COURSE.protocol_version_id)
                     .outerjoin(_GIVEN, sa.and_(given.course_id == _COURSE.id, given.state == SessionState.COMPLETED)))
        .where(_COURSE.ended_on >= asked.months.from_on, _COURSE.ended_on < asked.months.until_on,
               _COURSE.state.in_((CourseState.COMPLETED, CourseState.REVOKED)), *_which(asked, _LAST_HANDS))
        .group_by(_COURSE.id, _VERSION.protocol_id)).all()
    found = []
    for ended_on, clinic_id, protocol_id, who, patient_id, state, reason, count, first_on, last_on in rows:
        end, cause = course_end(state == CourseState.COMPLETED, reason, count)
        if end is not CourseEnd.NONE:
            found.append(Ended(
                ended_on, clinic_id, protocol_id, who, patient_id, end, cause, count, first_on, last_on))
    return found


def _quiet(db: Session, asked: Asked) -> list[Ended]:
    """Running courses without any date whose next session can no longer be given in time, for so many weeks."""
    waiting, others = _GIVEN.alias("waits"), _GIVEN.alias("other")
    waits, other, given = waiting.c, others.c, _GIVEN.c
    today = max(day_of(asked.now, where) for where in asked.clinics.values())
    goes_on = sa.exists().where(other.course_id == waits.course_id, sa.or_(
        other.state == SessionState.BOOKED,
        sa.and_(other.state == SessionState.OWED, other.number < waits.number)))
    rows = db.execute(
        sa.select(
            waits.latest_on, _COURSE.clinic_id, _VERSION.protocol_id, _LAST_HANDS.label("who"), _COURSE.patient_id,
            sa.func.count(given.id), sa.func.min(given.performed_on), sa.func.max(given.performed_on))
        .select_from(waiting.join(Course.__table__, _COURSE.id == waits.course_id)
                     .join(ProtocolVersion.__table__, _VERSION.id == _COURSE.protocol_version_id)
                     .join(_GIVEN, sa.and_(given.course_id == _COURSE.id, given.state == SessionState.COMPLETED)))
        .where(waits.state == sa.literal_column(f"'{SessionState.OWED.value}'"),
               waits.latest_on >= asked.months.from_on - QUIET_AFTER,
               waits.latest_on < asked.months.until_on - QUIET_AFTER, waits.latest_on <= today - QUIET_AFTER,
               waits.earliest_on < asked.months.until_on - QUIET_AFTER,  # says nothing new, but has the index
               _COURSE.state == CourseState.ACTIVE, ~goes_on, *_which(asked, _LAST_HANDS))
        .group_by(waits.latest_on, _COURSE.id, _VERSION.protocol_id)).all()
    return [Ended(latest_on + QUIET_AFTER, clinic_id, protocol_id, who, patient_id, CourseEnd.QUIET, GONE_QUIET, count,
                  first_on, last_on)
            for latest_on, clinic_id, protocol_id, who, patient_id, count, first_on, last_on in rows]


def _last_hands() -> Any:
    """Who gave the last session of a course."""
    last, visit = _GIVEN.alias("last"), Appointment.__table__.alias("last_visit")
    return (
        sa.select(visit.c.practitioner_id).select_from(last.join(visit, visit.c.treatment_session_id == last.c.id))
        .where(last.c.course_id == _COURSE.id, last.c.state == SessionState.COMPLETED,
               visit.c.state == AppointmentState.FULFILLED)
        .order_by(last.c.number.desc()).limit(1).correlate(Course.__table__).scalar_subquery())


def _which(asked: Asked, practitioner: Any) -> list[sa.ColumnElement[bool]]:
    # The sum keeps SQLite from reading all courses of a clinic instead of the few of these months.
    return [(_COURSE.clinic_id + 0).in_(asked.clinics), *_one(_VERSION.protocol_id, asked.protocol_id),
            *_one(practitioner, asked.practitioner_id)]


def _one(column: Any, wanted: int | None) -> list[sa.ColumnElement[bool]]:
    return [] if wanted is None else [column == wanted]


_LAST_HANDS = _last_hands()
