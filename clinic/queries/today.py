"""The day at a clinic: who comes when, to whom and where; and what waits for a date."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from clinic.care.states import AppointmentState, CourseState
from clinic.planning.local import instant
from clinic.queries.treatment_sessions import AppointmentLine, appointment_lines
from clinic.queries.undated import IS_OWED
from clinic.store.courses import Course, MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.protocols import Protocol, ProtocolVersion, Treatment
from clinic.store.resources import Patient

SOON = timedelta(days=14)
SHOWN = 12


@dataclass(frozen=True, slots=True)
class DayVisit:
    """An appointment of the day; `number` and `of` say which session of its course it is.

    `performed_on` is the date on which its session was given, which may be another one.
    """

    line: AppointmentLine
    patient_id: int
    patient: str
    alerts: str
    what: str
    number: int | None
    of: int | None
    course_id: int | None
    performed_on: date | None


@dataclass(frozen=True, slots=True)
class Undated:
    """A treatment session that is owed, has no date, and whose window is near."""

    id: int
    patient_id: int
    patient: str
    protocol: str
    course_id: int
    number: int
    is_upkeep: bool
    earliest_on: date | None
    latest_on: date | None


@dataclass(frozen=True, slots=True)
class Day:
    """What the front page shows; `undated_total` counts also those that are not listed."""

    on: date
    visits: tuple[DayVisit, ...]
    undated: tuple[Undated, ...]
    undated_total: int


def day_at(db: Session, clinic_id: int, on: date, *, where: ZoneInfo, today: date) -> Day:
    """A day at a clinic; in five statements, however full it is."""
    which = sa.and_(
        Appointment.clinic_id == clinic_id,
        Appointment.starts_at >= instant(on, 0, where), Appointment.starts_at < instant(on, 1440, where),
    )
    facts = _facts(db, which)
    visits = tuple(
        DayVisit(line, *facts[line.id]) for _, line in appointment_lines(db, which) if line.id in facts)
    undated, total = _undated(db, clinic_id, today)
    return Day(on, visits, undated, total)


def _facts(
    db: Session, which: sa.ColumnElement[bool]
) -> dict[int, tuple[int, str, str, str, int | None, int | None, int | None, date | None]]:
    other = aliased(TreatmentSession)
    siblings = (
        sa.select(sa.func.count()).select_from(other)
        .where(other.course_id == TreatmentSession.course_id).correlate(TreatmentSession).scalar_subquery()
    )
    rows = db.execute(
        sa.select(
            Appointment.id, Appointment.patient_id, Patient.given_name + " " + Patient.family_name, Patient.alerts,
            sa.func.coalesce(Treatment.name, Appointment.treatment_code), TreatmentSession.number,
            sa.case((TreatmentSession.course_id.is_not(None), siblings)),
            sa.func.coalesce(TreatmentSession.course_id, MaintenancePlan.course_id),
            sa.case((Appointment.state == AppointmentState.FULFILLED, TreatmentSession.performed_on)),
        )
        .join(Patient.__table__, Patient.__table__.c.id == Appointment.patient_id)
        .outerjoin(Treatment, Treatment.code == Appointment.treatment_code)
        .outerjoin(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
        .outerjoin(MaintenancePlan, MaintenancePlan.id == TreatmentSession.maintenance_plan_id)
        .where(which)
    )
    return {row[0]: tuple(row[1:]) for row in rows}


def _undated(db: Session, clinic_id: int, today: date) -> tuple[tuple[Undated, ...], int]:
    due = sa.and_(
        IS_OWED, Course.clinic_id == clinic_id,
        TreatmentSession.earliest_on <= today + SOON,
        sa.or_(Course.state == CourseState.ACTIVE,
               sa.and_(TreatmentSession.maintenance_plan_id.is_not(None), MaintenancePlan.state == "active")),
    )
    owned = sa.func.coalesce(TreatmentSession.course_id, MaintenancePlan.course_id)
    rows = db.execute(
        sa.select(
            TreatmentSession.id, Course.patient_id, Patient.given_name + " " + Patient.family_name, Protocol.name,
            Course.id, TreatmentSession.number, TreatmentSession.maintenance_plan_id.is_not(None),
            TreatmentSession.earliest_on, TreatmentSession.latest_on, sa.func.count().over().label("total"),
        )
        .outerjoin(MaintenancePlan, MaintenancePlan.id == TreatmentSession.maintenance_plan_id)
        .join(Course, Course.id == owned)
        .join(Patient.__table__, Patient.__table__.c.id == Course.patient_id)
        .join(ProtocolVersion, ProtocolVersion.id == Course.protocol_version_id)
        .join(Protocol, Protocol.id == ProtocolVersion.protocol_id)
        .where(due).order_by(TreatmentSession.latest_on, TreatmentSession.id).limit(SHOWN)
    ).all()
    return tuple(Undated(*row[:9]) for row in rows), rows[0].total if rows else 0

