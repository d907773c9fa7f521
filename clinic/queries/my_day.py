"""The day of one practitioner: who comes, when to expect them, what to know and to prepare, and what is free."""
from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.course_changes import about
from clinic.care.outcomes import VisitOutcome
from clinic.care.parts import ResourceKind
from clinic.care.screening import answers_of, screen
from clinic.care.states import AppointmentState, SessionState
from clinic.planning import Finding
from clinic.planning.lateness import Late
from clinic.queries.diary import DiaryColumn, DiaryText, DiaryVisit, diary_in
from clinic.queries.handover import HandoverLine, unread_notes
from clinic.queries.protocol_contents import contents_of
from clinic.store.courses import Course, MaintenancePlan, Screening, TreatmentSession
from clinic.store.diary import Appointment

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class LastVisit:
    """How the visit before ended: treated, with areas that were left out, or why the patient was not treated."""

    on: date
    outcome: VisitOutcome | None
    areas_left: str | None
    cause: str | None


@dataclass(frozen=True, slots=True)
class MyVisit:
    """A visit with what whoever treats has to know; `done` counts the completed sessions of its course."""

    visit: DiaryVisit
    done: int
    contraindications: tuple[Finding, ...]
    last: LastVisit | None
    notes: tuple[HandoverLine, ...]


@dataclass(frozen=True, slots=True)
class MyDay:
    """A day of one practitioner at one clinic; without a name it is not one of theirs."""

    on: date
    name: str
    late: Late | None
    visits: tuple[MyVisit, ...]
    free: tuple[Span, ...]


def my_day(
    db: Session, text: DiaryText, practitioner_id: int, clinic_id: int, on: date, *, where: ZoneInfo, now: datetime
) -> MyDay:
    """The day of that practitioner, in a number of statements that does not grow with it; `text` is the diary's."""
    diary = diary_in(db, text, clinic_id, on, 1, by=ResourceKind.PRACTITIONER, where=where, now=now)
    column = next((each for each in diary.columns if each.resource.id == practitioner_id), None)
    if column is None:
        return MyDay(on, "", None, (), ())
    visits = _mine(column)
    courses = {visit.course_id for visit in visits if visit.course_id is not None}
    done, last = _sessions(db, courses, on)
    last = _not_treated(db, courses, on, last)
    reasons = _contraindications(db, courses, on)
    notes = unread_notes(db, {visit.patient_id for visit in visits})
    return MyDay(
        on, column.resource.name, diary.late.get(practitioner_id) if column.day.starts_at <= now < column.day.ends_at
        else None,
        tuple(MyVisit(visit, done.get(visit.course_id or 0, 0), reasons.get(visit.course_id or 0, ()),
                      last.get(visit.course_id or 0), notes.get(visit.patient_id, ())) for visit in visits),
        column.free)


def _mine(column: DiaryColumn) -> list[DiaryVisit]:
    starts_on = column.day.on
    return [visit for visit in column.visits if visit.local_start.date() == starts_on]


def _sessions(
    db: Session, courses: Collection[int], on: date
) -> tuple[Mapping[int, int], dict[int, LastVisit]]:
    """How many sessions of each course are completed, and how the last one before that day was."""
    owner = sa.func.coalesce(TreatmentSession.course_id, MaintenancePlan.course_id)
    rows = db.execute(
        sa.select(owner.label("course_id"), TreatmentSession.course_id.is_(None).label("of_upkeep"),
                  TreatmentSession.performed_on, TreatmentSession.outcome, TreatmentSession.areas_left)
        .outerjoin(MaintenancePlan, MaintenancePlan.id == TreatmentSession.maintenance_plan_id)
        .where(owner.in_(courses), TreatmentSession.state == SessionState.COMPLETED)
        .order_by(TreatmentSession.performed_on, TreatmentSession.id))
    done: dict[int, int] = {}
    last: dict[int, LastVisit] = {}
    for row in rows:
        done[row.course_id] = done.get(row.course_id, 0) + (not row.of_upkeep)
        if row.performed_on is not None and row.performed_on < on:
            outcome = VisitOutcome(row.outcome) if row.outcome else VisitOutcome.TREATED
            last[row.course_id] = LastVisit(row.performed_on, outcome, row.areas_left, None)
    return done, last


def _not_treated(
    db: Session, courses: Collection[int], on: date, known: Mapping[int, LastVisit]
) -> dict[int, LastVisit]:
    """Those, but for courses whose patient was last sent home or did not come."""
    owner = sa.func.coalesce(TreatmentSession.course_id, MaintenancePlan.course_id)
    rows = db.execute(
        sa.select(owner.label("course_id"), Appointment.local_start, Appointment.ended_cause)
        .join(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
        .outerjoin(MaintenancePlan, MaintenancePlan.id == TreatmentSession.maintenance_plan_id)
        .where(owner.in_(courses), Appointment.ended_cause.is_not(None),
               Appointment.state.in_((AppointmentState.CANCELLED, AppointmentState.NOSHOW)))
        .order_by(Appointment.starts_at))
    found = dict(known)
    for row in rows:
        ended_on, before = row.local_start.date(), found.get(row.course_id)
        if ended_on < on and (before is None or before.on <= ended_on):
            found[row.course_id] = LastVisit(ended_on, None, None, row.ended_cause)
    return found


def _contraindications(db: Session, courses: Collection[int], on: date) -> Mapping[int, tuple[Finding, ...]]:
    """What the newest screening of each course says of that day."""
    rows = db.execute(
        sa.select(Screening.course_id, Screening.answers, Course.protocol_version_id)
        .join(Course, Course.id == Screening.course_id).where(Screening.course_id.in_(courses))
        .order_by(Screening.answered_at, Screening.id))
    newest: dict[int, Any] = {row.course_id: row for row in rows}
    contents = contents_of(db, {row.protocol_version_id for row in newest.values()})
    return {ident: about(contents[row.protocol_version_id],
                         screen(contents[row.protocol_version_id], answers_of(row.answers), today=on))
            for ident, row in newest.items()}
