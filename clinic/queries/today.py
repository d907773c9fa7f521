"""The day at a clinic: who comes when, to whom and where; and what waits for a date."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from clinic.care.states import AppointmentState
from clinic.planning.local import instant
from clinic.queries.treatment_sessions import AppointmentLine, appointment_lines
from clinic.queries.undated import Horizon, UndatedRow, first_undated
from clinic.store.courses import MaintenancePlan, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.protocols import Treatment
from clinic.store.resources import Patient

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
class Day:
    """What the front page shows; `undated_total` counts also those that are not listed."""

    on: date
    visits: tuple[DayVisit, ...]
    undated: tuple[UndatedRow, ...]
    undated_total: int


def day_at(db: Session, clinic_id: int, on: date, *, where: ZoneInfo, horizon: Horizon) -> Day:
    """A day at a clinic; in six statements, however full it is."""
    which = sa.and_(
        Appointment.clinic_id == clinic_id,
        Appointment.starts_at >= instant(on, 0, where), Appointment.starts_at < instant(on, 1440, where),
    )
    facts = _facts(db, which)
    visits = tuple(
        DayVisit(line, *facts[line.id]) for _, line in appointment_lines(db, which) if line.id in facts)
    undated, total = first_undated(db, clinic_id, horizon, limit=SHOWN)
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
